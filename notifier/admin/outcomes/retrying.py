"""The other try that a delivery may have. Called by ``delivery_actions``, which makes it."""

from django.utils.translation import gettext_lazy as _

from ... import deliveries
from ...deliveries.versions import mended_version
from ...people import addresses


def can_be_retried(delivery):
    is_over = delivery.event.emptied_at or delivery.reason in deliveries.SATISFIED
    if is_over or delivery.status not in deliveries.RETRIABLE:
        return False
    reached, unreachable = addresses.look_again([(delivery.pk, delivery.channel, delivery.recipient)])
    return delivery.pk not in unreachable and (
        delivery.reason not in deliveries.UNREACHABLE or delivery.pk in reached
    )


def version_used(delivery, version):
    """The version that another try is made with, where the template was changed meanwhile."""
    newest = version.content.version
    if newest is None or newest.pk == version.pk or not can_be_retried(delivery):
        return ""
    if mended_version(delivery.event_id, version.pk) == newest.pk:
        return _("It is tried again with version %d.") % newest.number
    return (
        _("Version %d reads what this event does not hold: it is tried again with the old one.")
        % newest.number
    )
