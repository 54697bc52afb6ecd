"""Who works on a delivery: claims, by conditional UPDATE. Next hop: ``answers``, once the provider was called.

Note [claims]: a delivery is worked on by whoever's conditional UPDATE has put its random claim on it, until ``due_at``. What came
of it is stored only where the claim still stands, so a function that was presumed dead cannot overwrite its successor.

Note [pauses]: the claim itself leaves out what is paused, so nothing of it is sent from the moment that the pause is committed. Whoever
claims less than it was rung for has ``holding`` look why.
"""

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import connections, router
from django.db.models import F
from django.utils import timezone

from ..models import Delivery, Event, Pause
from .holding import hold_unclaimed

Status = Delivery.Status


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed delivery. The fields are in the order of what the claim returns."""

    pk: int
    event_id: int
    subscription_id: int
    version_id: int
    recipient: str
    address: str
    language: str
    time_zone: str
    attempts: int
    # What its last wait was for, or blank.
    reason: str
    claim: int


def claim_deliveries(ids, *, channel, lease_seconds):
    """Take up those of ``ids`` that are ready, for ``lease_seconds``; hold those that are paused. Returns a list of Work, by key.

    One statement, and another where some were not ready.
    """
    if not ids:
        return []
    works = _claim(ids, channel, lease_seconds)
    if left := set(ids) - {work.pk for work in works}:
        hold_unclaimed(left, channel)
    return works


def _claim(ids, channel, lease_seconds):
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
    WHERE id IN ({{ids}}) AND channel = %s AND (status = %s OR status = %s AND due_at <= %s) AND NOT EXISTS (
        SELECT 1 FROM {Pause._meta.db_table} AS pause WHERE pause.scope IN (
            'everything', 'channel:' || {Delivery._meta.db_table}.channel, 'budget:' || {Delivery._meta.db_table}.channel,
            (SELECT 'trigger:' || trigger_id FROM {Event._meta.db_table} AS event WHERE event.id = {Delivery._meta.db_table}.event_id)
        )
    )
    RETURNING id, event_id, subscription_id, version_id, recipient, address, language, time_zone, attempts, reason
"""  # noqa: S608 - the tables' names are our own


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
