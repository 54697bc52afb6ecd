"""Freezes the data that templates and audiences read of an event into plain JSON.

What they read comes as a ``PathTree``.
"""

import datetime as dt
import json
import math
import uuid
from contextlib import suppress
from decimal import Decimal
from types import NoneType
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, ValidationError
from django.db import models
from django.utils.functional import Promise

from . import parts, readable, translated
from .compiler import FrozenObject
from .languages import of_the_site
from .paths import PathTree, merge_paths

# What a list in an event holds at most; a template that loops over more shows the first ones.
MAX_ITEMS = 500
# Where an object carries, by the relation's name, a list that was read together with those of others.
READ_AHEAD = "notifier_all_"
# The tree of something that is stored as it is.
WHOLE: PathTree = {"": {}}


def freeze(context: dict[str, Any], tree: PathTree) -> dict[str, Any]:
    """Resolve each path of ``tree`` on ``context`` (name → live object) once, and return nested plain
    data.
    """
    with of_the_site():
        return {name: _freeze(context.get(name), branch) for name, branch in tree.items() if name in context}


class _ReadAhead:
    """A relation whose ``all`` was read already."""

    def __init__(self, items, manager=None):
        self.items, self._manager = items, manager

    def whole(self):
        """What there is of it, which may be more than was read."""
        return self.items if len(self.items) < MAX_ITEMS else self._manager()


def _freeze(value, tree):
    if isinstance(value, models.Model):
        return _freeze_object(value, tree)
    if isinstance(value, models.Manager | models.QuerySet | _ReadAhead):
        return _freeze_relation(value, tree)
    if (found := parts.live_parts(value, tree)) is not None:
        return FrozenObject({name: _freeze(each, tree.get(name, WHOLE)) for name, each in found.items()})
    if isinstance(value, dict):
        whole = "" in tree or not tree
        branches = {key: WHOLE for key in value} if whole else tree
        return {str(key): _freeze(value.get(key), branch) for key, branch in branches.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _freeze_list(value, tree)
    if isinstance(value, NoneType):
        # By `isinstance`, as a lazy actor that is nobody passes itself off as None.
        return None
    if isinstance(value, int | Decimal | dt.date | dt.time | dt.timedelta | uuid.UUID):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Promise):
        return translated.kept(value)
    # Neither "not a number" nor a NUL character can be stored as JSON.
    return (value if isinstance(value, str) else str(value)).replace("\0", "")


def _freeze_object(instance, tree):
    frozen = FrozenObject(model=instance._meta.label_lower, pk=instance.pk)
    if "" in tree:
        frozen[""] = str(instance)
    for name, branch in tree.items():
        if name and readable.is_readable(instance.__class__, name):
            frozen[name] = _freeze(_read(instance, name), branch)
    return frozen


def _freeze_relation(value, tree):
    """``instance.lines.all``, ``instance.lines.count``: each word is a step of its own in the tree.

    Of ``all``, too, there is a count: of more than the list holds.
    """
    branch = tree.get("all", {})
    found = parts.live_steps(value.whole() if isinstance(value, _ReadAhead) else value, {*tree, *branch})
    frozen = {
        name: _freeze(each, merge_paths(tree.get(name, {}), branch.get(name, {})))
        for name, each in found.items()
    }
    if "all" in tree:
        is_list = not branch or not branch.keys().isdisjoint(("", "*"))
        items = value.items if isinstance(value, _ReadAhead) else value
        frozen["all"] = _freeze_list(items, branch) if is_list else FrozenObject(frozen)
    return FrozenObject(frozen)


def _freeze_list(items, tree):
    branch = tree.get("*", WHOLE)
    if isinstance(items, models.Manager):
        items = items.all()
    if isinstance(items, models.QuerySet):
        # One query for the list and what its items lead to, whatever its length.
        related = _single_relations(items.model, branch)
        items = (items.select_related(*related) if related else items)[:MAX_ITEMS]
    return [_freeze(item, branch) for item in list(items)[:MAX_ITEMS]]


def _read(instance, name):
    if (ahead := instance.__dict__.get(READ_AHEAD + name)) is not None:
        return _ReadAhead(ahead, lambda: getattr(instance, name))
    if name.endswith("_display") and (label := translated.label_of(instance, name)) is not None:
        return label
    try:
        value = getattr(instance, name)
    except ObjectDoesNotExist:
        # A reverse one-to-one relation that leads nowhere.
        return None
    except ValueError:
        if instance.pk is None:
            return _ReadAhead([])
        raise
    if isinstance(value, models.Manager):
        # Before the first save nothing is related to it, and Django refuses to look: here, or just above.
        return _ReadAhead([]) if instance.pk is None else value
    if callable(value):
        return value()
    return as_stored(_column(instance, name), value) if isinstance(value, str | int | float) else value


def _column(instance, name):
    try:
        return instance._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def as_stored(field, value):
    """``value`` as the database gives it back: code may have assigned "12.50" to a decimal field.

    Only for fields of Django's own.
    """
    if (
        field is None
        or field.is_relation
        and not field.concrete
        or not type(field).__module__.startswith("django.")
    ):
        return value
    # What is not of the field's kind cannot have been saved: an expression, for example.
    with suppress(ValidationError, TypeError, ValueError):
        return field.to_python(value)
    return value


def _single_relations(model, tree):
    """The relations to one object that ``tree`` names, theirs as well, as ``select_related`` takes them."""
    names = []
    for name, branch in tree.items():
        if (field := readable.single_relation(model, name)) is not None:
            names += [name, *(f"{name}__{inner}" for inner in _single_relations(field.related_model, branch))]
    return names


_TYPES = {
    "decimal": Decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda seconds: dt.timedelta(seconds=seconds),
    "uuid": uuid.UUID,
    "translated": translated.restored,
}


class Encoder(json.JSONEncoder):
    """Keeps the types that filters such as ``date`` need: ``{"$t": "date", "v": "2026-01-31"}``."""

    def default(self, value):
        match value:
            case Decimal() | uuid.UUID():
                return {"$t": type(value).__name__.lower(), "v": str(value)}
            case dt.datetime() | dt.date() | dt.time():
                return {"$t": type(value).__name__, "v": value.isoformat()}
            case dt.timedelta():
                return {"$t": "timedelta", "v": value.total_seconds()}
            case Promise():
                return translated.as_stored(value)
        return super().default(value)


class Decoder(json.JSONDecoder):
    """The way back from ``Encoder``."""

    def __init__(self, **options):
        super().__init__(object_hook=_thaw, **options)


def _thaw(found):
    if found.keys() == {"$t", "v"} and found["$t"] in _TYPES:
        # In somebody's own JSON it can mean anything.
        with suppress(ValueError, TypeError, ArithmeticError, AttributeError):
            return _TYPES[found["$t"]](found["v"])
    return FrozenObject(found) if "model" in found and "pk" in found or "" in found else found
