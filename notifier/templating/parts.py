"""The parts of a value that a template may name: the address of a file, how many there are.

``snapshot`` freezes those that only the live value has, ``data`` finds the others in what was frozen, and
``rules.offers`` refuses what is none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import models
from django.db.models.fields.files import FieldFile

# Of a list, or of what a relation leads to: Django's own words for a queryset.
OF_LIST = ("count", "exists", "first", "last")
FILE, RANGE = ("url", "name"), ("lower", "upper")
LISTS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "count": len,
    "exists": bool,
    "first": lambda found: found[0],
    "last": lambda found: found[-1],
}
OF_NOTHING = {"count": 0, "exists": False, "first": None, "last": None}


# What a template may loop over in a dictionary, where it has no entry of that name.
ENTRIES: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "items": lambda found: [list(pair) for pair in found.items()],
    "keys": list,
    "values": lambda found: list(found.values()),
}


class Entries(dict):
    """A dictionary that a template loops over, by ``prices.items``; it keeps its order."""


class Kind(NamedTuple):
    """A field's values: what they are, the parts that they have, and what each of several in it is.

    ``is_free``: what is in it nobody knows here, as in JSON.
    """

    words: str
    parts: tuple[str, ...] = ()
    has_items: bool = False
    items: models.Field | None = None
    is_free: bool = False


FREE = Kind("", is_free=True)
TEXT = Kind("text", has_items=True)  # its characters
DATE, DATETIME, TIME = Kind("a date"), Kind("a date with a time"), Kind("a time")
NUMBER, TRUTH, UUID = Kind("a number"), Kind("True or False"), Kind("a UUID")
OF_FIELDS: tuple[tuple[Any, Kind], ...] = (
    (models.JSONField, FREE),
    (models.FileField, Kind("a file", FILE)),
    (models.DateTimeField, DATETIME),
    (models.DateField, DATE),
    (models.TimeField, TIME),
    (models.DurationField, Kind("a duration")),
    (models.BooleanField, TRUTH),
    ((models.IntegerField, models.FloatField, models.DecimalField), NUMBER),
    (models.UUIDField, UUID),
    ((models.CharField, models.TextField, models.GenericIPAddressField), TEXT),
    (models.BinaryField, Kind("bytes")),
)


def kind_of(field: Any) -> Kind:
    """The Kind of a field. PostgreSQL's are known by their names, as their module needs its driver."""
    names = {each.__name__ for each in type(field).__mro__}
    if "GeneratedField" in names:
        return kind_of(field.output_field)
    if "ArrayField" in names:
        return Kind("a list", OF_LIST, has_items=True, items=field.base_field)
    if "RangeField" in names:
        return Kind("a range", RANGE, items=getattr(field, "base_field", None))
    if field.is_relation:
        return kind_of(field.target_field) if getattr(field, "concrete", False) else FREE
    if hasattr(field, "from_db_value"):
        return FREE  # it makes something of its own out of what is stored
    return next((kind for classes, kind in OF_FIELDS if isinstance(field, classes)), FREE)


def live_parts(value: Any, names: Any) -> dict[str, Any] | None:
    """What of ``names`` only the live value has, by name, with its text under ``""``; None where it is no
    such value, or nothing of it is read.
    """
    if isinstance(value, FieldFile):
        own = {"url": _url_of, "name": lambda file: file.name}
    elif all(hasattr(value, name) for name in (*RANGE, "isempty")):
        own = {"lower": lambda found: found.lower, "upper": lambda found: found.upper}
    else:
        return None
    wanted = own.keys() & names
    # An empty file is nothing, also to `if`.
    return {"": str(value)} | {name: own[name](value) for name in wanted} if wanted and value else None


def live_steps(found: Any, names: Any) -> dict[str, Any]:
    """What of OF_LIST is among ``names``, asked of a manager, a queryset or a list: the whole of it, not only
    what an event holds.
    """
    if isinstance(found, list):
        return {name: LISTS[name](found) if found else OF_NOTHING[name] for name in OF_LIST if name in names}
    return {name: getattr(found, name)() for name in OF_LIST if name in names}


def part_of(value: Any, name: str, around: Any = None) -> Any:
    """The part ``name`` of plain data. KeyError, IndexError or ValueError where there is none.

    ``around`` is what a list stands in: an object that knows of more than the list holds.
    """
    if isinstance(value, list | tuple):
        if name not in LISTS:
            return value[int(name)]
        known = isinstance(around, dict) and name in around
        return around[name] if known else LISTS[name](value)
    if isinstance(value, dict):
        if isinstance(value, Entries) and name in ENTRIES and name not in value:
            return ENTRIES[name](value)
        return value[name]
    raise KeyError(name)


def _url_of(file: FieldFile) -> str:
    try:
        return file.url
    except (ValueError, NotImplementedError):  # no file, or a storage that shows none
        return ""
