"""The permission to see who receives. Called by the pages of outcomes and people, which hide it from the
others.
"""

from django.utils.translation import gettext_lazy as _

from ..people.masking import masked
from . import display

__all__ = ["MaskedLookups", "hidden", "masked", "may_see_recipients"]

HIDDEN = _("hidden")
WHY_HIDDEN = _("Only those who may see recipients can read this.")
# What lists can be narrowed by without finding out who receives, one letter at a time.
HARMLESS = {
    "delivery": {
        "id",
        "pk",
        "status",
        "channel",
        "reason",
        "event",
        "provider_id",
        "attempts",
        "created_at",
        "finished_at",
    },
    "suppression": {"id", "pk", "channel", "reason", "created_at"},
    "event": {"id", "pk", "status", "verb", "trigger", "created_at", "reason"},
}


def may_see_recipients(request):
    return request.user.has_perm("notifier.view_recipients")


def hidden():
    return display.quiet(HIDDEN)


class MaskedLookups:
    """For a ModelAdmin: a list is filtered by what the reader may see, also by an address that somebody
    types.
    """

    def lookup_allowed(self, lookup, value, request=None):
        root = lookup.partition("__")[0]
        if root not in HARMLESS[self.opts.model_name] and not (request and may_see_recipients(request)):
            return False
        return super().lookup_allowed(lookup, value, request)
