"""The receivers that the live triggers need, and no others. Calls ``firings``, which records what they
hear.

Note [before the rules are read]: a trigger could be about anything, so every signal of every model has its
receiver; the first that hears something has the rules read, which leaves those that a trigger names. None is
exchanged for another, so of a signal that another thread sends at that moment nothing is missed or doubled.
Only an object that is made in memory has none, ``pre_init`` and ``post_init``: Django's own checks make some.
"""

from functools import cache
from itertools import chain

from django.db import connections
from django.db.models import signals as db

from ..rules import signals
from ..templating import readable
from . import firings, previous
from .first_look import look


class Receivers:
    """The receivers that this process has connected: one for each (signal, sender) pair that a trigger
    names, or could name. See note [before the rules are read].
    """

    def __init__(self):
        self._connected = {}

    def keep(self, rules):
        """Connect what ``rules``, each verb → triggers, need, and disconnect the rest; None: any rules."""
        wanted = dict(_possible() if rules is None else chain.from_iterable(map(_wanted, rules)))
        # In the order of connecting, in which a signal finds them soonest.
        for key in [key for key in self._connected if key not in wanted]:
            signal, sender = self._connected.pop(key)
            signal.disconnect(sender=sender, dispatch_uid=key[:2])
        receiver = cache(lambda name: _receiver_for(_registered(name)))
        for key, (registered, sender) in wanted.items():
            if key not in self._connected:
                registered.signal.connect(
                    receiver(registered.name), sender=sender, weak=False, dispatch_uid=key[:2]
                )
                self._connected[key] = registered.signal, sender


def _possible():
    """As ``_wanted``, for all that triggers could name."""
    for registered in map(_registered, [*signals.names(), signals.SAVED.name]):
        for sender in registered.all_senders():
            yield _key(registered, sender), (registered, sender)


def _registered(name):
    return signals.get(name) or signals.SAVED


def _key(registered, sender):
    return "notifier", registered.name, sender and sender._meta.label


def _wanted(by_verb):
    for verb, live in by_verb.items():
        registered = signals.get(verb)
        if registered is None:
            continue
        for label in {trigger.model for trigger in live}:
            model = readable.find_model(label) if label else None
            if registered.about_model and model is None:
                continue
            for each in _needed(
                registered, any(trigger.previous_names for trigger in live if trigger.model == label)
            ):
                for sender in each.senders(model):
                    yield _key(each, sender), (each, sender)


def _needed(registered, reads_previous):
    """The signals to listen to for a trigger of ``registered``: what was before a save is read before it, and
    dropped after it.
    """
    needed = [registered]
    if registered.signal in (db.pre_save, db.m2m_changed):
        needed.append(signals.SAVED)
    if reads_previous and signals.is_about_save(registered):
        needed += [signals.get("pre_save"), signals.get("post_save")]
    return needed


def _receiver_for(registered):
    record = firings.note_saved if registered is signals.SAVED else firings.record_firing

    def receive(sender, **kwargs):
        look()
        record(registered, sender, kwargs)

    def receive_connection(sender, **kwargs):
        # Another than the project's must not open ours: by such a one, PostgreSQL drops a test's database,
        # while nobody is connected to it.
        if kwargs["connection"] in connections.all(initialized_only=True):
            receive(sender, **kwargs)

    def receive_pre_save(sender, **kwargs):
        look()
        previous.remember(sender, kwargs)
        record(registered, sender, kwargs)

    def receive_post_save(sender, **kwargs):
        look()
        record(registered, sender, kwargs)
        previous.forget(kwargs["instance"])

    own = {
        "connection_created": receive_connection,
        "pre_save": receive_pre_save,
        "post_save": receive_post_save,
    }
    return own.get(registered.name, receive)
