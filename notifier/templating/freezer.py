"""Freezes one value after the other into plain data. Called by ``snapshot``.

Asks ``permitted`` what no event may hold, and counts on a ``Budget`` what it reads.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from decimal import Decimal
from itertools import islice

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.utils.functional import Promise

from ..exceptions import DataRefused
from . import columns, lists, parts, permitted, readable, rows, translated
from .budget import Budget
from .data import FrozenObject
from .keys import key_of
from .lists import MAX_ITEMS, ROWS, ReadAhead
from .parts import ENTRIES, Entries
from .paths import PathTree, merge_paths
from .plain import plain_scalar, unwrapped
from .secret_names import may_be_secret
from .stored import as_stored

# Where an object carries, by the relation's name, a list that was read together with those of others.
READ_AHEAD = "notifier_all_"
# The tree of something that is stored as it is.
WHOLE: PathTree = {"": {}}
# Sequences that are one value.
TEXTS = (str, bytes, bytearray, memoryview)
# The commonest values, which need not be asked what they are.
SCALARS = frozenset({str, int, bool, float, Decimal, type(None), dt.datetime, dt.date})
# A way that starts at no person who receives.
ANYWHERE = ""


class Freezer:
    """One freeze and what it has spent.

    ``fresh``: an object was loaded a moment ago. ``way``: where a way from the person who receives stands, or
    ANYWHERE; see ``permitted.way_on``.
    """

    def __init__(self):
        self.budget = Budget()

    def freeze(self, value, tree, fresh, way):
        if type(value) in SCALARS:
            return self._scalar(value)
        value = unwrapped(value)
        if lists.is_withheld(value, way):
            return None
        if isinstance(value, models.Model):
            return self._inside(self._object, value, tree, fresh, way)
        if isinstance(value, ROWS):
            return self._rows(value, tree, way)
        if (found := parts.live_parts(value, tree)) is not None:
            return FrozenObject(
                {name: self.freeze(each, tree.get(name, WHOLE), fresh, way) for name, each in found.items()}
            )
        if isinstance(value, FrozenObject):
            return self._inside(self._frozen, value, tree, fresh, way)
        if isinstance(value, Mapping):
            return self._inside(self._mapping, value, tree, fresh, way)
        if isinstance(value, Sequence | Set | ValuesView) and not isinstance(value, TEXTS):
            return self._inside(self._list, value, tree, fresh, way)
        if isinstance(value, Iterator):
            # Whoever reads it takes it from the caller, and from the other receivers.
            raise DataRefused(
                f"A {type(value).__name__} can be read only once, and not by all. Send a list: list(…)."
            )
        return self._scalar(value)

    def _inside(self, freeze, value, tree, fresh, way):
        self.budget.go_down()
        found = freeze(value, tree, fresh, way)
        self.budget.depth -= 1
        return found

    def _scalar(self, value):
        self.budget.spend_scalar(value)
        if not isinstance(value, Promise):
            return plain_scalar(value)
        return translated.kept(value)

    def _frozen(self, value, tree, fresh, way):
        tree = ({"model": WHOLE, "pk": WHOLE} if "" in tree else {}) | tree
        return FrozenObject(
            {
                name: self.freeze(value.get(name), branch, fresh, way)
                for name, branch in tree.items()
                if not may_be_secret(name)
            }
        )

    def _object(self, instance, tree, fresh, way):
        self.budget.spend_object()
        frozen = FrozenObject(
            model=instance._meta.label_lower, pk=self.freeze(key_of(instance), WHOLE, fresh, way)
        )
        if (values := columns.plain_values(instance, tree)) is not None:
            frozen.update({name: self._scalar(value) for name, value in values.items()})
            return frozen
        names = [name for name in tree if not name or _may_be_read(instance, name, way)]
        row = rows.row_of(instance, names, fresh=fresh)
        for name in names:
            if name:
                was_loaded = _is_loaded(row, name)
                if not was_loaded:
                    self.budget.spend_query()
                ahead = way and permitted.way_on(instance.__class__, name, way)
                value = self._read(row, name)
                frozen[name] = self.freeze(value, tree[name], fresh or not was_loaded, ahead)
            else:
                frozen[""] = self._scalar(str(row))
        return frozen

    def _rows(self, found, tree, way):
        """What a relation or a query gives. In ``instance.lines.all`` and ``instance.lines.count`` each word
        is a step of its own. Of ``all``, too, there is a count: of more than the list holds.
        """
        branch = tree.get("all", {})
        steps = self._steps(found, tree, branch, way)
        if "all" not in tree and not (steps and tree.keys().isdisjoint(("", "*"))):
            return self._items(found, tree, way)
        frozen = FrozenObject(steps)
        if "all" in tree:
            is_list = not branch or not branch.keys().isdisjoint(("", "*"))
            frozen["all"] = self._items(found, branch, way) if is_list else FrozenObject(steps)
        return frozen

    def _steps(self, found, tree, branch, way):
        names = {*tree, *branch}
        if names.isdisjoint(parts.OF_LIST):
            return {}
        steps = {}
        for name, each in parts.live_steps(lists.whole_of(found), names).items():
            self.budget.spend_query()
            merged = merge_paths(tree.get(name, {}), branch.get(name, {}))
            steps[name] = self.freeze(each, merged, True, way)
        return steps

    def _items(self, found, tree, way):
        branch = tree.get("*", WHOLE)
        items = lists.items_of(found, branch, self.budget.spend_query)
        return self._each(islice(items, MAX_ITEMS), branch, True, way)

    def _each(self, items, branch, fresh, way):
        return [self.freeze(item, branch, fresh, way) for item in items if not lists.is_withheld(item, way)]

    def _mapping(self, value, tree, fresh, way):
        """The entries that ``tree`` names, or all; none that may be a secret."""
        if loops := [branch for name, branch in tree.items() if name in ENTRIES and name not in value]:
            return self._entries(value, tree, merge_paths(*loops), fresh, way)
        names, everything = tree, None
        if not tree or "" in tree or "*" in tree:
            names, everything = value, tree.get("*", {} if tree and "" not in tree else WHOLE)
        return {
            key: self.freeze(value.get(name), _both(everything, tree.get(name)), fresh, way)
            for name in names
            if (key := self._key(name)) is not None
        }

    def _key(self, name):
        """The text of a dictionary's key; None where it may be a secret's."""
        key = str(self._scalar(unwrapped(name)))
        return None if may_be_secret(key) else key

    def _entries(self, value, tree, loop, fresh, way):
        """All entries, where a template loops over ``prices.items``, ``prices.keys`` or ``prices.values``."""
        items = loop.get("*", {})
        whole = merge_paths(items, items.get("*", {})) or WHOLE
        return Entries(
            (key, self.freeze(each, _both(whole, tree.get(name)), fresh, way))
            for name, each in islice(value.items(), MAX_ITEMS)
            if (key := self._key(name)) is not None
        )

    def _list(self, items, tree, fresh, way):
        found = [tree[step] for step in ("*", "first", "last") if step in tree]
        branch, items = merge_paths(*found) if found else WHOLE, list(islice(items, MAX_ITEMS))
        rows.read_ahead([item for item in items if isinstance(item, models.Model)], branch)
        return self._each(items, branch, fresh, way)

    def _read(self, instance, name):
        if (ahead := instance.__dict__.get(READ_AHEAD + name)) is not None:
            return ReadAhead(ahead, lambda: getattr(instance, name))
        if name.endswith("_display") and (label := translated.label_of(instance, name)) is not None:
            return label
        try:
            value = getattr(instance, name)
        except ObjectDoesNotExist:
            # A reverse one-to-one relation that leads nowhere.
            return None
        except ValueError:
            if instance.pk is None:
                return ReadAhead([])
            raise
        if isinstance(value, models.Manager):
            # Before the first save nothing is related to it, and Django refuses to look: here, or just above.
            return ReadAhead([]) if instance.pk is None else value
        if callable(value):
            return value()
        if isinstance(value, dict | list | tuple):
            self.budget.weigh(value)
        return as_stored(_column(instance, name), value, rows.database_of(instance))


def _both(everything, branch):
    """What is read of an entry: by its name, and as of each."""
    return merge_paths(everything, branch) if everything and branch else branch or everything or {}


def _may_be_read(instance, name, way):
    # Of each object these two are there, unless its model has something else of that name.
    if name == "pk" or name == "model" and not hasattr(instance, name):
        return False
    model = instance.__class__
    return readable.is_readable(model, name) and (not way or bool(permitted.way_on(model, name, way)))


def _is_loaded(instance, name):
    """Whether the object that ``name`` leads to, if it leads to one, is in memory already."""
    field = readable.single_relation(instance.__class__, name)
    return field is None or field.is_cached(instance)


def _column(instance, name):
    try:
        return instance._meta.get_field(name)
    except FieldDoesNotExist:
        return None
