"""The live triggers in memory: the ones that a firing matches.

Called by ``firings`` and ``emission``; ``first_look`` has it loaded, ``liveness`` keeps it fresh.

Note [when the index is loaded]: never at import or in ``ready()``. The first connection to the database loads
it, or the first signal that a trigger could be about, whichever comes first. After that a process asks for
the rules' version at most every REFRESH_SECONDS: at the start of a request, at the opening of a connection,
and from a background thread where a process has neither (a shell, a worker). On Lambda there is no thread: it
would sleep with the function, and every invocation opens a connection or a request.

Note [uncommitted rules]: a transaction that changes rules goes by them at once, and alone: until the commit
they are those of its own thread. The object that holds them is the transaction's commit hook itself, so a
rollback, of a savepoint too, throws it away without telling anybody.
"""

import math
import threading
import time
import weakref
from collections import defaultdict

from django.db import DatabaseError, connections, router

from ..models import RulesVersion
from . import loading
from .matching import Matched, is_one
from .reentrancy import while_recording

# A change must be live everywhere within 5 s, and the background thread may come just too early once.
REFRESH_SECONDS = 2


class UncommittedRules:
    """The rules as an open transaction has changed them. See note [uncommitted rules]."""

    def __init__(self, connection):
        self.by_verb, self._connection = _group(loading.load_triggers()), connection
        connection.notifier_rules_changed = True
        connection.on_commit(self.end, robust=True)

    def end(self):
        # Inside a TestCase, hooks run while the transaction is still open: it goes on by its own rules.
        if not self._connection.in_atomic_block:
            self._connection.notifier_rules_changed = False
            index.drop(self)


def rules_connection():
    """This thread's connection to the database that holds the rules."""
    return connections[router.db_for_write(RulesVersion)]


def _own_rules():
    """The UncommittedRules that this thread's open transaction goes by, or None."""
    connection = rules_connection()
    if not getattr(connection, "notifier_rules_changed", False):
        return None
    owners = (getattr(hook, "__self__", None) for _, hook, _ in reversed(connection.run_on_commit))
    return next((owner for owner in owners if isinstance(owner, UncommittedRules)), None)


class Index:
    """All enabled triggers of this process, by verb. Calls its listeners when they change: see
    ``on_change``.
    """

    token: int | str | None
    checked_at: float
    # The thread that is loading.
    _loader: int | None

    def __init__(self):
        self.forget_threads()
        # Nobody but its transaction's hooks holds one, so it leaves with them.
        self._uncommitted = weakref.WeakSet()
        self._listeners = []
        self.forget()

    def refresh(self, *, now=False, force=False):
        """Load the triggers if they have changed.

        At most one small query every REFRESH_SECONDS, unless it is to be ``now``.

        ``force`` loads them also where they have not changed.
        """
        now = now or force
        if not now and time.monotonic() - self.checked_at < REFRESH_SECONDS:
            return
        # Loading opens a connection, which asks for a refresh in the same thread. And what is not
        # committed is not for all threads.
        if self._loader == threading.get_ident() or not force and _own_rules():
            return
        # While another thread loads, the rules as they were will do; before the first load there are none.
        if not self._lock.acquire(blocking=now or self.checked_at == -math.inf):
            return
        self._loader = threading.get_ident()
        try:
            self._load(force)
        finally:
            self.checked_at = time.monotonic()
            self._loader = None
            self._lock.release()

    def load_first(self):
        """Load the triggers if nobody has so far. Raises what the database raises.

        Leaves no connection behind that it has opened itself: a server forks its workers later on.
        """
        if self.is_loaded or self._loader == threading.get_ident():
            return
        connection = rules_connection()
        is_opened_here = connection.connection is None
        try:
            # This alone loads them, if all goes well. And it is not part of the loading: what a receiver of
            # connection_created sends, is heard.
            connection.ensure_connection()
            if not self.is_loaded:
                self.refresh(now=True)
        finally:
            if is_opened_here:
                connection.close()

    @property
    def is_loaded(self):
        """Whether this process knows its rules: not before it has looked."""
        return self.token != ""

    def _load(self, force):
        try:
            # The rows' own signals are nobody's news.
            with while_recording(), loading.savepoint():
                token = loading.read_token()
                if not force and token == self.token:
                    return
                triggers = loading.load_triggers()
        except DatabaseError:
            if loading.has_tables():
                raise
            token, triggers = None, []
        self._by_verb, self.token = _group(triggers), token
        self.announce()

    def follow_transaction(self, connection):
        """Go by the rules as ``connection``'s open transaction sees them, in this thread, until it ends.

        See note [uncommitted rules].
        """
        self._uncommitted.add(UncommittedRules(connection))
        self.announce()

    def drop(self, uncommitted):
        """Its transaction is committed: from now on all threads go by what it has changed."""
        self._uncommitted.discard(uncommitted)
        self.refresh(now=True)
        self.announce()

    def live(self, verb):
        """All live triggers of the signal ``verb``, whatever they match."""
        return tuple(self._rules().get(verb, ()))

    def is_about(self, verb, model):
        """Tell whether a live trigger of the signal ``verb`` is about objects of ``model``."""
        return any(is_one(model, trigger.model, "") for trigger in self.live(verb))

    def find(self, verb, context, created):
        """The live triggers that this firing matches, as a list that can also say why the others do not."""
        return Matched.among(self._rules().get(verb, ()), context, created)

    def previous_names(self, sender):
        """The names after ``previous`` that live triggers about saves of ``sender`` read."""
        live, names = self._rules(), set()
        for trigger in (*live.get("pre_save", ()), *live.get("post_save", ())):
            if trigger.previous_names and is_one(sender, trigger.model, ""):
                names |= trigger.previous_names
        return names

    def _rules(self):
        if own := _own_rules():
            return own.by_verb
        connection = rules_connection()
        if getattr(connection, "notifier_rules_changed", False):
            # Rolled back, or being committed by hooks that come before its own.
            connection.notifier_rules_changed = False
            self.refresh(now=True)
            self.announce()
        return self._by_verb

    def on_change(self, listener):
        """Call ``listener(rules)`` now, and when the rules have changed.

        ``rules``: the live triggers and those of each open transaction, by verb. None: nobody has read them.
        """
        self._listeners.append(listener)
        self.announce()

    def announce(self):
        """Tell the listeners which rules there are."""
        with self._lock:
            rules = [self._by_verb, *(each.by_verb for each in list(self._uncommitted))]
            for listener in self._listeners:
                listener(rules if self.is_loaded else None)

    def forget(self):
        """Have no rules, as a process that has not looked yet."""
        self.token = ""  # unlike any: rules from a migration have none, and must be loaded the first time
        self.checked_at = -math.inf
        self._by_verb = {}

    def forget_threads(self):
        """A forked process has none of its parent's threads, and one of them may have held the lock."""
        self._lock, self._loader = threading.RLock(), None


def _group(triggers):
    by_verb = defaultdict(list)
    for trigger in triggers:
        by_verb[trigger.verb].append(trigger)
    return dict(by_verb)


index = Index()
