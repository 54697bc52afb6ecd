"""Stores a provider's answer to a delivery, before the next call. Called by ``worker``."""

import datetime as dt
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.utils import timezone

from ..channels import waits
from ..channels.storable import storable
from ..exceptions import Later, LeftOpen, OutcomeUnknown, Rejected, SendError, Skipped, TryAgain
from ..models import Delivery
from . import fallback
from .claims import Work
from .history import note_attempts

logger = logging.getLogger(__name__)

# Any: see `claims`.
Status: Any = Delivery.Status

# Of what may have been sent, until the provider was asked: see `settling`. Not at once, as what was posted is
# not everywhere in the same second.
UNSETTLED, ASK_AFTER = "unsettled", dt.timedelta(minutes=1)
# Exponential backoff with full jitter.
# https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS = 30, 3600


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The way a channel is repeated.

    ``at_most_once``: a crash leaves it for a person, or for the provider to be asked, where it can be
    (``can_ask``). ``horizon``: after that, it is given up.
    """

    at_most_once: bool
    horizon: dt.timedelta
    can_ask: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A provider took it: its id, and about what that costs, in millionths of a US dollar."""

    provider_id: str
    cost_micros: int = 0


NOT_SENT = Sent("")


# What a channel has answered to a Work; the text is a provider's id.
Answer = Sent | str | SendError


class StoredOutcome(NamedTuple):
    """The outcome that was stored of a delivery."""

    work: Work | Delivery
    status: str
    reason: str
    detail: str
    provider_id: str


class Settled(NamedTuple):
    """The columns that a delivery is to have.

    ``postponed``: by our own choice, so that it does not count as an attempt.
    """

    status: str
    reason: str = ""
    detail: str = ""
    due_at: dt.datetime | None = None
    postponed: bool = False


# A Work, its provider's id, and its cost in millionths of a US dollar.
Row = tuple[Work, str, int]


def record_answers(answers: Sequence[tuple[Work, Answer]], policy: Policy) -> list[StoredOutcome]:
    """Store the outcomes of the Works of one claim.

    One statement for all that were sent, and one for each other outcome; those stay on record as attempts, by
    one more for all of them. Only ``Later``, our own choice, is no attempt. What went in one message ends the
    same way, all or none. What stands by for one that was not sent is woken in the same transaction. Returns
    a StoredOutcome for each that was stored.
    """
    if not answers:
        return []
    now, claim, alias = timezone.now(), answers[0][0].claim, router.db_for_write(Delivery)
    alike = _by_outcome(answers, policy, now)
    # What went well is one statement, which needs no transaction around it.
    is_one = [status for status, *_ in alike] == [Status.SENT]
    whole = nullcontext() if is_one else transaction.atomic(using=alias)
    with whole, connections[alias].cursor() as cursor:
        stored = {outcome: _store(cursor, outcome, rows, claim, now) for outcome, rows in alike.items()}
        tried = {outcome: ids for outcome, ids in stored.items() if not outcome.postponed}
        note_attempts(tried, {each.pk: each.attempts for work, _ in answers for each in work.everything}, now)
        ended = {pk for outcome, keys in stored.items() if outcome.status in fallback.NOT_SENT for pk in keys}
        fallback.wake_next(each for rows in alike.values() for each, *_ in rows if each.pk in ended)
    return [
        StoredOutcome(work, *outcome[:3], provider_id)
        for outcome, rows in alike.items()
        for work, provider_id, _ in rows
        if work.pk in stored[outcome]
    ]


def _by_outcome(
    answers: Sequence[tuple[Work, Answer]], policy: Policy, now: dt.datetime
) -> dict[Settled, list[Row]]:
    """The rows to store by what they share; those that went in one message share theirs."""
    found, times = defaultdict(list), _read_times(answers)

    def add(work: Work, outcome: Settled, sent: Sent, cost_micros: int) -> None:
        row = work, storable(sent.provider_id, 200), cost_micros
        found[_unless_expired(outcome, times.get(work.pk))].append(row)

    for work, answer in answers:
        sent, outcome = _settle(work, answer, policy, now, times)
        add(work, outcome, sent, sent.cost_micros)
        if outcome.status == Status.SENT:
            outcome = Settled(Status.SENT, detail=f"In one message with #{work.pk}.")
        for other in work.others:
            add(other, outcome, sent, 0)
    return found


def _store(cursor: Any, outcome: Settled, rows: Sequence[Row], claim: int, now: dt.datetime) -> set[int]:
    """Store one outcome of several deliveries. Returns the keys of those whose claim still stood."""
    status, reason, detail, due_at, postponed = outcome
    adapt = cursor.db.ops.adapt_datetimefield_value
    values = [
        status,
        storable(reason, 50),
        storable(detail, 500),
        adapt(due_at),
        adapt(None if due_at else now),
    ]
    answers = ", ".join(f"({work.pk}, %s, {int(cost)})" for work, _, cost in rows)
    statement = _RECORD.format(rows=answers, more=_POSTPONED if postponed else "")
    more = [values[3]] if postponed else []
    cursor.execute(statement, [*values, *more, *(provider_id for _, provider_id, _ in rows), claim])
    stored = {pk for (pk,) in cursor.fetchall()}
    if len(stored) != len(rows):
        logger.error(
            "%d results came after their claim had ended and were not stored.", len(rows) - len(stored)
        )
    return stored


# Both databases name the columns of a VALUES list so. The ORM has no word for a different value a row but
# CASE, at ten times the cost.
_RECORD = f"""
    UPDATE {Delivery._meta.db_table}
    SET status = %s, reason = %s, detail = %s, due_at = %s, finished_at = %s, claim = NULL,
        provider_id = answer.column2, cost_micros = cost_micros + answer.column3{{more}}
    FROM (VALUES {{rows}}) AS answer
    WHERE id = answer.column1 AND claim = %s
    RETURNING id
"""  # noqa: S608 - the table's name is our own
# What we put off ourselves was not tried, and is tried for as long as ever from the time at which it wakes.
_POSTPONED = ", attempts = attempts - 1, restarted_at = %s"


class Times(NamedTuple):
    """The times when a delivery was begun, for the horizon, and when it expires."""

    begun: dt.datetime
    expires_at: dt.datetime | None


def _read_times(answers: Sequence[tuple[Work, Answer]]) -> dict[int, Times]:
    """Delivery id → Times, of what may have to wait. One statement, or none."""
    may_wait = [work for work, answer in answers if isinstance(answer, Later | TryAgain | OutcomeUnknown)]
    if not may_wait:
        return {}
    keys = [each.pk for work in may_wait for each in work.everything]
    rows = Delivery.objects.filter(pk__in=keys).values_list("pk", "created_at", "restarted_at", "expires_at")
    return {pk: Times(max(filter(None, begun)), expires_at) for pk, *begun, expires_at in rows}


def _unless_expired(outcome: Settled, times: Times | None) -> Settled:
    """``outcome``, or the end at once of what would wait for longer than it is of use: what stands by for it
    must not wait as well.
    """
    if outcome.due_at is None or not times or not times.expires_at or outcome.due_at < times.expires_at:
        return outcome
    if outcome.reason == UNSETTLED:  # to ask is never too late
        return outcome
    return Settled(Status.SKIPPED, "expired", f"The last: {outcome.reason} {outcome.detail}")


def _settle(
    work: Work, answer: Answer, policy: Policy, now: dt.datetime, times: dict[int, Times]
) -> tuple[Sent, Settled]:
    """``(Sent, Settled)`` of one answer."""
    match answer:
        case Sent():
            return answer, Settled(Status.SENT)
        case str():
            return Sent(answer), Settled(Status.SENT)
        case Skipped():
            return NOT_SENT, Settled(Status.SKIPPED, answer.reason, answer.detail)
        case Later():
            return NOT_SENT, Settled(
                Status.WAITING, answer.reason, answer.detail, answer.due_at, postponed=True
            )
        case Rejected():
            return NOT_SENT, Settled(Status.FAILED, answer.reason, answer.detail)
        case LeftOpen():
            return NOT_SENT, Settled(Status.UNKNOWN, answer.reason, answer.detail)
        case OutcomeUnknown() if policy.at_most_once:
            return NOT_SENT, _open(work, answer, policy, now, times)
    due_at, end = now + _pause(work, answer), times[work.pk].begun + policy.horizon
    if due_at > end > now and _asked_for(answer) is not None:
        # A provider's word, however long, ends nothing: it is asked once more at the end.
        due_at = end
    if due_at > end:
        detail = f"After {work.attempts} attempts. The last: {answer.reason} {answer.detail}"
        return NOT_SENT, Settled(Status.FAILED, "gave_up", detail)
    return NOT_SENT, Settled(Status.WAITING, answer.reason, answer.detail, due_at)


def _open(
    work: Work, answer: SendError, policy: Policy, now: dt.datetime, times: dict[int, Times]
) -> Settled:
    """The provider is asked, as long as it could be told; without that, a person decides."""
    due_at = now + ASK_AFTER + _pause(work, answer)
    if not policy.can_ask or work.digest or due_at > times[work.pk].begun + policy.horizon:
        return Settled(Status.UNKNOWN, answer.reason, answer.detail)
    return Settled(Status.WAITING, UNSETTLED, f"{answer.reason}: {answer.detail}", due_at)


def _pause(work: Work, answer: SendError) -> dt.timedelta:
    if (seconds := _asked_for(answer)) is not None:
        return dt.timedelta(seconds=seconds)
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (work.attempts - 1))
    return dt.timedelta(seconds=random.uniform(1, ceiling))  # noqa: S311 - jitter, not a secret


def _asked_for(answer: SendError) -> int | None:
    """Seconds that the provider asked for; None where it named no time that can be waited for."""
    return waits.bounded(answer.after_seconds) if isinstance(answer, TryAgain) else None
