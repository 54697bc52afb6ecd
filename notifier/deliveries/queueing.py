"""Deliveries that are rung for again: those that are due, and those that a person retries. Next hop: ``notifier.publisher``."""

import datetime as dt

from django.db import transaction
from django.db.models.functions import Least
from django.utils import timezone

from .. import contents, counts
from ..models import Delivery

Status = Delivery.Status

# A message is normally taken up within seconds. A backlog may take longer, and ringing again too early would double it.
UNHEARD_AFTER = dt.timedelta(hours=1)
# A delivery that was taken up so often without a result kills its function each time.
MAX_ATTEMPTS = 20


def take_due(limit):
    """Up to ``limit`` deliveries whose time has come, as ``(channel, id)`` pairs to ring for.

    What waited is queued again; what a dead function held is queued again, or, where the provider was being called on a
    channel that must not repeat itself, left for a person.
    """
    now = timezone.now()
    due = Delivery.objects.filter(due_at__lte=now)
    rows = list(due.order_by("due_at").values_list("channel", "pk", "status")[:limit])
    hidden = [pk for _, pk, status in rows if status == Status.SENDING]
    if hidden:
        due.filter(pk__in=hidden, status=Status.SENDING).update(
            status=Status.UNKNOWN, reason="crashed", due_at=None, claim=None, finished_at=now,
            detail="The function ended while the provider was being called. Ask the provider whether it was sent, then retry.",
        )  # fmt: skip
    due.filter(pk__in=[pk for _, pk, _ in rows]).exclude(status=Status.SENDING).update(
        status=Status.QUEUED, claim=None, due_at=now + UNHEARD_AFTER
    )
    return [(channel, pk) for channel, pk, status in rows if status != Status.SENDING]


def ring_again_soon(ids):
    """Put back what ``take_due`` gave and could not be published."""
    Delivery.objects.filter(pk__in=ids, status=Status.QUEUED).update(due_at=timezone.now())


# From these, a person may ask for another try. From the others it would double a message or race with a function.
RETRIABLE = (Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.WAITING)
# Why the fan-out skipped somebody. A retry does not look at the person again, so it would send what must not be sent.
UNREACHABLE = ("inactive", "no_address", "unverified")


def retry(ids):
    """Queue again, at a person's request, those of ``ids`` that ended without being sent. Returns ``(channel, id)`` pairs.

    A template that was mended meanwhile is used, if the event holds what it reads.
    """
    ready = Delivery.objects.filter(pk__in=ids, status__in=RETRIABLE).exclude(reason__in=UNREACHABLE)
    with transaction.atomic():
        rows = list(ready.select_for_update().values_list("channel", "pk", "event_id", "version_id", "finished_at"))
        counts.mark_stale(row[4] for row in rows)
        for event_id, version_id in {row[2:4] for row in rows}:
            ready.filter(event_id=event_id, version_id=version_id).update(
                status=Status.QUEUED, reason="", detail="", claim=None, finished_at=None,
                due_at=timezone.now() + UNHEARD_AFTER, version_id=contents.mended_version(event_id, version_id),
                # One that was given up after so many gets one more.
                attempts=Least("attempts", MAX_ATTEMPTS - 1),
            )  # fmt: skip
    return [row[:2] for row in rows]
