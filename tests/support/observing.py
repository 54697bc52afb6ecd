"""What the caller's side leaves behind: the events that it records."""

from django.dispatch import Signal

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
