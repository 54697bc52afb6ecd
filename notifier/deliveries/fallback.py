"""One channel after the other: the next goes where the one before did not succeed. Next hop: ``queueing``, as what is woken is due.

Note [who wakes]: the same transaction that stores that a delivery has ended without being sent wakes the one that stands by for it; one
UPDATE, of what still stands by, so of two nobody wakes it twice. A delivery that stands by is due itself once nothing can come back any
more: then the sweep looks at the one before it, and ends it, or wakes it, whatever was missed.

An unknown outcome counts as no success: hearing of it on two channels is better than on none. What a person has cancelled is not sent
by another channel either.
"""

from collections import defaultdict

from django.utils import timezone

from .. import pacing
from ..models import Delivery, Subscription

Status = Delivery.Status

NOT_SENT = (Status.FAILED, Status.SKIPPED, Status.UNKNOWN)
# It was not sent because the one before it was.
NOT_NEEDED = "not_needed"


def wake_next(ended):
    """Queue what stands by for deliveries (or Works) that have ended without being sent. In the transaction that says so.

    Returns how many were woken; without any that is followed by another, no statement.
    """
    now = timezone.now()
    return sum(
        standing.update(status=Status.QUEUED, due_at=now, restarted_at=now, reason="", detail="") for standing in _next_of(ended)
    )


def next_after_bounce(delivery):
    """The message of ``delivery`` has come back for good: what stands by for it goes now. Returns whether something did."""
    return bool(wake_next([delivery]))


def cancel_next(cancelled):
    """What a person has taken back on one channel goes on no later one either. In the transaction that cancels it."""
    while cancelled:
        standing = [row for rows in _next_of(cancelled) for row in rows.order_by("pk").select_for_update()]
        Delivery.objects.filter(pk__in=[row.pk for row in standing]).update(
            status=Status.CANCELLED, reason="", detail="", due_at=None, finished_at=timezone.now()
        )
        cancelled = standing


def _next_of(deliveries):
    """What stands by for these, as querysets: by the unique key, however many deliveries the event has."""
    alike = defaultdict(list)
    for each in deliveries:
        if each.followed_by:
            alike[each.event_id, each.subscription_id, each.followed_by].append(each.recipient)
    for (event, subscription, channel), recipients in alike.items():
        yield Delivery.objects.filter(
            event=event, subscription=subscription, channel=channel, recipient__in=recipients, status=Status.STANDBY
        )


def settle_due(ids, now):
    """Decide about those of ``ids`` that stand by and are due: ended, woken, or looked at again later."""
    for each in Delivery.objects.filter(pk__in=ids, status=Status.STANDBY).order_by("pk"):
        before = Delivery.objects.filter(
            event=each.event_id, subscription=each.subscription_id, channel=each.follows, recipient=each.recipient
        ).first()
        _settle(each, before, now)


def _settle(each, before, now):
    ours = Delivery.objects.filter(pk=each.pk, status=Status.STANDBY)
    if before is None or before.status in NOT_SENT and before.reason != NOT_NEEDED:
        ours.update(status=Status.QUEUED, due_at=now, restarted_at=now)
    elif before.status == Status.CANCELLED:
        ours.update(status=Status.CANCELLED, due_at=None, finished_at=now)
    elif before.status == Status.SKIPPED or (until := _listened_until(before)) is not None and until <= now:
        ours.update(status=Status.SKIPPED, reason=NOT_NEEDED, due_at=None, finished_at=now)
    else:
        # Not before the one before it has ended, and nothing can come back any more.
        ours.update(due_at=until or now + pacing.LOOK_AGAIN)


def _listened_until(before):
    if before.status != Status.SENT:
        return None
    subscription = Subscription.objects.filter(pk=before.subscription_id).first()
    return before.finished_at + (pacing.wait_of(subscription) if subscription else pacing.LOOK_AGAIN)
