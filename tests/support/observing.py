"""What the caller's side leaves behind: the events that it records."""

import pytest
from django.dispatch import Signal

from notifier.events.index import index
from notifier.models import Event
from notifier.rules import signals


def recorded():
    """``(verb, action object)`` of every event, oldest first."""
    return list(Event.objects.order_by("pk").values_list("verb", "action_object"))


def data_of_the_event():
    """The frozen data of the only event."""
    return Event.objects.get().data


def register(name, *, args=(), signal=None):
    """A registered signal of a test's own; ``name`` must be one that no other test uses."""
    signal = signal or Signal()
    signals.register_signal(name, signal, args=args)
    return signal


@pytest.fixture
def registering(monkeypatch):
    """A function as ``register_signal``, of a new signal, for one test alone; returns the signal."""
    monkeypatch.setattr(signals, "_registry", dict(signals._registry))

    def register(name, *args, **options):
        signal = Signal()
        signals.register_signal(name, signal, *args, **options)
        return signal

    yield register
    index.forget()
    index.announce()
