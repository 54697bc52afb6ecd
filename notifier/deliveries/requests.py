"""Requests of a person about deliveries: to try them again, to take them back, to send them once more.

Note [once more]: a delivery is one row for ever, so that nobody gets an event twice by accident. Sending it
twice on purpose is the same row, queued again: what the first sending was, its provider's id included, stays
as an Attempt.

Note [the order of locks]: rows are locked by key, upwards, as the claims of functions do it. The other way
round, each of the two could wait for the other.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Least
from django.utils import timezone

from ..models import Attempt, Delivery, DevicePush, Event
from ..models.counts import mark_stale
from ..people import whereabouts
from . import chains, fallback, flow
from .claims import UNSETTLED
from .queueing import DELIVERY_UNHEARD_AFTER, MAX_ATTEMPTS
from .versions import mended_version

Status = Delivery.Status

# From these, a person may ask for another try. From the others it would double a message or race with a
# function.
RETRIABLE = (Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.WAITING)
# Why somebody was skipped who could not be reached. They are tried only with an address that the person has
# now.
UNREACHABLE = ("inactive", "no_address", "unverified", whereabouts.GONE)
# Why somebody who has got it on another channel was skipped: trying again would double it.
SATISFIED = (fallback.NOT_NEEDED, "read")
# What no function has taken up.
CANCELLABLE = (Status.QUEUED, Status.WAITING, Status.STANDBY, Status.HELD)
RESENDABLE = (Status.SENT, Status.CANCELLED)

# What was emptied for its age could only be sent blank.
STILL_SAYS = Exists(Event.objects.filter(pk=OuterRef("event"), emptied_at__isnull=True))

UNFINISHED_EVENTS = (Event.Status.RECORDED, Event.Status.FANNING_OUT, Event.Status.HELD)


def retry(ids, *, addresses=None):
    """Queue again those of ``ids`` that ended without being sent. Returns ``(channel, id)`` pairs.

    ``addresses``: where those go whose person was looked at again, id → address. A template that was mended
    meanwhile is used, if the event holds what it reads.
    """
    addresses = addresses or {}
    ready = Delivery.objects.filter(pk__in=ids, status__in=RETRIABLE).filter(STILL_SAYS).order_by("pk")
    with transaction.atomic():
        found = [
            each
            for each in ready.select_for_update()
            if each.reason not in (*SATISFIED, UNSETTLED)
            and (each.reason not in UNREACHABLE or each.pk in addresses)
        ]
        return _queue(chains.wanted_still(found), addresses)


def resend(ids, *, addresses=None):
    """Queue once more those of ``ids`` that were sent, or taken back.

    Returns ``(channel, id)`` pairs. See note [once more].
    """
    ready = Delivery.objects.filter(pk__in=ids, status__in=RESENDABLE).filter(STILL_SAYS).order_by("pk")
    with transaction.atomic():
        found = list(ready.select_for_update())
        Attempt.objects.bulk_create(
            Attempt(
                delivery=each, number=each.attempts, status=each.status, provider_id=each.provider_id,
                created_at=each.finished_at or timezone.now(),
            )
            for each in found if each.status == Status.SENT
        )  # fmt: skip
        Delivery.objects.filter(pk__in=[each.pk for each in found]).update(provider_id="", returned="")
        # Once more is for all of a person's devices, whichever had it.
        DevicePush.objects.filter(delivery__in=[each.pk for each in found]).delete()
        return _queue(found, addresses or {})


def _queue(found, addresses):
    """Queue these, or let them stand by for one another.

    Returns ``(channel, id)`` of those that are queued.
    """
    now = timezone.now()
    standing, left = chains.followers_in(found)
    rows = [each for each in found if each.pk not in left]
    mark_stale(each.finished_at for each in rows)
    moved = [
        Delivery(pk=each.pk, address=addresses[each.pk])
        for each in rows
        if addresses.get(each.pk, each.address) != each.address
    ]
    Delivery.objects.bulk_update(moved, ["address"], batch_size=200)
    alike = {}
    for each in rows:
        alike.setdefault((each.event_id, each.version_id), []).append(each.pk)
    for (event_id, version_id), keys in alike.items():
        Delivery.objects.filter(pk__in=keys).update(
            status=Status.QUEUED, reason="", detail="", claim=None, finished_at=None,
            due_at=now + DELIVERY_UNHEARD_AFTER, restarted_at=now, wanted_at=now,
            version_id=mended_version(event_id, version_id),
            # One that was given up after so many gets one more.
            attempts=Least("attempts", MAX_ATTEMPTS - 1),
        )  # fmt: skip
    if standing:
        Delivery.objects.filter(pk__in=standing).update(status=Status.STANDBY, due_at=now + flow.LOOK_AGAIN)
    return [(each.channel, each.pk) for each in rows if each.pk not in standing]


def cancel(ids):
    """Take back those of ``ids`` that no function has taken up.

    Returns their ``(channel, id)`` pairs; the others are too late.
    """
    # What may have been sent can be taken back by nobody.
    ready = (
        Delivery.objects.filter(pk__in=ids, status__in=CANCELLABLE).exclude(reason=UNSETTLED).order_by("pk")
    )
    with transaction.atomic():
        found = list(ready.select_for_update())
        Delivery.objects.filter(pk__in=[each.pk for each in found]).update(
            status=Status.CANCELLED, reason="", detail="", claim=None, due_at=None, finished_at=timezone.now()
        )
        fallback.cancel_next(found)
    return [(each.channel, each.pk) for each in found]


def cancel_events(ids):
    """Let no more deliveries of these events come into being. Returns how many events still had some to come.

    A fan-out that works on one of them finds its claim gone at the next page. What it has written before is
    there to be cancelled.
    """
    unfinished = Event.objects.filter(pk__in=ids, status__in=UNFINISHED_EVENTS)
    return unfinished.update(
        status=Event.Status.CANCELLED, claim=None, due_at=None, reason="A person took it back."
    )
