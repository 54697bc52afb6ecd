"""Stores events with one INSERT, in the transaction of whoever caused them. Next hop, after the commit: ``publisher``, then ``hooks``."""

import logging
import secrets
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import partial

from django.db import DatabaseError, connections, transaction

from . import freezing, interception, publisher
from .hooks import event_recorded
from .models import Event

logger = logging.getLogger(__name__)

# Recording reads objects, which sends signals (post_init) of its own.
_recording = ContextVar("notifier_recording", default=False)
# What a receiver itself causes is recorded, and not announced to it again: it would never end.
_announcing = ContextVar("notifier_announcing", default=False)


class _Broken(Exception):
    """A statement has failed while an event was made: the transaction takes no other before the savepoint is rolled back."""


def is_recording():
    """Whether this thread is recording an event already."""
    return _recording.get()


@contextmanager
def recording(is_recording=True):
    """Inside it, signals are not recorded."""
    token = _recording.set(is_recording)
    try:
        yield
    finally:
        _recording.reset(token)


@contextmanager
def never_raising(verb):
    """As ``recording``, and whatever goes wrong in it is logged: the caller's save is worth more."""
    with recording():
        try:
            yield
        except Exception:
            logger.exception("Could not record the signal %s", verb)


def make_events(recordings, store, *, using):
    """Make the events of ``recordings`` and return ``store(events)``, both in savepoints of the databases ``using``.

    A statement that fails while one of them is made fails that one, and is rolled back.
    """
    waiting, events = deque(recordings), []
    while True:
        with suppress(_Broken), _savepoints(*using):
            while waiting:
                _make_next(waiting, events)
            return store(events)


def _make_next(waiting, events):
    each = waiting.popleft()
    try:
        events.append(interception.make_event(each))
    except DatabaseError as error:
        logger.exception("A query failed while an event of the trigger %d was made", each.trigger.pk)
        events.append(freezing.failed_event(each, freezing.unreadable(error), error))
        raise _Broken from error


def store(verb, events, *, using, caller):
    """Insert into ``using`` now; or, while ``caller`` is another database in a transaction, when that commits. Returns what is new."""
    if caller != using and in_transaction(caller):
        # Two databases cannot commit as one: wait for the one that decides.
        transaction.on_commit(partial(insert_later, verb, events, using), using=caller)
        return events
    return _insert(events, using)


def insert_later(verb, events, using):
    """Insert what was held back. Never raises."""
    with never_raising(verb), _savepoints(using):
        _insert(events, using)


def _insert(events, using):
    keyed = [event for event in events if event.key is not None]
    free = [event for event in events if event.key is None]
    if len(free) == 1:
        free[0].save(using=using, force_insert=True)
    elif free:
        Event.objects.using(using).bulk_create(free)
    new = free + _insert_keyed(keyed, using) if keyed else free
    ids = [event.pk for event in new]
    if ids:
        logger.info("Recorded %d events.", len(ids), extra={"event_ids": ids})
    for event in new:
        if event.status == Event.Status.FAILED:
            logger.error("Event %d has failed: %s", event.pk, event.reason, extra={"event_ids": [event.pk]})
    # One that is scheduled is rung for by the sweep, when it is time.
    publisher.ring_on_commit([event.pk for event in new if event.due_at and not event.starts_at], using=using)
    if new and not _announcing.get() and event_recorded.has_listeners(Event):
        transaction.on_commit(partial(_announce, [_describe(event) for event in new]), using=using)
    return new


def _insert_keyed(events, using):
    """Insert those whose key their trigger has not had; returns them. Whoever inserts the same at this moment is waited for."""
    # A conflict that is ignored returns no keys, so each call marks its own rows. The fan-out puts its claim in that place.
    mark = secrets.randbits(63)
    for event in events:
        event.claim = mark
    rows = Event.objects.using(using)
    rows.bulk_create(events, ignore_conflicts=True)
    found = rows.filter(
        trigger__in={event.trigger_id for event in events}, key__in={event.key for event in events}, claim=mark
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
    return {"event_id": event.pk, "trigger_id": event.trigger_id, "verb": event.verb, "status": str(event.status)}


def _announce(told):
    """Tell the receivers of ``event_recorded``; ``told`` are its arguments, event by event. Django logs those that raise."""
    token = _announcing.set(True)
    try:
        # Outside a transaction this runs at once, while the caller is still recording; what a receiver saves counts all the same.
        with recording(is_recording=False):
            for arguments in told:
                event_recorded.send_robust(Event, **arguments)
    finally:
        _announcing.reset(token)


@contextmanager
def _savepoints(*aliases):
    """Keep a failed query or INSERT from breaking the caller's transactions; outside one there is nothing to break."""
    with ExitStack() as stack:
        for alias in dict.fromkeys(aliases):
            if in_transaction(alias):
                stack.enter_context(transaction.atomic(using=alias))
        yield


def in_transaction(alias):
    """Whether a transaction is open on the database ``alias``."""
    return not connections[alias].get_autocommit()
