"""A value in memory as its column holds it: code may have assigned a text to a number, or a moment to a date.

Called by ``snapshot``, ``keys`` and ``events.previous``. No query: ``rows`` asks for what only the database
knows.
"""

import datetime as dt
import json
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, getcontext
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.utils import timezone

# A field with another of these makes something of its own of a value.
CONVERTING = ("to_python", "get_prep_value", "get_db_prep_value", "get_db_prep_save", "from_db_value")
# Values of just this type come back from a column as they are; a time only with its zone.
PLAIN_TYPES = (
    ((models.CharField, models.TextField), str),
    (models.BooleanField, bool),
    (models.IntegerField, int),
    (models.FloatField, float),
    (models.DateTimeField, dt.datetime),
)


def as_stored(field, value, using=DEFAULT_DB_ALIAS):
    """``value`` as the database ``using`` gives it back from the column of ``field``.

    Only for fields that store as Django's own do; and what is not of the field's kind, which cannot have been
    saved, stays as it is.
    """
    if value is None or field is None or is_plain(value, plain_type(type(field))):
        return value
    if not field.concrete or not stores_as_django(type(field)):
        return value
    if isinstance(value, models.Model) or is_expression(value):
        return value
    while field.is_relation:
        field = field.target_field
    with suppress(ValidationError, TypeError, ValueError, ArithmeticError, RecursionError):
        return _convert(field, value, using)
    return value


def is_expression(value):
    """Whether only the database knows what it will be: ``F("stock") - 1``, ``Now()``."""
    return hasattr(value, "resolve_expression")


@lru_cache(maxsize=1024)
def stores_as_django(kind):
    """Whether a class of fields stores its values as Django does."""
    methods = (getattr(kind, name, None) for name in CONVERTING)
    return all(method is None or method.__module__.startswith("django.") for method in methods)


@lru_cache(maxsize=1024)
def plain_type(kind):
    """The one of PLAIN_TYPES that a class of fields stores as it is, or None."""
    if not stores_as_django(kind):
        return None
    return next((plain for kinds, plain in PLAIN_TYPES if issubclass(kind, kinds)), None)


def is_plain(value, plain):
    """Whether ``value`` is just of the type that ``plain_type`` gave."""
    return type(value) is plain and (plain is not dt.datetime or value.utcoffset() is not None)


def _convert(field, value, using):
    if isinstance(field, models.DateTimeField):
        return _moment(field, value)
    if isinstance(field, models.DecimalField):
        return _rounded(field, field.to_python(value), using)
    if isinstance(field, models.JSONField):
        return json.loads(json.dumps(value, cls=field.encoder), cls=field.decoder)
    if isinstance(value, list | tuple) and (base := getattr(field, "base_field", None)) is not None:
        return [as_stored(base, each, using) for each in value]
    return field.to_python(value)


def _moment(field, value):
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        # As the field does it, which warns each time.
        value = dt.datetime(value.year, value.month, value.day)
    value = field.to_python(value)
    if settings.USE_TZ and timezone.is_naive(value):
        return timezone.make_aware(value, timezone.get_default_timezone())
    return value


def _rounded(field, value, using):
    # Django does it for SQLite, half to even; PostgreSQL does it itself, half away from zero.
    rounding = ROUND_HALF_EVEN if connections[using].vendor == "sqlite" else ROUND_HALF_UP
    context = Context(prec=field.max_digits or getcontext().prec)
    return value.quantize(Decimal(1).scaleb(-field.decimal_places), rounding, context)
