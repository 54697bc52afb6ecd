"""Freezes the data that templates and audiences read of an event into plain JSON.

What they read comes as a ``PathTree``.
"""

from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from itertools import islice
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.db.models.query import ModelIterable, RawQuerySet
from django.utils.functional import Promise

from ..exceptions import DataRefused
from . import parts, readable, rows, translated
from .codec import Decoder, Encoder
from .data import FrozenObject
from .keys import key_of
from .languages import of_the_site
from .parts import ENTRIES, Entries
from .paths import PathTree, merge_paths
from .plain import plain_scalar, unwrapped
from .stored import as_stored

__all__ = ["Decoder", "Encoder", "freeze"]

# What a list in an event holds at most; a template that loops over more shows the first ones.
MAX_ITEMS = 500
# Where an object carries, by the relation's name, a list that was read together with those of others.
READ_AHEAD = "notifier_all_"
# The tree of something that is stored as it is.
WHOLE: PathTree = {"": {}}
SCALARS = (str, bytes, bytearray, memoryview)


def freeze(context: dict[str, Any], tree: PathTree, *, fresh: bool = False) -> dict[str, Any]:
    """Resolve each path of ``tree`` on ``context`` (name → live object) once, and return nested plain
    data.

    ``fresh``: its objects were loaded a moment ago. DataRefused for what can be read only once.
    """
    with of_the_site():
        return {
            name: _freeze(context.get(name), branch, fresh)
            for name, branch in tree.items()
            if name in context
        }


class _ReadAhead:
    """A relation whose ``all`` was read already."""

    def __init__(self, items, manager=None):
        self.items, self._manager = items, manager

    def whole(self):
        """What there is of it, which may be more than was read."""
        return self.items if len(self.items) < MAX_ITEMS else self._manager()


def _freeze(value, tree, fresh):
    value = unwrapped(value)
    if isinstance(value, models.Model):
        return _freeze_object(value, tree, fresh)
    if isinstance(value, models.Manager | models.QuerySet | RawQuerySet | _ReadAhead):
        return _freeze_rows(value, tree)
    if (found := parts.live_parts(value, tree)) is not None:
        return FrozenObject(
            {name: _freeze(each, tree.get(name, WHOLE), fresh) for name, each in found.items()}
        )
    if isinstance(value, FrozenObject):
        tree = ({"model": WHOLE, "pk": WHOLE} if "" in tree else {}) | tree
        return FrozenObject({name: _freeze(value.get(name), branch, fresh) for name, branch in tree.items()})
    if isinstance(value, Mapping):
        return _freeze_mapping(value, tree, fresh)
    if isinstance(value, Sequence | Set | ValuesView) and not isinstance(value, SCALARS):
        return _freeze_list(value, tree, fresh)
    if isinstance(value, Iterator):
        # Whoever reads it takes it from the caller, and from the other receivers.
        raise DataRefused(
            f"A {type(value).__name__} can be read only once, and not by all. Send a list: list(…)."
        )
    return translated.kept(value) if isinstance(value, Promise) else plain_scalar(value)


def _freeze_object(instance, tree, fresh):
    frozen = FrozenObject(model=instance._meta.label_lower, pk=_freeze(key_of(instance), WHOLE, fresh))
    names = [name for name in tree if not name or _may_be_read(instance, name)]
    row = rows.row_of(instance, names, fresh=fresh)
    for name in names:
        if name:
            was_loaded = _is_loaded(row, name)
            frozen[name] = _freeze(_read(row, name), tree[name], fresh or not was_loaded)
        else:
            frozen[""] = plain_scalar(str(row))
    return frozen


def _may_be_read(instance, name):
    # Of each object these two are there, unless its model has something else of that name.
    if name == "pk" or name == "model" and not hasattr(instance, name):
        return False
    return readable.is_readable(instance.__class__, name)


def _freeze_rows(found, tree):
    """What a relation or a query gives. In ``instance.lines.all`` and ``instance.lines.count`` each word is a
    step of its own. Of ``all``, too, there is a count: of more than the list holds.
    """
    branch = tree.get("all", {})
    steps = _freeze_steps(found, tree, branch)
    if "all" not in tree and not (steps and tree.keys().isdisjoint(("", "*"))):
        return _freeze_items(found, tree)
    frozen = FrozenObject(steps)
    if "all" in tree:
        is_list = not branch or not branch.keys().isdisjoint(("", "*"))
        frozen["all"] = _freeze_items(found, branch) if is_list else FrozenObject(steps)
    return frozen


def _freeze_steps(found, tree, branch):
    if isinstance(found, _ReadAhead):
        found = found.whole()
    elif isinstance(found, RawQuerySet) or isinstance(found, models.QuerySet) and found.query.is_sliced:
        found = list(found)
    return {
        name: _freeze(each, merge_paths(tree.get(name, {}), branch.get(name, {})), True)
        for name, each in parts.live_steps(found, {*tree, *branch}).items()
    }


def _freeze_items(found, tree):
    branch = tree.get("*", WHOLE)
    if isinstance(found, _ReadAhead):
        found = found.items
    elif isinstance(found, models.Manager):
        found = found.all()
    if isinstance(found, models.QuerySet):
        found = _bounded(found, branch)
    return [_freeze(item, branch, True) for item in islice(found, MAX_ITEMS)]


def _bounded(queryset, branch):
    """One query for the list and what its items lead to, whatever its length; none if it was read already."""
    if queryset._result_cache is not None:
        return queryset
    if issubclass(queryset._iterable_class, ModelIterable) and not queryset.query.combinator:
        related = _single_relations(queryset.model, branch)
        queryset = queryset.select_related(*related) if related else queryset
    return queryset[:MAX_ITEMS]


def _freeze_mapping(value, tree, fresh):
    """The entries that ``tree`` names, or all."""
    if loops := [branch for name, branch in tree.items() if name in ENTRIES and name not in value]:
        return _freeze_entries(value, tree, merge_paths(*loops), fresh)
    if not tree or "" in tree or "*" in tree:
        everything = tree.get("*", {} if tree and "" not in tree else WHOLE)
        tree = {name: merge_paths(everything, tree.get(name, {})) for name in value}
    return {_key(name): _freeze(value.get(name), branch, fresh) for name, branch in tree.items()}


def _key(name):
    return str(plain_scalar(unwrapped(name)))


def _freeze_entries(value, tree, loop, fresh):
    """All entries: a template loops over them, by ``prices.items``, ``prices.keys`` or ``prices.values``."""
    items = loop.get("*", {})
    whole = merge_paths(items, items.get("*", {})) or WHOLE
    return Entries(
        (_key(name), _freeze(each, merge_paths(whole, tree.get(name, {})), fresh))
        for name, each in islice(value.items(), MAX_ITEMS)
    )


def _freeze_list(items, tree, fresh):
    found = [tree[step] for step in ("*", "first", "last") if step in tree]
    branch, items = merge_paths(*found) if found else WHOLE, list(islice(items, MAX_ITEMS))
    rows.read_ahead([item for item in items if isinstance(item, models.Model)], branch)
    return [_freeze(item, branch, fresh) for item in items]


def _is_loaded(instance, name):
    """Whether the object that ``name`` leads to, if it leads to one, is in memory already."""
    field = readable.single_relation(instance.__class__, name)
    return field is None or field.is_cached(instance)


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
    return as_stored(_column(instance, name), value, rows.database_of(instance))


def _column(instance, name):
    try:
        return instance._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _single_relations(model, tree):
    """The relations to one object that ``tree`` names, theirs as well, as ``select_related`` takes them."""
    names = []
    for name, branch in tree.items():
        if (field := readable.single_relation(model, name)) is not None:
            names += [name, *(f"{name}__{inner}" for inner in _single_relations(field.related_model, branch))]
    return names
