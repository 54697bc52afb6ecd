"""The live triggers in memory: which receivers exist and which firings match. Next hop: ``notifier.events``.

Note [when the index is loaded]: never at import or in ``ready()``. The first connection to the database loads it; after that a
process asks for the rules' version at most every REFRESH_SECONDS: at the start of a request, at the opening of a
connection, and from a background thread where a process has neither (a shell, a worker). On Lambda there is no thread:
it would sleep with the function, and every invocation opens a connection or a request.
"""

import math
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import models

from . import signals, snapshot

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
    model = snapshot.find_model(label)
    kind = found if isinstance(found, type) else type(found)
    if model is None or not issubclass(kind, model):
        return False
    # The key is text in the trigger and anything in Python (a UUID, an int): compare as the field would read it.
    return not pk or isinstance(found, models.Model) and found.pk == model._meta.pk.to_python(pk)


class Index:
    """All enabled triggers of this process, by verb, and the receivers that they need."""

    def __init__(self):
        self._lock = threading.RLock()
        self._loader = None
        self.token = None
        self.checked_at = -math.inf
        self._by_verb = {}
        self._connected = {}

    def refresh(self, *, force=False):
        """Load the triggers if they have changed. At most one small query every REFRESH_SECONDS, unless forced."""
        if not force and time.monotonic() - self.checked_at < REFRESH_SECONDS:
            return
        # Loading opens a connection, which asks for a refresh in the same thread.
        if self._loader == threading.get_ident():
            return
        # While another thread loads, the rules as they were will do; before the first load there are none.
        if not self._lock.acquire(blocking=force or self.checked_at == -math.inf):
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
            by_verb = defaultdict(list)
            for trigger in rules.load_triggers():
                by_verb[trigger.verb].append(trigger)
            self._by_verb, self.token = dict(by_verb), token
            self.reconnect()

    def find(self, verb, context, created):
        """The live triggers that this firing matches."""
        return [trigger for trigger in self._by_verb.get(verb, ()) if matches(trigger, context, created)]

    def reconnect(self):
        """Connect the receivers that live triggers need, and disconnect those that none needs any more."""
        with self._lock:
            wanted = dict(self._wanted())
            for key in self._connected.keys() - wanted.keys():
                signal, sender = self._connected.pop(key)
                signal.disconnect(sender=sender, dispatch_uid=key)
            for key in wanted.keys() - self._connected.keys():
                registered, sender = wanted[key]
                registered.signal.connect(_receiver_for(registered), sender=sender, weak=False, dispatch_uid=key)
                self._connected[key] = registered.signal, sender

    def _wanted(self):
        for verb, live in self._by_verb.items():
            registered = signals.get(verb)
            if registered is None:
                continue
            for label in {trigger.model for trigger in live}:
                model = snapshot.find_model(label) if label else None
                if registered.about_model and model is None:
                    continue
                for sender in registered.senders(model):
                    yield ("notifier", verb, sender and sender._meta.label), (registered, sender)


index = Index()


def _receiver_for(registered):
    from . import events

    def receive(sender, **kwargs):
        events.record_firing(registered, sender, kwargs)

    return receive

