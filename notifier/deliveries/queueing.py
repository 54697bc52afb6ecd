"""Queues deliveries again because they are due. Calls ``queue.publisher``."""

import datetime as dt
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from ..channels import registry
from ..models import Delivery
from ..models.lanes import SHARES
from ..queue import publisher
from . import fallback
from .announcements import announce_outcomes
from .answers import StoredOutcome
from .claims import UNANSWERED, UNSETTLED
from .due import read_first
from .history import note_crashes, note_open
from .slots import REASON as RATE
from .suspects import SUSPECT

Status = Delivery.Status

# A message is normally taken up within seconds. A backlog may take longer, and ringing again too early would
# double it.
DELIVERY_UNHEARD_AFTER = dt.timedelta(hours=1)
# A delivery that was taken up so often without a result kills its function each time.
MAX_ATTEMPTS = 20
ASKED = "The function ended while the provider was being called. The provider is asked whether it has it."


# What a dead function held, but for what its provider is asked about first.
_REASON = Case(
    When(status=Status.CLAIMED, then=Case(When(reason=UNSETTLED, then="reason"), default=Value(UNANSWERED))),
    default=F("reason"),
)


# Nobody has chosen to wait for a slot.
_WANTED_AT = Case(When(reason=RATE, then="wanted_at"), default="due_at")


def take_due(limit):
    """Up to ``limit`` deliveries whose time has come, as ``(channel, id)`` pairs to ring for."""
    return [(row.channel, row.pk) for row in take_due_rows(limit)]


def take_due_rows(limit):
    """Up to ``limit`` deliveries whose time has come, as Due, to ring for; the urgent first.

    What waited is queued again; what a dead function held is queued again, or, where the provider was being
    called on a channel that must not repeat itself, left for a person.
    """
    now = timezone.now()
    due = Delivery.objects.filter(due_at__lte=now)
    rows = [Due(*row) for row in read_first(due, limit, *Due._fields)]
    if standing := [row.pk for row in rows if row.status == Status.STANDBY]:
        fallback.settle_due(standing, now)
    hidden = [row for row in rows if row.status == Status.SENDING]
    asked = [row for row in hidden if registry.can_find(row.channel) and not row.digest]
    if left := [row.pk for row in hidden if row not in asked]:
        _leave_to_a_person(due.filter(pk__in=left, status=Status.SENDING), left, now)
    ready = [row for row in rows if row.status not in (Status.SENDING, Status.STANDBY)]
    # What has waited by our own choice is tried from now on.
    if fresh := [row.pk for row in ready if row.status == Status.WAITING and not row.attempts]:
        due.filter(pk__in=fresh, status=Status.WAITING).update(restarted_at=now, wanted_at=_WANTED_AT)
    due.filter(pk__in=[row.pk for row in ready]).exclude(status__in=[Status.SENDING, Status.STANDBY]).update(
        status=Status.QUEUED, claim=None, reason=_REASON, due_at=now + DELIVERY_UNHEARD_AFTER
    )
    asked = [row for row in asked if _ask_first(due, row, now)]
    return sorted([*_one_a_digest(ready), *asked], key=lambda row: row.lane)


def is_slot_due(*, within_seconds):
    """Whether a delivery that waits for a slot is due so soon."""
    soon = timezone.now() + dt.timedelta(seconds=within_seconds)
    waiting = Delivery.objects.filter(due_at__lte=soon, status=Status.WAITING, reason=RATE)
    # By lane, as the index is.
    return any(waiting.filter(lane=lane).exists() for lane in SHARES)


class Due(NamedTuple):
    """A delivery whose time has come. ``is_suspect``: it may have ended its function."""

    lane: int
    event_id: int
    channel: str
    pk: int
    status: str
    attempts: int
    digest: bool
    subscription_id: int
    recipient: str
    reason: str

    @property
    def is_suspect(self):
        return self.status in (Status.CLAIMED, Status.SENDING) or self.reason in SUSPECT


def _one_a_digest(rows):
    """``rows`` with one of each digest: the function that is rung for it takes the others along.

    Of a digest, one that may have ended its function stands for all.
    """
    rows = sorted(rows, key=lambda row: row.is_suspect)
    found = {(row.subscription_id, row.recipient, row.channel) if row.digest else row.pk: row for row in rows}
    return list(found.values())


def _leave_to_a_person(sending, ids, now):
    with transaction.atomic():
        sending.update(
            status=Status.UNKNOWN, reason="crashed", due_at=None, claim=None, finished_at=now,
            detail=(
                "The function ended while the provider was being called. Ask the provider whether "
                "it was sent, then retry."
                ),
        )  # fmt: skip
        crashed = note_crashes(ids, now)
        fallback.wake_next(crashed)
    for each in crashed:
        announce_outcomes(
            [StoredOutcome(each, each.status, each.reason, each.detail, "")], channel=each.channel
        )


def _ask_first(due, row, now):
    """Queue one of a dead function again, so that its provider is asked first: see ``settling``.

    Tells whether it was still there.
    """
    with transaction.atomic():
        found = due.filter(pk=row.pk, status=Status.SENDING).select_for_update().first()
        if found is None:
            return False
        note_open(found)
        Delivery.objects.filter(pk=row.pk).update(
            status=Status.QUEUED, reason=UNSETTLED, detail=ASKED, claim=None,
            due_at=now + DELIVERY_UNHEARD_AFTER,
        )  # fmt: skip
    return True


def publish_on_commit(rings):
    """Publish ``rings`` for rows that this transaction has queued again, when it commits.

    What fails is swept up soon.
    """

    def ring():
        ring_again_soon([pk for failed in publisher.publish(rings) for pk in failed.ids])

    transaction.on_commit(ring)


def ring_again_soon(ids):
    """Put back what ``take_due`` gave and could not be published."""
    Delivery.objects.filter(pk__in=ids, status=Status.QUEUED).update(due_at=timezone.now())
