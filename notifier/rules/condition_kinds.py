"""Kinds of values in a condition, as people read them, and the kind of a field or an argument. Called by
``condition_types``.
"""

import datetime as dt
import uuid
from decimal import Decimal

from django.core.exceptions import FieldDoesNotExist
from django.db import models

NUMBER, TEXT, TRUTH, DATE, DATETIME, TIME = (
    "a number",
    "text",
    "either True or False",
    "a date",
    "a date with a time",
    "a time",
)
DURATION, UUID, OBJECT, LIST = "a duration", "a UUID", "an object", "a list"

# The first that fits; a date with a time is a date to Python.
FIELDS = [
    (models.BooleanField, TRUTH),
    ((models.IntegerField, models.FloatField, models.DecimalField), NUMBER),
    (models.DateTimeField, DATETIME),
    (models.DateField, DATE),
    (models.TimeField, TIME),
    (models.DurationField, DURATION),
    (models.UUIDField, UUID),
    ((models.CharField, models.TextField, models.GenericIPAddressField, models.FileField), TEXT),
]
# Of an argument that is registered with its type.
PLAIN = {
    bool: TRUTH, int: NUMBER, float: NUMBER, Decimal: NUMBER, str: TEXT, dt.datetime: DATETIME, dt.date: DATE,
    dt.time: TIME, dt.timedelta: DURATION, uuid.UUID: UUID,
}  # fmt: skip


def find_field(model, name):
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def kind_of_field(field, lookups):
    if field is None or hasattr(field, "from_db_value"):
        # A field that makes something of its own out of what is stored.
        return LIST if lookups[-1:] == ("all",) else None
    if field.is_relation:
        if lookups[-1] == field.name:
            return OBJECT if field.many_to_one or field.one_to_one else None
        return kind_of_field(field.target_field, lookups) if lookups[-1] == "pk" or field.concrete else None
    return next((kind for classes, kind in FIELDS if isinstance(field, classes)), None)
