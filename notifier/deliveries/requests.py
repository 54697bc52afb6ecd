"""What a person asks of deliveries: to try them again, to take them back, to send them once more. Next hop: ``notifier.publisher``.

Note [once more]: a delivery is one row for ever, so that nobody gets an event twice by accident. Sending it twice on purpose is the
same row, queued again: what the first sending was, its provider's id included, stays as an Attempt.

Note [the order of locks]: rows are locked by key, upwards, as the claims of functions do it. The other way round, each of the two could
wait for the other.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Least
from django.utils import timezone

from .. import contents, counts
from ..models import Attempt, Delivery, Event
from . import fallback
from .queueing import MAX_ATTEMPTS, UNHEARD_AFTER

Status = Delivery.Status

# From these, a person may ask for another try. From the others it would double a message or race with a function.
RETRIABLE = (Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.WAITING)
# Why the fan-out skipped somebody. They are tried only with an address that the person has now.
UNREACHABLE = ("inactive", "no_address", "unverified")
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

    ``addresses``: where those go whose person was looked at again, id → address. A template that was mended meanwhile is used, if the
    event holds what it reads.
    """
    addresses = addresses or {}
    ready = Delivery.objects.filter(pk__in=ids, status__in=RETRIABLE).filter(STILL_SAYS).order_by("pk")
    with transaction.atomic():
        rows = [
            row
            for row in ready.select_for_update().values_list(*_FIELDS, "reason")
            if row[-1] not in SATISFIED and (row[-1] not in UNREACHABLE or row[1] in addresses)
        ]
        _queue(rows, addresses)
    return [row[:2] for row in rows]


def resend(ids, *, addresses=None):
    """Queue once more those of ``ids`` that were sent, or taken back. Returns ``(channel, id)`` pairs. See note [once more]."""
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
        rows = [[getattr(each, name) for name in _FIELDS] for each in found]
        _queue(rows, addresses or {})
    return [row[:2] for row in rows]


_FIELDS = ["channel", "pk", "event_id", "version_id", "address", "finished_at"]


def _queue(rows, addresses):
    now = timezone.now()
    counts.mark_stale(row[5] for row in rows)
    moved = [Delivery(pk=row[1], address=addresses[row[1]]) for row in rows if addresses.get(row[1], row[4]) != row[4]]
    Delivery.objects.bulk_update(moved, ["address"], batch_size=200)
    alike = {}
    for _channel, pk, event_id, version_id, *_rest in rows:
        alike.setdefault((event_id, version_id), []).append(pk)
    for (event_id, version_id), keys in alike.items():
        Delivery.objects.filter(pk__in=keys).update(
            status=Status.QUEUED, reason="", detail="", claim=None, finished_at=None,
            due_at=now + UNHEARD_AFTER, restarted_at=now, version_id=contents.mended_version(event_id, version_id),
            # One that was given up after so many gets one more.
            attempts=Least("attempts", MAX_ATTEMPTS - 1),
        )  # fmt: skip


def cancel(ids):
    """Take back those of ``ids`` that no function has taken up. Returns their ``(channel, id)`` pairs; the others are too late."""
    ready = Delivery.objects.filter(pk__in=ids, status__in=CANCELLABLE).order_by("pk")
    with transaction.atomic():
        found = list(ready.select_for_update())
        Delivery.objects.filter(pk__in=[each.pk for each in found]).update(
            status=Status.CANCELLED, reason="", detail="", claim=None, due_at=None, finished_at=timezone.now()
        )
        fallback.cancel_next(found)
    return [(each.channel, each.pk) for each in found]


def cancel_events(ids):
    """Let no more deliveries of these events come into being. Returns how many events still had some to come.

    A fan-out that works on one of them finds its claim gone at the next page. What it has written before is there to be cancelled.
    """
    unfinished = Event.objects.filter(pk__in=ids, status__in=UNFINISHED_EVENTS)
    return unfinished.update(status=Event.Status.CANCELLED, claim=None, due_at=None, reason="A person took it back.")
