"""Text that no column of PostgreSQL holds, and what must come of it wherever it comes in."""

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.db import models
from django.utils.connection import ConnectionDoesNotExist

from notifier.channels.storable import is_storable
from notifier.exceptions import NotifierError
from notifier.people.devices import UnusableDevice
from tests.support.marks import MARK

CHARACTERS = pytest.mark.parametrize("text", [f"{MARK}\0", f"{MARK}\ud800"], ids=["nul", "surrogate"])
# What refuses in words, for whoever calls.
REFUSALS = (NotifierError, CommandError, ConnectionDoesNotExist, UnusableDevice)
COLUMNS = (models.CharField, models.TextField, models.JSONField)


def faults(acts):
    """Name → what went wrong, of the acts that ended neither well nor in a refusal; all rows are clean."""
    found = {name: said for name, act in acts.items() if (said := _fault(act))}
    assert _unclean_columns() == set()
    return found


def _fault(act):
    try:
        answer = act()
    except REFUSALS as error:
        return "" if str(error) else "It is refused without words."
    except Exception as error:
        return ascii(error)[:120]
    return f"Status {answer.status_code}." if getattr(answer, "status_code", 0) >= 500 else ""


def _unclean_columns():
    """The columns of this app's rows with what SQLite has stored and PostgreSQL would have refused."""
    found = set()
    for model in apps.get_app_config("notifier").get_models():
        names = [field.attname for field in model._meta.concrete_fields if isinstance(field, COLUMNS)]
        for row in model.objects.values(*names):
            unclean = (name for name, value in row.items() if not all(map(is_storable, _texts_in(value))))
            found |= {f"{model.__name__}.{name}" for name in unclean}
    return found


def _texts_in(value):
    """The texts in a column's value, those deep in JSON as well."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set):
        return [text for each in value for text in _texts_in(each)]
    return [value] if isinstance(value, str) else []


def variants(value, text):
    """``(path, value)`` of plain data with ``text`` in the place of each key and of each value in turn."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    for place, each in pairs:
        changed = [((place,), text)]
        if isinstance(each, dict | list):
            changed += [((place, *path), other) for path, other in variants(each, text)]
        for path, other in changed:
            put = {place: other}
            yield path, value | put if isinstance(value, dict) else [put.get(at, old) for at, old in pairs]
        if isinstance(value, dict):
            yield (place, "key"), {text if name == place else name: old for name, old in pairs}
