"""Tries deliveries again at a person's request, writes down who asked, and says what came of it. Next hop: ``notifier.deliveries``."""

from collections import defaultdict

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q
from django.utils.translation import gettext_lazy as _, ngettext

from .. import contents, deliveries, publisher
from ..messages import rings_for
from ..models import Delivery

# A request has half a minute; the rest can be chosen again.
MOST_RETRIED = 5_000
# What the fan-out writes, without a detail.
REASONS = {
    "inactive": _("The account is not active."),
    "no_address": _("The person has no address on this channel."),
    "unverified": _("The address is not verified."),
}
RETRIABLE = Q(status__in=deliveries.RETRIABLE) & ~Q(reason__in=deliveries.UNREACHABLE)


def can_be_retried(delivery):
    return delivery.status in deliveries.RETRIABLE and delivery.reason not in deliveries.UNREACHABLE


def version_used(delivery, version):
    """Which version another try is made with, where the template was changed meanwhile."""
    newest = version.content.version
    if newest.pk == version.pk or not can_be_retried(delivery):
        return ""
    if contents.mended_version(delivery.event_id, version.pk) == newest.pk:
        return _("It is tried again with version %d.") % newest.number
    return _("Version %d reads what this event does not hold: it is tried again with the old one.") % newest.number


def retry(request, queryset):
    """Queue again what of ``queryset`` can be, MOST_RETRIED at most, and tell the person who asked."""
    found = list(queryset.filter(RETRIABLE).order_by("pk").values_list("pk", flat=True)[: MOST_RETRIED + 1])
    ids = found[:MOST_RETRIED]
    left = queryset.order_by().exclude(RETRIABLE)[:MOST_RETRIED].count()
    queued = deliveries.retry(ids)
    _ring(queued)
    # A function may have taken some up since they were read.
    _tell(request, [Delivery(pk=pk, channel=channel) for channel, pk in queued], left + len(ids) - len(queued))
    if len(found) > MOST_RETRIED:
        messages.warning(request, _("There are more: no more than %d at a time. Choose them again.") % MOST_RETRIED)


def _ring(queued):
    by_channel = defaultdict(list)
    for channel, pk in queued:
        by_channel[channel].append(pk)
    publisher.publish_on_commit([ring for name, keys in by_channel.items() for ring in rings_for(name, keys)])


def _tell(request, tried, left):
    if tried:
        LogEntry.objects.log_actions(request.user.pk, tried, CHANGE, str(_("Tried again.")))
        text = ngettext("%d delivery is being tried again.", "%d deliveries are being tried again.", len(tried))
        messages.success(request, text % len(tried))
    if left:
        text = ngettext(
            "%d was left alone: it is sent, under way or not for sending.",
            "%d were left alone: they are sent, under way or not for sending.",
            left,
        )
        messages.warning(request, text % left)
