"""A stored time in a page, at either end of the calendar as well: Django's ``date`` fails there.

``{{ event.created_at|local_date:"j M Y, H:i" }}``
"""

from django import template
from django.utils.formats import date_format

from ..templating.times import local

register = template.Library()


@register.filter
def local_date(time, form="DATETIME_FORMAT"):
    """``time`` in the current time zone; blank for none."""
    return date_format(local(time), form) if time else ""
