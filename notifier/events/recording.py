"""Makes the events of what matched, inserts them, and rings.

Called by ``firings`` and ``emission``; calls ``middleware``, ``storing``.

Note [savepoints]: a statement that fails while an event is made breaks the caller's transaction, so all of it
happens in savepoints. The one that failed becomes a failed event, the savepoint is rolled back, and the next
round makes the others.
"""

import logging
from collections import deque
from contextlib import ExitStack
from functools import partial

from django.db import DatabaseError, connections, transaction

from ..observing import log_failure
from . import causes, freezing, middleware, storing
from .reentrancy import never_raising

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
            with _savepoints(using, caller):
                while waiting:
                    events.append(_make(waiting.popleft()))
                if is_held:
                    return events
                if caller != using and in_transaction(caller):
                    # Two databases cannot commit as one: wait for the one that decides.
                    transaction.on_commit(partial(insert_held, verb, events, using), using=caller)
                    return events
                return storing.store(events, using)
        except _Broken as broken:
            events.append(broken.event)
        except storing.UNSTORABLE:
            if waiting:
                raise
            return _store_each(events, using, caller)


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
        try:
            with _savepoints(using):
                storing.store(events, using)
        except storing.UNSTORABLE:
            _store_each(events, using)


def _store_each(events, *aliases):
    """Insert one by one what could not be inserted together: the one that is refused is a failed event.

    Returns those that are new.
    """
    new = []
    for event in events:
        event.pk, event._state.adding = None, True
        try:
            with _savepoints(*aliases):
                new += storing.store([event], aliases[0])
        except storing.UNSTORABLE as error:
            log_failure(logger, "An event of the trigger %d cannot be stored", event.trigger_id)
            with _savepoints(*aliases):
                failed = freezing.unstorable_event(event, error)
                failed.causes = event.causes
                new += storing.store([failed], aliases[0])
    return new


def _savepoints(*aliases):
    """The context that keeps a failed query or INSERT from breaking the caller's transactions.

    Outside a transaction there is nothing to break.
    """
    opened = [alias for alias in dict.fromkeys(aliases) if in_transaction(alias)]
    if len(opened) == 1:
        return transaction.atomic(using=opened[0])
    with ExitStack() as stack:
        for alias in opened:
            stack.enter_context(transaction.atomic(using=alias))
        return stack.pop_all()


def in_transaction(alias):
    """Tell whether a transaction is open on the database ``alias``."""
    return not connections[alias].get_autocommit()
