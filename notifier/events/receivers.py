"""The receivers that the live triggers need, and no others. Calls ``firings``, which records what they
hear.
"""

from django.db.models import signals as db

from ..rules import signals
from ..templating import readable
from . import firings, previous


class Receivers:
    """The receivers that this process has connected: one for each (signal, sender) pair that a trigger
    names.
    """

    def __init__(self):
        self._connected = {}

    def keep(self, rules):
        """Connect what ``rules``, each verb → triggers, need, and disconnect the rest."""
        wanted = {key: found for by_verb in rules for key, found in _wanted(by_verb)}
        for key in self._connected.keys() - wanted.keys():
            signal, sender = self._connected.pop(key)
            signal.disconnect(sender=sender, dispatch_uid=key)
        for key in wanted.keys() - self._connected.keys():
            registered, sender = wanted[key]
            registered.signal.connect(_receiver_for(registered), sender=sender, weak=False, dispatch_uid=key)
            self._connected[key] = registered.signal, sender


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
                    yield ("notifier", each.name, sender and sender._meta.label), (each, sender)


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
        record(registered, sender, kwargs)

    def receive_pre_save(sender, **kwargs):
        previous.remember(sender, kwargs)
        record(registered, sender, kwargs)

    def receive_post_save(sender, **kwargs):
        record(registered, sender, kwargs)
        previous.forget(kwargs["instance"])

    about_saves = {"pre_save": receive_pre_save, "post_save": receive_post_save}
    return about_saves.get(registered.name, receive)
