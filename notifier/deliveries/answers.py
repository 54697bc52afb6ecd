"""Stores a provider's answer to a delivery, before the next call. Called by ``worker``."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.utils import timezone

from ..channels.storable import storable
from ..models import Delivery
from . import fallback
from .claims import Work
from .history import note_attempts
from .outcomes import Answer, Policy, Sent, Settled, read_times, settle, unless_expired

logger = logging.getLogger(__name__)

# Any: see `claims`.
Status: Any = Delivery.Status


class StoredOutcome(NamedTuple):
    """The outcome that was stored of a delivery."""

    work: Work | Delivery
    status: str
    reason: str
    detail: str
    provider_id: str


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
        if not is_one:
            _go_on(stored, [work for rows in alike.values() for work, *_ in rows], now)
    return [
        StoredOutcome(work, *outcome[:3], provider_id)
        for outcome, rows in alike.items()
        for work, provider_id, _ in rows
        if work.pk in stored[outcome]
    ]


def _go_on(stored: dict[Settled, set[int]], works: Sequence[Work], now: dt.datetime) -> None:
    """Keep what was not sent as attempts, and wake what stands by for it."""
    tried = {outcome: ids for outcome, ids in stored.items() if not outcome.postponed}
    note_attempts(tried, {work.pk: work.attempts for work in works}, now)
    ended = {pk for outcome, keys in stored.items() if outcome.status in fallback.NOT_SENT for pk in keys}
    fallback.wake_next(work for work in works if work.pk in ended)


def _by_outcome(
    answers: Sequence[tuple[Work, Answer]], policy: Policy, now: dt.datetime
) -> dict[Settled, list[Row]]:
    """The rows to store by what they share; those that went in one message share theirs."""
    found, times = defaultdict(list), read_times(answers)

    def add(work: Work, outcome: Settled, sent: Sent, cost_micros: int) -> None:
        row = work, storable(sent.provider_id, 200), cost_micros
        found[unless_expired(outcome, times.get(work.pk))].append(row)

    for work, answer in answers:
        sent, outcome = settle(work, answer, policy, now, times)
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
    # The same text for as many, which SQLite then has read before.
    places = ", ".join(["(%s, %s, %s)"] * len(rows))
    statement = _RECORD.format(rows=places, more=_POSTPONED if postponed else "")
    more = [values[3]] if postponed else []
    answers = [value for work, *rest in rows for value in (work.pk, *rest)]
    cursor.execute(statement, [*values, *more, *answers, claim])
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
