"""One channel after the other: the next goes where the one before did not succeed.

Called by whatever ends a delivery: ``answers``, ``queueing``, ``requests``, and ``feedback`` after a bounce.

Note [who wakes]: the same transaction that stores that a delivery has ended without being sent wakes the one
that stands by for it; one UPDATE, of what still stands by, so of two nobody wakes it twice. A delivery that
stands by is due itself once nothing can come back any more: then the sweep looks at the one before it, and
ends it, or wakes it, whatever was missed.

An unknown outcome counts as no success: hearing of it on two channels is better than on none. What a person
has cancelled is not sent by another channel either.
"""

import datetime as dt
from collections import defaultdict

from django.utils import timezone

from ..models import Delivery, Subscription
from . import flow

Status = Delivery.Status

NOT_SENT = (Status.FAILED, Status.SKIPPED, Status.UNKNOWN)
# It was not sent because the one before it was.
NOT_NEEDED = "not_needed"


def wake_next(ended):
    """Queue what stands by for deliveries (or Works) that have ended without being sent.

    In the transaction that says so.

    Returns how many were woken; without any that is followed by another, no statement.
    """
    now = timezone.now()
    return sum(
        standing.update(
            status=Status.QUEUED, due_at=now, restarted_at=now, wanted_at=now, reason="", detail=""
        )
        for standing in _next_of(ended)
    )


def next_after_bounce(*deliveries):
    """The message of these ``deliveries`` has come back for good: what stands by for them goes now.

    Returns whether something did.
    """
    return bool(wake_next(deliveries))


def cancel_next(cancelled):
    """Cancel all later channels of deliveries that a person has taken back.

    In the transaction that cancels them.
    """
    while cancelled:
        standing = [row for rows in _next_of(cancelled) for row in rows.order_by("pk").select_for_update()]
        Delivery.objects.filter(pk__in=[row.pk for row in standing]).update(
            status=Status.CANCELLED, reason="", detail="", due_at=None, finished_at=timezone.now()
        )
        cancelled = standing


def _next_of(deliveries):
    """The deliveries that stand by for these, as querysets: by the unique key, for any number of
    deliveries.
    """
    alike = defaultdict(list)
    for each in deliveries:
        if each.followed_by:
            alike[each.event_id, each.subscription_id, each.followed_by].append(each.recipient)
    for (event, subscription, channel), recipients in alike.items():
        yield Delivery.objects.filter(
            event=event,
            subscription=subscription,
            channel=channel,
            recipient__in=recipients,
            status=Status.STANDBY,
        )


def settle_due(ids, now):
    """Decide about those of ``ids`` that stand by and are due: ended, woken, or looked at again later.

    A statement for each decision.
    """
    standing = list(Delivery.objects.filter(pk__in=ids, status=Status.STANDBY))
    before, alike = _those_before(standing), defaultdict(list)
    subscriptions = Subscription.objects.in_bulk({each.subscription_id for each in standing})
    keys, behind = {each.pk for each in standing}, []
    for each in standing:
        one = before.get((each.event_id, each.subscription_id, each.follows, each.recipient))
        if one is not None and one.pk in keys:
            behind.append(each.pk)
        else:
            alike[_fate(one, subscriptions.get(each.subscription_id), now)].append(each.pk)
    for fate, decided in alike.items():
        Delivery.objects.filter(pk__in=decided, status=Status.STANDBY).update(**dict(fate))
    if behind:
        # They go by what was just decided about those before them: a round for each channel of the order.
        settle_due(behind, now)


def _those_before(standing):
    """``(event, subscription, channel, recipient)`` → the delivery that these stand by for."""
    alike = defaultdict(list)
    for each in standing:
        alike[each.event_id, each.subscription_id, each.follows].append(each.recipient)
    found = {}
    for (event, subscription, channel), recipients in alike.items():
        rows = Delivery.objects.filter(
            event=event, subscription=subscription, channel=channel, recipient__in=recipients
        )
        found |= {(event, subscription, channel, row.recipient): row for row in rows}
    return found


def _fate(before, subscription, now):
    """The new columns of one that stands by, as pairs of a column and its value."""
    if before is None or before.status in NOT_SENT and before.reason != NOT_NEEDED:
        return ("status", Status.QUEUED), ("due_at", now), ("restarted_at", now), ("wanted_at", now)
    if before.status == Status.CANCELLED:
        return ("status", Status.CANCELLED), ("due_at", None), ("finished_at", now)
    until = _listened_until(before, subscription)
    if before.status == Status.SKIPPED or until and until <= now:
        return ("status", Status.SKIPPED), ("reason", NOT_NEEDED), ("due_at", None), ("finished_at", now)
    # Not before the one before it has ended, and nothing can come back any more.
    return (("due_at", until or now + flow.LOOK_AGAIN),)


def _listened_until(before, subscription):
    if before.status != Status.SENT:
        return None
    until = before.finished_at + (flow.wait_of(subscription) if subscription else flow.LOOK_AGAIN)
    # The sweep comes every minute: one time for all of a minute spares statements.
    return until.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
