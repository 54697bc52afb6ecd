"""Every change of a delivery's status is here. Next hop: ``notifier.feedback``, when the provider is heard again.

Note [claims]: a delivery is worked on by whoever's conditional UPDATE has put its random claim on it, until ``due_at``. What came
of it is stored only where the claim still stands, so a function that was presumed dead cannot overwrite its successor.
"""

import datetime as dt
import logging
import random
import secrets
from collections import defaultdict
from dataclasses import dataclass

from django.db import connections, router, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from . import contents
from .exceptions import OutcomeUnknown, Rejected, SendError, Skipped, TryAgain
from .models import Delivery

logger = logging.getLogger(__name__)

Status = Delivery.Status

# A message is normally taken up within seconds. A backlog may take longer, and ringing again too early would double it.
UNHEARD_AFTER = dt.timedelta(hours=1)
# Exponential backoff with full jitter. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS = 30, 3600
# A delivery that was taken up so often without a result kills its function each time.
MAX_ATTEMPTS = 20


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a channel is repeated. ``at_most_once``: a crash leaves it for a person. ``horizon``: after that, it is given up."""

    at_most_once: bool
    horizon: dt.timedelta


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed delivery. The fields are in the order of what the claim returns."""

    pk: int
    event_id: int
    version_id: int
    recipient: str
    address: str
    attempts: int
    claim: int


def claim_deliveries(ids, *, channel, lease_seconds):
    """Take up those of ``ids`` that are ready, for ``lease_seconds``. One statement; returns a list of Work, by key."""
    if not ids:
        return []
    now, claim = timezone.now(), secrets.randbits(63)
    with connections[router.db_for_write(Delivery)].cursor() as cursor:
        adapt = cursor.db.ops.adapt_datetimefield_value
        lease_end = now + dt.timedelta(seconds=lease_seconds)
        # Whole numbers can stand in the text, and hundreds of placeholders cost more than the rows.
        statement = _CLAIM.format(ids=", ".join(map(str, map(int, ids))))
        cursor.execute(statement, [Status.CLAIMED, claim, adapt(lease_end), channel, Status.QUEUED, Status.CLAIMED, adapt(now)])
        return [Work(*row, claim) for row in sorted(cursor.fetchall())]


# The ORM has no RETURNING for an UPDATE; without it, what was claimed would have to be asked for again.
_CLAIM = f"""
    UPDATE {Delivery._meta.db_table}
    SET status = %s, claim = %s, due_at = %s, attempts = attempts + 1
    WHERE id IN ({{ids}}) AND channel = %s AND (status = %s OR status = %s AND due_at <= %s)
    RETURNING id, event_id, version_id, recipient, address, attempts
"""  # noqa: S608 - the table's name is our own


def mark_sending(works):
    """Say that the provider is being called: from here on, a crash leaves these for a person.

    Returns False where a claim has ended meanwhile: then nothing may be sent.
    """
    if _held(works).update(status=Status.SENDING) == len(works):
        return True
    # The others of the batch are not sent either, and must not look as if they might have been.
    _held(works, Status.SENDING).update(status=Status.CLAIMED)
    return False


def release(works):
    """Give back what was claimed and not tried. The queue's redelivery, or the sweep, brings it again."""
    if works:
        _held(works).update(status=Status.QUEUED, claim=None, attempts=F("attempts") - 1)


def _held(works, status=Status.CLAIMED):
    return Delivery.objects.filter(pk__in=[work.pk for work in works], claim=works[0].claim, status=status)


def record_answers(answers, policy):
    """Store what came of ``(Work, answer)`` pairs of one claim: a provider's id, or the SendError that a channel raised.

    One statement for all that were sent, and one for each other outcome.
    """
    if not answers:
        return
    now, claim = timezone.now(), answers[0][0].claim
    alike = defaultdict(list)
    for work, answer in answers:
        provider_id, outcome = _settle(work, answer, policy, now)
        alike[outcome].append((work.pk, _storable(provider_id, 200)))
    with connections[router.db_for_write(Delivery)].cursor() as cursor:
        for (status, reason, detail, due_at), rows in alike.items():
            adapt = cursor.db.ops.adapt_datetimefield_value
            outcome = [status, _storable(reason, 50), _storable(detail, 500), adapt(due_at), adapt(None if due_at else now)]
            statement = _RECORD.format(rows=", ".join(f"({pk}, %s)" for pk, _ in rows))
            cursor.execute(statement, [*outcome, *(provider_id for _, provider_id in rows), claim])
            if cursor.rowcount != len(rows):
                logger.error("%d results came after their claim had ended and were not stored.", len(rows) - cursor.rowcount)


# Both databases name the columns of a VALUES list so. The ORM has no word for a different value a row but CASE, at ten times the cost.
_RECORD = f"""
    UPDATE {Delivery._meta.db_table}
    SET status = %s, reason = %s, detail = %s, due_at = %s, finished_at = %s, claim = NULL, provider_id = answer.column2
    FROM (VALUES {{rows}}) AS answer
    WHERE id = answer.column1 AND claim = %s
"""  # noqa: S608 - the table's name is our own


def _storable(text, length):
    """``text`` as every database stores it. Once a provider was called, storing what came of it must not fail."""
    return text.replace("\0", "").encode(errors="replace").decode()[:length]


def _settle(work, answer, policy, now):
    """``(provider's id, (status, reason, detail, due_at))`` of one answer."""
    match answer:
        case str():
            return answer, (Status.SENT, "", "", None)
        case Skipped():
            return "", (Status.SKIPPED, answer.reason, answer.detail, None)
        case Rejected():
            return "", (Status.FAILED, answer.reason, answer.detail, None)
        case OutcomeUnknown() if policy.at_most_once:
            return "", (Status.UNKNOWN, answer.reason, answer.detail, None)
    due_at = now + _pause(work, answer)
    if due_at > Delivery.objects.values_list("created_at", flat=True).get(pk=work.pk) + policy.horizon:
        detail = f"After {work.attempts} attempts. The last: {answer.reason} {answer.detail}"
        return "", (Status.FAILED, "gave_up", detail, None)
    return "", (Status.WAITING, answer.reason, answer.detail, due_at)


def _pause(work, answer: SendError):
    if isinstance(answer, TryAgain) and answer.after_seconds is not None:
        return dt.timedelta(seconds=answer.after_seconds)
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (work.attempts - 1))
    return dt.timedelta(seconds=random.uniform(1, ceiling))  # noqa: S311 - jitter, not a secret


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
        rows = list(ready.select_for_update().values_list("channel", "pk", "event_id", "version_id"))
        for event_id, version_id in {row[2:] for row in rows}:
            ready.filter(event_id=event_id, version_id=version_id).update(
                status=Status.QUEUED, reason="", detail="", claim=None, finished_at=None,
                due_at=timezone.now() + UNHEARD_AFTER, version_id=contents.mended_version(event_id, version_id),
                # One that was given up after so many gets one more.
                attempts=Least("attempts", MAX_ATTEMPTS - 1),
            )  # fmt: skip
    return [row[:2] for row in rows]
