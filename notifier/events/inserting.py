"""The INSERT of events, prepared once a database. Called by ``storing``.

Raw SQL beside the ORM's: who saves waits for it. ``Model.save`` builds its statement anew, asks each of the
twenty columns and sends signals, which together cost four times what the row itself does. The columns, their
order and how each is written are still the model's own. Rows with a key are the ORM's, ``bulk_create``.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..models import Event

COLUMNS = [field for field in Event._meta.concrete_fields if not field.primary_key]
# What a driver takes as it is, by the column's class; anything else is asked of the field.
AS_IT_IS: tuple[tuple[type[models.Field], type], ...] = (
    (models.ForeignKey, int),
    (models.IntegerField, int),
    (models.CharField, str),
)


class Column(NamedTuple):
    """``attname`` of an event, written by ``write`` unless it is None or just of the type ``plain``."""

    attname: str
    plain: type | None
    write: Callable[[Any], Any]


class Statement(NamedTuple):
    """``{start} row, row, … {end}``."""

    start: str
    row: str
    end: str
    columns: tuple[Column, ...]


def insert(events: Sequence[Event], using: str) -> None:
    """Insert ``events``, in one statement if so many fit into one, and give each its key.

    Raises what the database, or its driver, raises. Sends no signals.
    """
    connection = connections[using]
    statement = _statement(connection.vendor, using)
    size = connection.ops.bulk_batch_size(COLUMNS, events)
    if len(events) <= size:
        _insert(statement, events, connection)
        return
    with transaction.atomic(using=using, savepoint=False):
        for start in range(0, len(events), size):
            _insert(statement, events[start : start + size], connection)


def _insert(statement: Statement, events: Sequence[Event], connection: BaseDatabaseWrapper) -> None:
    values = [value for event in events for value in _row(statement.columns, event.__dict__)]
    sql = f"{statement.start}{', '.join([statement.row] * len(events))}{statement.end}"
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        keys = cursor.fetchall()
    for event, (key,) in zip(events, keys, strict=True):
        event.pk, event._state.adding, event._state.db = key, False, connection.alias


def _row(columns: Sequence[Column], values: dict[str, Any]) -> list[Any]:
    return [
        value if (value := values[name]) is None or type(value) is plain else write(value)
        for name, plain, write in columns
    ]


@lru_cache(maxsize=8)
def _statement(vendor: str, using: str) -> Statement:
    quote = connections[using].ops.quote_name
    names = ", ".join(quote(field.column) for field in COLUMNS)
    # PostgreSQL is told that a text is JSON; to SQLite it is one.
    json_mark = "%s::jsonb" if vendor == "postgresql" else "%s"
    marks = ", ".join(json_mark if isinstance(field, models.JSONField) else "%s" for field in COLUMNS)
    return Statement(
        start=f"INSERT INTO {quote(Event._meta.db_table)} ({names}) VALUES ",  # noqa: S608 - the model's names
        row=f"({marks})",
        end=f" RETURNING {quote(Event._meta.pk.column)}",
        columns=tuple(_column(field, using) for field in COLUMNS),
    )


def _column(field: models.Field, using: str) -> Column:
    if isinstance(field, models.JSONField):
        return Column(field.attname, None, partial(json.dumps, cls=field.encoder))
    plain = next((plain for kind, plain in AS_IT_IS if isinstance(field, kind)), None)
    return Column(field.attname, plain, partial(_prepared, field, using))


def _prepared(field: models.Field, using: str, value: Any) -> Any:
    return field.get_db_prep_save(value, connections[using])
