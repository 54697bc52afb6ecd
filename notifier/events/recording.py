"""Makes the events of what matched, inserts them, and rings.

Called by ``firings`` and ``emission``; calls ``middleware``, ``storing``.

Note [savepoints]: a statement that fails while an event is made breaks the caller's transaction, so events
are made in savepoints. The one that failed becomes a failed event, the savepoint is rolled back, and the next
round makes the others.
"""

import logging
from collections import deque
from functools import partial

from django.db import DatabaseError, transaction

from ..observing import log_failure
from . import causes, freezing, middleware, storing
from .reentrancy import never_raising
from .savepoints import in_transaction, savepoints

logger = logging.getLogger(__name__)


class _Broken(Exception):
    """A statement has failed while ``event`` was made: the transaction takes no other before the savepoint is
    rolled back.
    """

    def __init__(self, event):
        self.event = event


def record(verb, recordings, *, using, caller, is_held=False):
    """Make the events of ``recordings`` and insert them into ``using``; returns those that are new.

    ``caller``: the database whose transaction decides. While that is another one, and open, they are inserted
    when it commits. ``is_held``: they are only made; ``insert_held`` inserts them. See note [savepoints].
    """
    waiting, events = deque(recordings), []
    while True:
        try:
            with savepoints(using, caller):
                while waiting:
                    events.append(_make(waiting.popleft()))
            break
        except _Broken as broken:
            events.append(broken.event)
    if is_held:
        return events
    if caller != using and in_transaction(caller):
        # Two databases cannot commit as one: wait for the one that decides.
        transaction.on_commit(partial(insert_held, verb, events, using), using=caller)
        return events
    return _store(events, using)


def _make(recording):
    cause = causes.current()
    try:
        endless = cause.refuse(recording.trigger.pk) if cause else ""
        make = partial(freezing.failed_event, reason=endless) if endless else middleware.make_event
        return _caused(make(recording), cause)
    except DatabaseError as error:
        log_failure(logger, "A query failed while an event of the trigger %d was made", recording.trigger.pk)
        failed = freezing.failed_event(recording, freezing.unreadable(error), error)
        raise _Broken(_caused(failed, cause)) from error


def _caused(event, cause):
    if cause:
        # What was read: a transaction that is broken takes no other query.
        event.causes = cause.chain or None
        cause.note(event.trigger_id)
    return event


def insert_held(verb, events, using):
    """Insert what was held back. Never raises."""
    with never_raising(verb):
        _store(events, using)


def _store(events, using):
    """Insert ``events``; returns those that are new. One that is refused becomes a failed event."""
    try:
        return storing.store(events, using)
    except storing.UNSTORABLE:
        return [each for event in events for each in _store_alone(event, using)]


def _store_alone(event, using):
    event.pk, event._state.adding = None, True
    try:
        return storing.store([event], using)
    except storing.UNSTORABLE as error:
        log_failure(logger, "An event of the trigger %d cannot be stored", event.trigger_id)
        failed = freezing.unstorable_event(event, error)
        failed.causes = event.causes
        return storing.store([failed], using)
