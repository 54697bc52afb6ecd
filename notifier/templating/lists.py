"""Objects that a relation or a query gives, read by one query however many. Called by ``freezer``."""

from typing import Any

from django.db import models
from django.db.models.query import ModelIterable, RawQuerySet, ValuesIterable

from . import permitted, readable
from .secret_names import may_be_secret

# What a list in an event holds at most; a template that loops over more shows the first ones.
MAX_ITEMS = 500


class ReadAhead:
    """A relation whose ``all`` was read already."""

    def __init__(self, items, manager=None):
        self.items, self._manager = items, manager

    def whole(self):
        """What there is of it, which may be more than was read."""
        return self.items if len(self.items) < MAX_ITEMS else self._manager()


QUERIES = models.Manager, models.QuerySet, RawQuerySet
ROWS = *QUERIES, ReadAhead


def is_withheld(value: Any, way: str) -> bool:
    """Whether no event may hold ``value``: objects of a model that is never held, a secret's columns without
    their names, or another person on the ``way`` from the one who receives (see ``permitted.way_on``).
    """
    if isinstance(value, models.Model):
        model = value.__class__
    elif isinstance(value, QUERIES):
        model = value.model
    else:
        return False
    if permitted.is_never(model) or way == permitted.PAST_PERSON and permitted.is_person(model):
        return True
    return isinstance(value, models.QuerySet) and _gives_secrets(value)


def _gives_secrets(found: models.QuerySet) -> bool:
    """Whether it is a ``values_list`` with a secret's column in it: of ``values``, each has its name."""
    if issubclass(found._iterable_class, (ModelIterable, ValuesIterable)):  # type: ignore[attr-defined]
        return False
    names = found.query.values_select or [field.attname for field in found.model._meta.concrete_fields]
    model = found.model
    return any(
        permitted.is_withheld(model, name) or any(map(may_be_secret, name.split("__"))) for name in names
    )


def whole_of(found):
    """What may be counted, or asked for its first one: all of it."""
    if isinstance(found, ReadAhead):
        return found.whole()
    is_read = isinstance(found, RawQuerySet) or isinstance(found, models.QuerySet) and found.query.is_sliced
    return list(found) if is_read else found


def items_of(found, tree, spend_query):
    """An iterable of MAX_ITEMS objects at most, with what ``tree`` reads of each."""
    if isinstance(found, ReadAhead):
        return found.items
    if isinstance(found, models.Manager):
        found = found.all()
    if isinstance(found, models.QuerySet) and found._result_cache is None:
        spend_query()
        return bounded(found, tree)
    return found


def bounded(queryset, branch):
    """One query for the list and what its items lead to, whatever its length."""
    if issubclass(queryset._iterable_class, ModelIterable) and not queryset.query.combinator:
        related = _single_relations(queryset.model, branch)
        queryset = queryset.select_related(*related) if related else queryset
    return queryset[:MAX_ITEMS]


def _single_relations(model, tree):
    """The relations to one object that ``tree`` names, theirs as well, as ``select_related`` takes them."""
    names = []
    for name, branch in tree.items():
        if (field := readable.single_relation(model, name)) is not None:
            names += [name, *(f"{name}__{inner}" for inner in _single_relations(field.related_model, branch))]
    return names
