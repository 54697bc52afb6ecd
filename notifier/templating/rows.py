"""The row behind an object, where the object in memory is not what its row holds.

Called by ``snapshot`` and ``events.recipients``; ``events.firings`` and ``events.emission`` say of which
firing it is.

Note [read back]: a column that was given an expression (``F("stock") - 1``) holds that expression until the
object is loaded again, and a generated column the value of before. Where such a column is read, it is read
from the database: by one query for an object and a firing, and none otherwise. Before a save the database
says what the save would make of the row as it is; of a new object nothing is known yet.
The caller's object is never changed: what was read stands in a copy.
"""

import copy
from collections.abc import Collection, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import models, router
from django.db.models import ExpressionWrapper, F, Value
from django.db.models.expressions import DatabaseDefault

from .fields import accessor_of
from .keys import key_of
from .stored import is_expression


@dataclass(kw_only=True, eq=False)
class Firing:
    """What is known of the objects of one firing, and the copies that were read for them.

    ``instance``: the object that the signal is about, on the database ``using``. ``is_unsaved``: it is about
    to be saved, all of it or its ``update_fields``. ``is_gone``: it was deleted.
    """

    instance: models.Model | None = None
    using: str | None = None
    is_unsaved: bool = False
    is_gone: bool = False
    update_fields: Collection[str] | None = None
    # The object's id → the object, the copy, and the columns that are the row's in it.
    read: dict[int, tuple[models.Model, models.Model, set[str]]] = field(default_factory=dict)
    # The id of an object that was loaded a moment ago → it.
    trusted: dict[int, models.Model] = field(default_factory=dict)

    def database_of(self, instance: models.Model) -> str:
        if instance is self.instance and self.using:
            return self.using
        return router.db_for_write(instance.__class__, instance=instance)

    def is_before(self, instance: models.Model) -> bool:
        return self.is_unsaved and instance is self.instance


_firing: ContextVar[Firing | None] = ContextVar("notifier_firing", default=None)


@contextmanager
def of_one_firing(**known):
    """Inside it, a row is read once. ``known``: the fields of ``Firing``."""
    token = _firing.set(Firing(**known))
    try:
        yield
    finally:
        _firing.reset(token)


def database_of(instance: models.Model) -> str:
    """The database that holds, or will hold, the row of ``instance``."""
    return (_firing.get() or Firing()).database_of(instance)


def row_of(instance: models.Model, names: Iterable[str], *, fresh: bool = False) -> models.Model:
    """``instance``, or a copy of it in which the columns behind ``names`` are those of its row.

    ``fresh``: it was loaded a moment ago. See note [read back].
    """
    firing = _firing.get() or Firing()
    if fresh or id(instance) in firing.trusted:
        return instance
    _, row, known = firing.read.get(id(instance), (instance, instance, set()))
    if columns := _doubtful(row, names, known):
        row = _keep(firing, instance, columns, _read(firing, [instance], columns).get(id(instance), {}))
    if not (later := _read_when_asked(firing, row, names, known)):
        return row
    row = _keep(firing, instance, [], {})
    for column in later:
        # Django loads what is not there, if a text or a method asks for it.
        row.__dict__.pop(column.attname, None)
    return row


def read_ahead(instances: list[models.Model], names: Iterable[str]) -> None:
    """Read the rows of several objects of one model by one query, where ``row_of`` would ask for each."""
    firing = _firing.get()
    if firing is None or len({each.__class__ for each in instances}) != 1:
        return
    new = [each for each in instances if id(each) not in firing.read and not firing.is_before(each)]
    columns = list(dict.fromkeys(column for each in new for column in _doubtful(each, names, set())))
    found = _read(firing, new, columns) if columns else {}
    for each in new if columns else ():
        _keep(firing, each, columns, found.get(id(each), {}))


def trust(instances: list[models.Model]) -> None:
    """Take ``instances`` for their rows: they were loaded a moment ago."""
    if (firing := _firing.get()) is not None:
        firing.trusted |= {id(each): each for each in instances}


def asks(instance: Any, names: Iterable[str]) -> bool:
    """Whether ``row_of`` may ask the database."""
    return isinstance(instance, models.Model) and bool(_doubtful(instance, names, set()))


def _doubtful(instance, names, known):
    """The columns behind ``names`` whose value in memory may not be that of the row."""
    columns, found = _columns_by_name(instance.__class__), {}
    for name in names:
        if name not in columns:
            # Its text, or a method of its own: nobody knows what that reads.
            found |= {each: None for each in columns.values() if each and _holds_expression(instance, each)}
        elif (column := columns[name]) is not None and (
            column.generated or _holds_expression(instance, column)
        ):
            found[column] = None
    return [column for column in found if column.attname not in known]


def _holds_expression(instance, column):
    return is_expression(instance.__dict__.get(column.attname))


def _read_when_asked(firing, instance, names, known):
    """The generated columns that a text or a method of a saved object may read."""
    columns = _columns_by_name(instance.__class__)
    if all(name in columns for name in names) or instance._state.adding or not instance._is_pk_set():
        return []
    if firing.is_gone or firing.is_unsaved:
        return []
    generated = {each for each in columns.values() if each is not None and each.generated}
    return [each for each in generated if each.attname not in known and each.attname in instance.__dict__]


@lru_cache(maxsize=1024)
def _columns_by_name(model):
    """Name → column, by its own name, by its attribute's and by that of a choice's label; None for what leads
    to other objects, or is always there.
    """
    found = {"pk": None, "model": None}
    for each in model._meta.get_fields():
        if each.concrete and not each.many_to_many and hasattr(each, "attname"):
            found |= {each.name: each, each.attname: each, f"get_{each.name}_display": each}
        else:
            found[accessor_of(each)] = None
    return found


def _keep(firing, instance, columns, values):
    """The copy of ``instance``, in which ``columns`` have ``values``; None where there is no row."""
    _, row, known = firing.read.get(id(instance), (instance, None, set()))
    row = copy.copy(instance) if row is None else row
    for column in columns:
        row.__dict__[column.attname] = values.get(column.attname)
        if column.is_relation and column.is_cached(row):
            column.delete_cached_value(row)
    known = known | {column.attname for column in columns}
    # With the object itself: while it is there, no other has its id.
    firing.read[id(instance)] = instance, row, known
    return row


def _read(firing, instances, columns):
    """An object's id → attribute → value, of those that have a row."""
    first = instances[0]
    if firing.is_before(first):
        return {id(first): _foreseen(firing, first, columns)}
    if firing.is_gone and first is firing.instance:
        return {}
    ids = {key: id(each) for each in instances if (key := key_of(each)) is not None}
    rows = first.__class__._base_manager.using(firing.database_of(first)).filter(pk__in=list(ids))
    return {ids[row["pk"]]: row for row in rows.values("pk", *(column.attname for column in columns))}


def _foreseen(firing, instance, columns):
    """What the save of ``instance`` will make of ``columns``: attribute → value."""
    expressions, found = {}, {}
    for column in columns:
        expression = _expression(firing, instance, column)
        if isinstance(expression, Value):
            found[column.attname] = expression.value
        else:
            wrapped = ExpressionWrapper(expression, output_field=_output_of(column))
            expressions[f"notifier_{column.attname}"] = wrapped
    if not expressions or instance._state.adding or key_of(instance) is None:
        return found
    rows = instance.__class__._base_manager.using(firing.database_of(instance)).filter(pk=key_of(instance))
    row = rows.values(**expressions).first() or {}
    return found | {alias.removeprefix("notifier_"): value for alias, value in row.items()}


def _output_of(column):
    while column.is_relation:
        column = column.target_field
    return column.output_field if column.generated else column


def _expression(firing, instance, column):
    """The expression that the save stores in ``column``."""
    if column.generated:
        inputs = [each for each in instance._meta.concrete_fields if not each.generated]
        replaced = {F(each.name): _expression(firing, instance, each) for each in inputs}
        return column.expression.replace_expressions(replaced)
    is_saved = firing.update_fields is None or {column.name, column.attname} & set(firing.update_fields)
    if not is_saved or column.attname not in instance.__dict__:
        return F(column.attname)
    value = instance.__dict__[column.attname]
    value = value.expression if isinstance(value, DatabaseDefault) else value
    return value if is_expression(value) else Value(value, output_field=column)
