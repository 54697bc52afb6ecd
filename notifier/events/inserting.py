"""Events as rows: new ones, and their INSERT, prepared once a database.

Called by ``freezing`` and ``storing``.

Raw SQL beside the ORM's: who saves waits for it. ``Model.save`` builds its statement anew, asks each of the
twenty columns and sends signals, which together cost four times what the row itself does. The columns and how
each is written are still the model's own. Rows with a key are the ORM's, ``bulk_create``.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..models import Event
from .savepoints import around

FIELDS = Event._meta.concrete_fields
COLUMNS = [field for field in FIELDS if not field.primary_key]
# What a driver takes as it is, by the column's class; anything else is asked of the field.
AS_IT_IS: tuple[tuple[type[models.Field], type], ...] = (
    (models.ForeignKey, int),
    (models.IntegerField, int),
    (models.CharField, str),
)
# Where an event carries its data as JSON: how long that is, is known before it is inserted.
WRITTEN = "_notifier_written"
_DEFAULTS = {field.attname: field.get_default() for field in FIELDS}


def new_event(**values: Any) -> Event:
    """An event of ``values``, by their columns, not saved yet."""
    # By position, as from a row: by name, each of the columns is looked for.
    return Event(*(_DEFAULTS | {"data": {}, "cursor": {}} | values).values())


class Column(NamedTuple):
    """``attname`` of an event, written by ``write`` unless it is None or just of the type ``plain``."""

    attname: str
    plain: type | None
    write: Callable[[Any, BaseDatabaseWrapper], Any]


class Statement(NamedTuple):
    """``{start} row, row, … {end}``."""

    start: str
    row: str
    end: str
    columns: tuple[Column, ...]


def insert(events: Sequence[Event], using: str) -> None:
    """Insert ``events``, all or none, in one statement if so many fit into one, and give each its key.

    Raises what the database, or its driver, raises, which breaks no transaction. Sends no signals.
    """
    connection = connections[using]
    statement = _statement(connection.vendor)
    size = connection.ops.bulk_batch_size(COLUMNS, events) if len(events) > 1 else 1
    if len(events) <= size:
        _insert(statement, events, connection)
        return
    with transaction.atomic(using=using):
        for start in range(0, len(events), size):
            _insert(statement, events[start : start + size], connection)


def _insert(statement: Statement, events: Sequence[Event], connection: BaseDatabaseWrapper) -> None:
    values = [value for event in events for value in _row(statement.columns, event.__dict__, connection)]
    rows = ", ".join([statement.row] * len(events))
    with around(connection) as (before, after), connection.cursor() as cursor:
        cursor.execute(f"{before}{statement.start}{rows}{statement.end}{after}", values)
        if before:
            cursor.nextset()
        keys = cursor.fetchall()
    for event, (key,) in zip(events, keys, strict=True):
        event.pk, event._state.adding, event._state.db = key, False, connection.alias


def _row(columns: Sequence[Column], held: dict[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
    values = held | {"data": held[WRITTEN]} if WRITTEN in held else held
    return [
        value if (value := values[name]) is None or type(value) is plain else write(value, connection)
        for name, plain, write in columns
    ]


@lru_cache(maxsize=4)
def _statement(vendor: str) -> Statement:
    # Both databases quote so. PostgreSQL is told that a text is JSON; to SQLite it is one.
    names = ", ".join(f'"{field.column}"' for field in COLUMNS)
    json_mark = "%s::jsonb" if vendor == "postgresql" else "%s"
    marks = ", ".join(json_mark if isinstance(field, models.JSONField) else "%s" for field in COLUMNS)
    return Statement(
        start=f'INSERT INTO "{Event._meta.db_table}" ({names}) VALUES ',  # noqa: S608 - the model's names
        row=f"({marks})",
        end=f' RETURNING "{Event._meta.pk.column}"',
        columns=tuple(map(_column, COLUMNS)),
    )


def _column(field: models.Field) -> Column:
    if isinstance(field, models.JSONField):
        is_written = str if field.attname == "data" else None
        return Column(field.attname, is_written, lambda value, _: json.dumps(value, cls=field.encoder))
    plain = next((plain for kind, plain in AS_IT_IS if isinstance(field, kind)), None)
    return Column(field.attname, plain, field.get_db_prep_save)
