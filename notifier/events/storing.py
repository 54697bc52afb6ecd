"""Inserts events with one INSERT and rings for them after the commit.

Called by ``recording``; calls ``queue.publisher`` and ``hooks``.
"""

import logging
import secrets
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial

from django.db import DataError, transaction

from ..hooks import event_recorded
from ..models import Event
from ..queue import publisher
from ..queue.ring import FANOUT, Ring
from .causes import caused_by
from .inserting import insert
from .reentrancy import while_recording
from .savepoints import savepoints

logger = logging.getLogger(__name__)

# What a database, or its driver, says of the data of one event, not of itself.
UNSTORABLE = (DataError, OverflowError, TypeError, ValueError)
# What a receiver itself causes is recorded, and not announced to it again: it would never end.
_announcing = ContextVar("notifier_announcing", default=False)


def store(events, using):
    """Insert ``events``, all or none, and ring for them when that commits.

    Returns those that are new: of one with a key, only the first is. What the database refuses breaks no
    transaction.
    """
    keyed = [event for event in events if event.key is not None]
    free = [event for event in events if event.key is None]
    with savepoints(using) if keyed else nullcontext():
        if free:
            insert(free, using)
        new = free + _insert_keyed(keyed, using) if keyed else free
    ids = [event.pk for event in new]
    if ids:
        logger.info("Recorded %d events.", len(ids), extra={"event_ids": ids})
    for event in new:
        if event.status == Event.Status.FAILED:
            logger.error("Event %d has failed: %s", event.pk, event.reason, extra={"event_ids": [event.pk]})
    # One that is scheduled is rung for by the sweep, when it is time.
    rings = [_ring(event) for event in new if event.due_at and not event.starts_at]
    publisher.ring_on_commit(rings, using=using)
    if new and not _announcing.get() and event_recorded.has_listeners(Event):
        transaction.on_commit(partial(_announce, [_describe(event) for event in new]), using=using)
    return new


def _ring(event):
    # A trigger that fires ten thousand times does not keep the others' events waiting.
    return Ring(route=FANOUT, ids=(event.pk,), group=f"trigger-{event.trigger_id}")


def _insert_keyed(events, using):
    """Insert those whose key their trigger has not had; returns them.

    A transaction that inserts the same at this moment is waited for.
    """
    # A conflict that is ignored returns no keys, so each call marks its own rows. The fan-out puts its claim
    # in that place.
    mark = secrets.randbits(63)
    for event in events:
        event.claim = mark
    rows = Event.objects.using(using)
    rows.bulk_create(events, ignore_conflicts=True)
    found = rows.filter(
        trigger__in={event.trigger_id for event in events},
        key__in={event.key for event in events},
        claim=mark,
    ).values_list("trigger_id", "key", "pk")
    written = {(trigger, key): pk for trigger, key, pk in found}
    new = []
    for event in events:
        # Of two with one key in one INSERT, the first was written.
        if (pk := written.pop((event.trigger_id, event.key), None)) is not None:
            event.pk = pk
            new.append(event)
    return new


def _describe(event):
    return {
        "event_id": event.pk,
        "trigger_id": event.trigger_id,
        "verb": event.verb,
        "status": str(event.status),
    }


def _announce(told):
    """Tell the receivers of ``event_recorded``; ``told`` are its arguments, event by event.

    Django logs those that raise.
    """
    token = _announcing.set(True)
    try:
        # Outside a transaction this runs at once, while the caller is still recording; what a receiver saves
        # counts all the same.
        with while_recording(is_recording=False):
            for arguments in told:
                with caused_by(arguments["event_id"]):
                    event_recorded.send_robust(Event, **arguments)
    finally:
        _announcing.reset(token)
