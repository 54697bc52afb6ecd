"""Deliveries that are rung for again because they are due. Next hop: ``notifier.publisher``."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from .. import hooks
from ..models import Delivery
from .answers import Outcome
from .history import note_crashes

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
        _leave_to_a_person(due.filter(pk__in=hidden, status=Status.SENDING), hidden, now)
    due.filter(pk__in=[pk for _, pk, _ in rows]).exclude(status=Status.SENDING).update(
        status=Status.QUEUED, claim=None, due_at=now + UNHEARD_AFTER
    )
    return [(channel, pk) for channel, pk, status in rows if status != Status.SENDING]


def _leave_to_a_person(sending, ids, now):
    with transaction.atomic():
        sending.update(
            status=Status.UNKNOWN, reason="crashed", due_at=None, claim=None, finished_at=now,
            detail="The function ended while the provider was being called. Ask the provider whether it was sent, then retry.",
        )  # fmt: skip
        crashed = note_crashes(ids, now)
    for each in crashed:
        hooks.announce_outcomes([Outcome(each, each.status, each.reason, each.detail, "")], channel=each.channel)


def ring_again_soon(ids):
    """Put back what ``take_due`` gave and could not be published."""
    Delivery.objects.filter(pk__in=ids, status=Status.QUEUED).update(due_at=timezone.now())
