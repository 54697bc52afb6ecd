"""Writes deliveries without an object of the model for each. Called by ``sets`` and ``singly``.

Note [by hand]: of ``bulk_create``'s time nine tenths are objects and parameters, a row and a field at a time,
and the ORM has no INSERT … SELECT. Which columns there are, and what stands in those that nobody names, is
still the model's affair.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connections, router
from django.utils import timezone

from ..models import Delivery

# The columns in which the rows of a page differ, in the order of what is selected for them.
VARYING = (
    "version_id", "channel", "recipient", "address", "language", "time_zone", "status", "reason", "detail",
    "finished_at", "due_at", "follows", "followed_by", "digest",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Row:
    """A delivery that is being made: its columns, as the gates and the flow know them."""

    event_id: int
    subscription_id: int
    expires_at: dt.datetime | None
    version_id: int
    channel: str
    recipient: str
    address: str
    language: str
    time_zone: str
    status: str
    reason: str
    finished_at: dt.datetime | None
    due_at: dt.datetime | None
    detail: str = ""
    follows: str = ""
    followed_by: str = ""
    digest: bool = False
    # As a gate asks it of what is claimed; the fan-out has just read where its people are.
    unreachable: str = ""

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class Written(NamedTuple):
    """What the database says of a row that was written, now or by a run before."""

    pk: int
    channel: str
    status: str
    recipient: str


def alias() -> str:
    """The database that deliveries are written to."""
    return router.db_for_write(Delivery)


def write(rows: Iterable[Row], alike: dict[str, Any]) -> list[Written]:
    """Write Rows; ``alike`` is what all of them have: column → value. One statement."""
    connection = connections[alias()]
    adapt = connection.ops.adapt_datetimefield_value
    values = json.dumps([attrgetter(*VARYING)(row) for row in rows], default=lambda value: str(adapt(value)))
    columns = ", ".join(_read(position, column, connection) for position, column in enumerate(VARYING))
    return insert(f"SELECT {columns} FROM {_EACH[connection.vendor]}", [values], alike)  # noqa: S608 - our own


# A page is one parameter, a JSON list of lists: thousands of parameters take longer than the rows.
_EACH = {"sqlite": "json_each(%s)", "postgresql": "json_array_elements(%s::json) AS each (value)"}


def _read(position: int, column: str, connection: Any) -> str:
    if connection.vendor == "sqlite":
        return f"json_extract(value, '$[{position}]')"
    kind = Delivery._meta.get_field(column.removesuffix("_id")).rel_db_type(connection)
    # A text that is too long is refused, which a cast would cut off.
    return f"value->>{position}" if kind.startswith("varchar") else f"(value->>{position})::{kind}"


def insert(select: str, values: Sequence[Any], alike: dict[str, Any]) -> list[Written]:
    """Write what ``select``, a SELECT of the VARYING columns, finds; each row is ``alike`` besides.

    One statement. A row that there is already stays as it is, and is returned as well.
    """
    connection = connections[alias()]
    fields = {field.attname: field for field in Delivery._meta.concrete_fields}
    alike = {
        column: fields[column].get_db_prep_save(value, connection)
        for column, value in (_defaults() | alike).items()
    }
    statement = _INSERT.format(
        columns=", ".join([*VARYING, *alike]), alike=", ".join(["%s"] * len(alike)), select=select
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*alike.values(), *values])
        return list(map(Written._make, cursor.fetchall()))


@lru_cache
def _defaults() -> dict[str, Any]:
    """What the model says of the columns that no fan-out names."""
    unnamed = (field for field in Delivery._meta.concrete_fields if field.attname not in (*VARYING, "id"))
    return {
        field.attname: field.get_default()
        for field in unnamed
        if field.has_default() or not (field.null or field.has_db_default())
    }


# The update changes nothing: it makes the database return the rows that were there already. `WHERE true`:
# without it, SQLite takes ON CONFLICT for a part of a join.
_INSERT = f"""
    INSERT INTO {Delivery._meta.db_table} ({{columns}})
    SELECT made.*, {{alike}} FROM ({{select}}) AS made WHERE true
    ON CONFLICT (event_id, subscription_id, channel, recipient) DO UPDATE SET recipient = excluded.recipient
    RETURNING id, channel, status, recipient
"""  # noqa: S608 - the table's name is our own
