"""Single values as plain data: of the types that JSON and ``codec`` know, and of no subclass of them.

Called by ``snapshot`` and ``codec``.

A subclass holds what its base type holds, whatever its own ``__str__`` shows: a database stores that, too.
"""

import datetime as dt
import math
import uuid
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any

from django.forms.utils import RenderableMixin
from django.utils.functional import LazyObject

from ..channels.storable import storable

# Beyond ten to this power a number is a text: to print it, or to make an integer of it, takes minutes.
MAX_EXPONENT = 100
AS_THEY_ARE = frozenset({NoneType, bool, int, dt.datetime, dt.date, dt.time, dt.timedelta, uuid.UUID})


def unwrapped(value: Any) -> Any:
    """``value``, or what it stands for: a lazy object, a member of an enumeration."""
    if issubclass(type(value), LazyObject):
        value.__class__  # noqa: B018 - this looks it up
        value = value._wrapped
    return unwrapped(value.value) if isinstance(value, Enum) else value


def plain_scalar(value: Any) -> Any:
    """``value`` as its plain type; a text for what is of none."""
    if type(value) in AS_THEY_ARE:
        return value
    if type(value) is str:
        return storable(value)
    for kind, convert in CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return _text_of(value)


def _text_of(value):
    """The text that stands for what is no data itself, or None.

    A request, a view, a function have none: what Python says of them is for programmers, and of a request it
    is the address with all that is in it. A form's is HTML, with what was typed.
    """
    has_text = type(value).__str__ is not object.__str__ or isinstance(value, type)
    return storable(str(value)) if has_text and not isinstance(value, RenderableMixin) else None


def is_bounded(number: Decimal) -> bool:
    """Whether a Decimal is a number that filters may count with."""
    return number.is_finite() and (not number or abs(number.adjusted()) <= MAX_EXPONENT)


def _decimal(value):
    if is_bounded(value):
        return Decimal(value)
    return "NaN" if value.is_nan() else str(Decimal(value))


def _datetime(value):
    day = value.year, value.month, value.day
    return dt.datetime(
        *day, value.hour, value.minute, value.second, value.microsecond, value.tzinfo, fold=value.fold
    )


def _time(value):
    return dt.time(value.hour, value.minute, value.second, value.microsecond, value.tzinfo, fold=value.fold)


# The first that fits. The base type's own methods: a subclass may have made others of them.
CONVERSIONS = [
    (str, lambda value: storable(str.__str__(value))),
    (int, int.__int__),
    # No database takes the others as JSON.
    (float, lambda value: float.__float__(value) if math.isfinite(value) else str(float.__float__(value))),
    (Decimal, _decimal),
    (dt.datetime, _datetime),
    (dt.date, lambda value: dt.date(value.year, value.month, value.day)),
    (dt.time, _time),
    (dt.timedelta, dt.timedelta.__pos__),
    (uuid.UUID, lambda value: uuid.UUID(int=value.int)),
    # As a driver gives binary columns.
    (memoryview | bytearray, lambda value: str(bytes(value))),
]
