"""The permission to see who receives. Called by the pages of outcomes and people, which hide it from the
others.
"""

from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from ..people.masking import masked
from . import display

__all__ = ["hidden", "is_masked", "marked", "masked", "may_see_recipients"]

HIDDEN = _("hidden")
WHY_HIDDEN = _("Only those who may see recipients can read this.")


def may_see_recipients(request):
    return request.user.has_perm("notifier.view_recipients")


def marked(request, rows):
    """``rows`` that say whether this person may see whom they are about.

    The cells of a list know the row and not who reads it: one that does not say so shows nobody.
    """
    return rows.annotate(may_be_seen=Value(True)) if may_see_recipients(request) else rows


def is_masked(row):
    return not getattr(row, "may_be_seen", False)


def hidden():
    return display.quiet(HIDDEN)
