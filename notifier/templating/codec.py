"""An event's data as JSON and back, with the types that filters such as ``date`` need.

Note [ours and theirs]: a value of such a type is ``{"$t": "date", "v": "2026-01-31"}``, and an object is a
dictionary with a model and a key, or with a text of its own. A dictionary of somebody's own that looks like
one of these goes as the list of its entries, ``{"$t": "dict", "v": [["$t", "date"], …]}``, so it comes back
as the plain data that it is. So does one whose order counts, as PostgreSQL keeps none.
"""

import datetime as dt
import json
import math
import uuid
from contextlib import suppress
from decimal import Decimal

from django.utils.functional import Promise

from ..channels.storable import storable
from . import translated
from .data import FrozenObject
from .parts import Entries
from .plain import is_bounded, plain_scalar


def _bounded_decimal(text):
    number = Decimal(text)
    if not is_bounded(number):
        raise ValueError(text)
    return number


_TYPES = {
    "decimal": _bounded_decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda seconds: dt.timedelta(seconds=seconds),
    "uuid": uuid.UUID,
    "dict": dict,
    "entries": Entries,
    "translated": translated.restored,
}


class Encoder(json.JSONEncoder):
    """Keeps types, and writes nothing that a database refuses. See note [ours and theirs]."""

    def iterencode(self, o, _one_shot=False):
        return super().iterencode(_written(o), _one_shot)

    def default(self, value):
        match value:
            case Decimal():
                number = plain_scalar(value)
                return number if isinstance(number, str) else {"$t": "decimal", "v": str(number)}
            case uuid.UUID():
                return {"$t": "uuid", "v": str(value)}
            case dt.datetime():
                return {"$t": "datetime", "v": value.isoformat()}
            case dt.date():
                return {"$t": "date", "v": value.isoformat()}
            case dt.time():
                return {"$t": "time", "v": value.isoformat()}
            case dt.timedelta():
                return {"$t": "timedelta", "v": value.total_seconds()}
            case Promise():
                return translated.as_stored(value)
        return super().default(value)


def _written(value):
    """``value`` with clean texts and finite numbers, and with what only looks like ours escaped."""
    if isinstance(value, dict):
        inner = {_key(key): _written(each) for key, each in value.items()}
        if isinstance(value, Entries):
            return _escaped("entries", inner)
        return inner if isinstance(value, FrozenObject) or not _looks_ours(inner) else _escaped("dict", inner)
    if isinstance(value, list | tuple):
        return [_written(each) for each in value]
    if isinstance(value, str) or isinstance(value, float) and not math.isfinite(value):
        return plain_scalar(value)
    return value


def _key(key):
    return storable(key) if isinstance(key, str) else key


def _looks_ours(found):
    return "$t" in found or _is_object(found)


def _escaped(kind, found):
    return {"$t": kind, "v": [[str(key), each] for key, each in found.items()]}


def _is_object(found):
    return "" in found or "model" in found and "pk" in found


class Decoder(json.JSONDecoder):
    """The way back from ``Encoder``."""

    def __init__(self, **options):
        super().__init__(object_hook=_thaw, **options)


def _thaw(found):
    if found.keys() == {"$t", "v"} and isinstance(found["$t"], str) and found["$t"] in _TYPES:
        # An event of an earlier release holds somebody's own JSON as it was.
        with suppress(ValueError, TypeError, ArithmeticError, AttributeError):
            return _TYPES[found["$t"]](found["v"])
    return FrozenObject(found) if _is_object(found) else found
