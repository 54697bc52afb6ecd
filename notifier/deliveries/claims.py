"""Claims: a conditional UPDATE decides which function works on a delivery.

Note [claims]: a delivery is worked on by the function whose conditional UPDATE has put its random claim on
it, until ``due_at``. The outcome is stored only where the claim still stands, so a function that was presumed
dead cannot overwrite its successor.

Note [who has moved]: the fan-out read where people are; the claim reads it once more. A delivery follows its
person to a new address, which is stored before it is sent there, as reports come by address; who cannot be
reached any more is refused by a gate (``gates.left``). Who has left is seen up to the claim. What goes to a
plain address goes there.

Note [pauses]: the claim itself leaves out what is paused, so nothing of it is sent from the moment that the
pause is committed. A function that claims less than it was rung for has ``holding`` look why.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from django.db import connections, router
from django.db.models import F, QuerySet
from django.utils import timezone

from ..gates import table
from ..models import Delivery, Event, Pause
from ..people import whereabouts
from . import gathering
from .holding import hold_unclaimed

# What a delivery waits for: another try, as its last function ended while it held it (see `suspects`); and,
# of what may have been sent, that its provider is asked (see `settling`).
UNANSWERED, UNSETTLED = "unanswered", "unsettled"

# SQLite takes so many values.
MOVED_AT_ONCE = 100
# Any: as Django brings no types, a member would be the tuple that it is written as.
Status: Any = Delivery.Status


# Not frozen, which takes three times as long to make.
@dataclass(slots=True, eq=False)
class Work:
    """One claimed delivery. The fields are in the order of what the claim returns; after the claim, only its
    second look and a digest change them.
    """

    pk: int
    event_id: int
    subscription_id: int
    version_id: int
    recipient: str
    address: str
    language: str
    time_zone: str
    attempts: int
    # The channels before and after it, where their order counts.
    follows: str
    followed_by: str
    is_expired: bool
    digest: bool
    # What its last wait was for, or blank.
    reason: str
    lane: int
    claim: int
    # Those that go in the same message, which is this one's. See `gathering`.
    others: tuple["Work", ...] = ()
    # Why its person cannot be reached any more, or blank.
    unreachable: str = ""
    # The gates that have nothing to go by. See `gates.table`.
    clear: frozenset[str] = frozenset()

    @property
    def event_ids(self) -> list[int]:
        """The events that its message is about."""
        return [self.event_id, *(other.event_id for other in self.others)]

    @property
    def everything(self) -> tuple["Work", ...]:
        """This delivery, and the others that go in its message."""
        return (self, *self.others)


def claim_deliveries(ids: Sequence[int], *, channel: str, lease_seconds: float) -> list[Work]:
    """Take up those of ``ids`` that are ready, for ``lease_seconds``; hold those that are paused.

    Returns a list of Work, the urgent first and then by key.

    One that goes in a digest brings along whatever waits with it. One statement, one that looks again, and
    others where some were not ready, go in digests or have moved.
    """
    if not ids:
        return []
    claim = secrets.randbits(63)
    works = _claim(ids, channel, lease_seconds, claim)
    if left := set(ids) - {work.pk for work in works}:
        works += gathering.claim_gathered(left, channel, lease_seconds, claim, _claim_rows)
        hold_unclaimed(left, channel)
    _look_again(works, channel)
    return sorted(works, key=attrgetter("lane"))


def _claim(ids: Iterable[int], channel: str, lease_seconds: float, claim: int) -> list[Work]:
    # Whole numbers can stand in the text, and hundreds of placeholders cost more than the rows.
    which = (
        f"id IN ({', '.join(map(str, map(int, ids)))}) AND NOT digest AND (status = %s OR status = "
        "%s AND due_at <= %s)"
    )
    now = timezone.now()
    return _claim_rows(which, [Status.QUEUED, Status.CLAIMED, now], channel, lease_seconds, claim)


def _claim_rows(
    which: str, values: Iterable[Any], channel: str, lease_seconds: float, claim: int
) -> list[Work]:
    """Claim the rows of a channel that a condition in SQL means.

    Returns a list of Work, by key. One statement.
    """
    now = timezone.now()
    with connections[router.db_for_write(Delivery)].cursor() as cursor:
        adapt = cursor.db.ops.adapt_datetimefield_value
        values = [adapt(value) if isinstance(value, dt.datetime) else value for value in values]
        lease_end = adapt(now + dt.timedelta(seconds=lease_seconds))
        silent = [Status.CLAIMED, UNSETTLED, UNANSWERED]
        cursor.execute(
            _CLAIM.format(which=which),
            [Status.CLAIMED, claim, lease_end, *silent, channel, *values, adapt(now)],
        )
        return [Work(*(*row, claim)) for row in sorted(cursor.fetchall())]


# The ORM has no RETURNING for an UPDATE; without it, what was claimed would have to be asked for again. What
# is claimed still, after its lease, was of a function that ended without an answer: see `suspects`.
_DELIVERY = Delivery._meta.db_table
_CLAIM = f"""
    UPDATE {_DELIVERY}
    SET status = %s, claim = %s, due_at = %s, attempts = attempts + 1,
        reason = CASE WHEN status = %s AND reason <> %s THEN %s ELSE reason END
    WHERE channel = %s AND {{which}} AND NOT EXISTS (
        SELECT 1 FROM {Pause._meta.db_table} AS pause WHERE pause.scope IN (
            'everything', 'channel:' || {_DELIVERY}.channel, 'budget:' || {_DELIVERY}.channel,
            (SELECT 'trigger:' || trigger_id FROM {Event._meta.db_table} AS event
                WHERE event.id = {_DELIVERY}.event_id)
        )
    )
    RETURNING id, event_id, subscription_id, version_id, recipient, address, language, time_zone, attempts,
        follows, followed_by, COALESCE(expires_at <= %s, false), digest, reason,
        lane
"""  # noqa: S608 - the tables' names are our own


def _look_again(works: list[Work], channel: str) -> None:
    """Give ``works`` the addresses and time zones that their people have now (see note [who has moved]), and
    what they are clear of.
    """
    if not works:
        return
    found, nos = whereabouts.look(works, channel, partial(table.questions, works, channel))
    clear, clear_elsewhere = frozenset(nos), frozenset(nos - {table.SUPPRESSED})
    moved = []
    for work in works:
        work.clear = clear
        if (now := found.get(work.recipient)) is None:
            continue
        if now.reason:
            work.unreachable = now.reason
        elif (now.address, now.time_zone) != (work.address, work.time_zone):
            if now.address != work.address:
                # Of the new address nobody has been asked.
                work.clear = clear_elsewhere
            work.address, work.time_zone = now.address, now.time_zone
            moved.append(Delivery(pk=work.pk, address=now.address, time_zone=now.time_zone))
    if moved:
        mine = Delivery.objects.filter(claim=works[0].claim)
        mine.bulk_update(moved, ["address", "time_zone"], batch_size=MOVED_AT_ONCE)


def mark_sending(works: Sequence[Work]) -> bool:
    """Say that the provider is being called: from here on, a crash leaves these for a person.

    Returns False where a claim has ended meanwhile: then nothing may be sent.
    """
    if _held(works).update(status=Status.SENDING) == sum(len(work.everything) for work in works):
        return True
    # The others of the batch are not sent either, and must not look as if they might have been.
    _held(works, Status.SENDING).update(status=Status.CLAIMED)
    return False


def release(works: Sequence[Work]) -> None:
    """Give back what was claimed and not tried. It is due at once: the sweep rings for it."""
    if works:
        _held(works).update(
            status=Status.QUEUED, claim=None, due_at=timezone.now(), attempts=F("attempts") - 1
        )


def release_slow(work: Work) -> None:
    """Give back one whose rendering took all the time that was left.

    As a try of it, and as one that ended without an answer, so that it harms no other again: see `suspects`.
    """
    reason = UNSETTLED if work.reason == UNSETTLED else UNANSWERED
    _held([work]).update(status=Status.QUEUED, claim=None, due_at=timezone.now(), reason=reason)


def _held(works: Sequence[Work], status: str = Status.CLAIMED) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        pk__in=[each.pk for work in works for each in work.everything], claim=works[0].claim, status=status
    )
