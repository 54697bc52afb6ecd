"""The gates stand in one visible list, under one name and one signature."""

import inspect
import pkgutil
from importlib import import_module

import pytest

from notifier import gates
from notifier.gates.table import FINAL_GATES, TIMELY_GATES

LISTED = [*FINAL_GATES, *TIMELY_GATES]
MODULES = [import_module(f"notifier.gates.{each.name}") for each in pkgutil.iter_modules(gates.__path__)]


@pytest.mark.parametrize("gate", LISTED, ids=lambda gate: gate.__name__)
def test_a_gate_refuses_candidates_on_a_channel(gate):
    assert list(inspect.signature(gate.refuse).parameters) == ["candidates", "channel"]
    assert gate.refuse([], "email") == []


def test_every_gate_that_is_there_is_asked_once():
    """A file that refuses and is not in the list would let everything through."""
    there = [module for module in MODULES if hasattr(module, "refuse")]
    assert sorted(each.__name__ for each in LISTED) == sorted(each.__name__ for each in there)
