"""The live triggers in memory: which receivers exist and which firings match. Next hop: ``notifier.events``.

Note [when the index is loaded]: never at import or in ``ready()``. The first connection to the database loads it; after that a
process asks for the rules' version at most every REFRESH_SECONDS: at the start of a request, at the opening of a
connection, and from a background thread where a process has neither (a shell, a worker). On Lambda there is no thread:
it would sleep with the function, and every invocation opens a connection or a request.

Note [drafts]: a transaction that changes rules goes by them at once, and alone: until the commit they are a draft of its own thread.
The draft is the transaction's commit hook itself, so a rollback, of a savepoint too, throws it away without telling anybody.
"""

import math
import threading
import time
import weakref
from collections import defaultdict
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import connections, models, router

from . import readable
from .receivers import Receivers

# A change must be live everywhere within 5 s, and the background thread may come just too early once.
REFRESH_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class LiveTrigger:
    """A trigger as the index holds it. ``plan`` and ``paths`` are what its events will store."""

    pk: int
    verb: str
    model: str = ""
    object_pk: str = ""
    on: str = "any"
    actor_model: str = ""
    actor_pk: str = ""
    target: str = ""
    shadow: bool = False
    plan: list = field(default_factory=list)
    paths: dict = field(default_factory=dict)
    recipient_paths: dict = field(default_factory=dict)


def matches(trigger, context, created):
    """Whether a firing with ``context`` (see ``signals.context_of``) is one of ``trigger``'s. Pure; no query.

    ``created`` is True or False for a save, None for any other signal.
    """
    if trigger.on != "any" and created is not None and created != (trigger.on == "created"):
        return False
    if trigger.target and str(context["target"]) != trigger.target:
        return False
    return _is_one(context["action_object"], trigger.model, trigger.object_pk) and _is_one(
        context["actor_object"], trigger.actor_model, trigger.actor_pk
    )


def _is_one(found, label, pk):
    """Whether ``found`` (an instance, a model, or anything) is of the model ``label`` and, if given, has the key ``pk``."""
    if not label:
        return True
    model = readable.find_model(label)
    # `__class__`, not type(): the user of a request is a lazy object that passes itself off as a user by it.
    kind = found if isinstance(found, type) else found.__class__
    if model is None or not issubclass(kind, model):
        return False
    return not pk or isinstance(found, models.Model) and _is_key(model, pk, found.pk)


def _is_key(model, pk, found):
    """Whether two keys are the same for ``model``. One is text, the other may be (a UUID from a URL), or an int, or None."""
    try:
        return found is not None and model._meta.pk.to_python(found) == model._meta.pk.to_python(pk)
    except ValidationError:
        # A trigger that was not validated matches nothing; it must not stop the others.
        return False


class Draft:
    """The rules as an open transaction has changed them. See note [drafts]."""

    def __init__(self, connection):
        from . import rules

        self.by_verb, self._connection = _group(rules.load_triggers()), connection
        connection.notifier_drafting = True
        connection.on_commit(self.end, robust=True)

    def end(self):
        # Inside a TestCase, hooks run while the transaction is still open: it goes on by its draft.
        if not self._connection.in_atomic_block:
            self._connection.notifier_drafting = False
            index.drop(self)


def rules_connection():
    """This thread's connection to the database that holds the rules."""
    from .models import RulesVersion

    return connections[router.db_for_write(RulesVersion)]


def _open_draft():
    """The Draft that this thread's open transaction goes by, or None."""
    connection = rules_connection()
    if not getattr(connection, "notifier_drafting", False):
        return None
    owners = (getattr(hook, "__self__", None) for _, hook, _ in reversed(connection.run_on_commit))
    return next((owner for owner in owners if isinstance(owner, Draft)), None)


class Index:
    """All enabled triggers of this process, by verb, and the receivers that they need."""

    def __init__(self):
        self.forget_threads()
        # Nobody but its transaction's hooks holds a draft, so it leaves with them.
        self._drafts = weakref.WeakSet()
        self.token = ""  # unlike any: rules from a migration have none, and must be loaded the first time
        self.checked_at = -math.inf
        self._by_verb = {}
        self._receivers = Receivers()

    def refresh(self, *, now=False, force=False):
        """Load the triggers if they have changed. At most one small query every REFRESH_SECONDS, unless it is to be ``now``.

        ``force`` loads them also where they have not changed.
        """
        now = now or force
        if not now and time.monotonic() - self.checked_at < REFRESH_SECONDS:
            return
        # Loading opens a connection, which asks for a refresh in the same thread. And what only a draft knows is not for all threads.
        if self._loader == threading.get_ident() or not force and _open_draft():
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

    def _load(self, force):
        from . import rules

        token = rules.read_token()
        if force or token != self.token:
            self._by_verb, self.token = _group(rules.load_triggers()), token
            self.reconnect()

    def draft(self, connection):
        """Go by the rules as ``connection``'s open transaction sees them, in this thread, until it ends. See note [drafts]."""
        self._drafts.add(Draft(connection))
        self.reconnect()

    def drop(self, draft):
        """Its transaction is committed: from now on all threads go by what it has changed."""
        self._drafts.discard(draft)
        self.refresh(now=True)
        self.reconnect()

    def find(self, verb, context, created):
        """The live triggers that this firing matches."""
        return [trigger for trigger in self._rules().get(verb, ()) if matches(trigger, context, created)]

    def _rules(self):
        if draft := _open_draft():
            return draft.by_verb
        connection = rules_connection()
        if getattr(connection, "notifier_drafting", False):
            # Rolled back, or being committed by hooks that come before the draft's own.
            connection.notifier_drafting = False
            self.refresh(now=True)
            self.reconnect()
        return self._by_verb

    def reconnect(self):
        """Connect the receivers that live triggers and drafts need, and disconnect those that none needs any more."""
        with self._lock:
            self._receivers.keep([self._by_verb, *(draft.by_verb for draft in list(self._drafts))])

    def forget_threads(self):
        """A forked process has none of its parent's threads, and one of them may have held the lock."""
        self._lock, self._loader = threading.RLock(), None


def _group(triggers):
    by_verb = defaultdict(list)
    for trigger in triggers:
        by_verb[trigger.verb].append(trigger)
    return dict(by_verb)


index = Index()
