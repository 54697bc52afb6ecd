"""What the caller's side leaves behind: the statements that a block runs, and the events that it records."""

import re
from contextlib import contextmanager

from django.db import connections
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from notifier import signals
from notifier.models import Event

_TABLE = re.compile(r'(?:FROM|INTO|UPDATE) "(\w+)"')


@contextmanager
def statements(using="default"):
    """Yield a list that holds, after the block, each statement's first word and its table: ``"INSERT notifier_event"``."""
    found = []
    with CaptureQueriesContext(connections[using]) as queries:
        yield found
    found += [_describe(query["sql"]) for query in queries]


def _describe(sql):
    table = _TABLE.search(sql)
    return f"{sql.split()[0]} {table[1]}" if table else sql.split()[0]


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
