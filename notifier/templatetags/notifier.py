"""``{% notifier_bell %}``: the signed-in person's unread notifications, in any template, kept fresh by
``bell.js``.
"""

import json

from django import template
from django.conf import settings
from django.middleware.csrf import get_token
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from ..exceptions import ConfigurationError

register = template.Library()

# A page must not wait for somebody who has never read anything; the badge says “99+” long before.
MOST_COUNTED = 1000


@register.inclusion_tag("notifier/bell.html", takes_context=True)
def notifier_bell(context):
    """A button with the number of unread items, and what it opens.

    For somebody who is signed out, or without a request, nothing.
    """
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"shown": False}
    # Others load all template tags while apps are still being loaded.
    from .. import conf
    from ..inbox.items import unread_of

    unread, inbox = unread_of(user.pk)[:MOST_COUNTED].count(), _inbox_url()
    return {
        "shown": True,
        "unread": unread,
        "label": _("Notifications: {count} unread").format(count=unread) if unread else _("Notifications"),
        "inbox": inbox,
        "page": inbox.removesuffix("inbox/"),
        "poll_seconds": conf.get("INBOX_RETRY_SECONDS"),
        "csrf_token": get_token(request),
        # A sign-in in another tab changes the token; where the cookie can be read, it is always the present
        # one.
        "csrf_cookie": ""
        if settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_HTTPONLY
        else settings.CSRF_COOKIE_NAME,
        "csrf_header": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
        "texts": json.dumps(_texts()),
    }


def _inbox_url():
    try:
        return reverse("notifier:inbox-stream").removesuffix("stream/")
    except NoReverseMatch as error:
        raise ConfigurationError(
            "{% notifier_bell %} asks the inbox, which this site does not have: add "
            'path("notifications/", include("notifier.urls")).'
        ) from error


def _texts():
    """The words that the script says."""
    return {
        "none": _("Notifications"),
        "unread": _("Notifications: {count} unread"),
        "new": _("New notification: {title}"),
        "several": _("New notifications: {count}"),
        "archive": _("Archive: {title}"),
        "failed": _("That did not work. Please try again."),
        "signedOut": _("You have been signed out. Sign in again to see your notifications."),
    }
