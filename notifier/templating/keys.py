"""Primary keys: one value or several, from an object, from the text of a rule or an event, and back.

A composite key is written as a JSON list, ``["A", 1]``. An object without a key is the same as no other.
"""

import hashlib
import json
import re

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils.translation import gettext as _

from ..channels.storable import is_storable, storable
from . import permitted
from .stored import as_stored, is_expression

# The column's, for what `object_text` gives.
MAX_TEXT_CHARACTERS = 300
# What a column of whole numbers holds, by the field's type, on every database.
RANGES = BaseDatabaseOperations.integer_field_ranges
NUMBER = re.compile(r"\s*-?[0-9]{1,100}\s*")


def is_composite(model):
    return len(model._meta.pk_fields) > 1


def key_of(instance):
    """The key of ``instance`` as its columns store it, a tuple where there are several; None where a part is
    missing.
    """
    parts = [as_stored(field, getattr(instance, field.attname)) for field in instance._meta.pk_fields]
    for part in parts:
        if part is None or is_expression(part):
            return None
    return tuple(parts) if len(parts) > 1 else parts[0]


def parse_key(model, text):
    """The key that ``text``, or a value, means for ``model``. ValidationError says what to write instead."""
    fields = model._meta.pk_fields
    if not is_composite(model):
        return _part(model, fields[0], text)
    parts = _parts(text)
    if parts is None or len(parts) != len(fields):
        raise ValidationError(
            _("The key of %(model)s has %(number)d parts. Write them as a JSON list: [%(names)s].")
            % {
                "model": model._meta.verbose_name,
                "number": len(fields),
                "names": ", ".join(field.name for field in fields),
            }
        )
    return tuple(_part(model, field, part) for field, part in zip(fields, parts, strict=True))


def find_key(model, text):
    """The key that ``text``, or a value, means for ``model``; None where it is none."""
    try:
        return parse_key(model, text)
    except ValidationError:
        return None


def is_row_key(value):
    """Whether ``value``, out of somebody's JSON, can be the key of one of this app's rows."""
    least, most = RANGES["BigAutoField"]
    return type(value) is int and least <= value <= most


def is_key(model, text, instance):
    """Whether ``instance`` has the key that ``text`` means for ``model``.

    A text that was not validated is nobody's.
    """
    try:
        found = key_of(instance)
        return found is not None and found == parse_key(model, text)
    except ValidationError:
        return False


def key_text(instance):
    """The key as ``parse_key`` reads it; blank where there is none."""
    key = key_of(instance)
    if isinstance(key, tuple):
        return storable(json.dumps([part if isinstance(part, int) else str(part) for part in key]))
    return "" if key is None else storable(str(key))


def object_text(instance):
    """``app_label.model:key``, as an event stores it; the model alone where there is no key, or where no
    event may hold it.

    What is longer than the column ends with a digest of itself: two long keys are not one.
    """
    label = instance._meta.label_lower
    key = "" if permitted.is_never(instance.__class__) else key_text(instance)
    text = f"{label}:{key}" if key else label
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: MAX_TEXT_CHARACTERS - len(digest) - 1]}…{digest}"


def sameness(text):
    """What is the same for all events about one object, of a text that ``object_text`` gave; blank where it
    has no key. A proxy's object is its model's.
    """
    label, _colon, key = text.partition(":")
    if not key:
        return ""
    try:
        return f"{apps.get_model(label)._meta.concrete_model._meta.label_lower}:{key}"[:MAX_TEXT_CHARACTERS]
    except (LookupError, ValueError):
        # The model is gone since.
        return text


def _parts(text):
    if isinstance(text, tuple | list):
        return text
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _part(model, field, value):
    try:
        found = None if isinstance(value, list | dict) else field.to_python(value)
    except ValidationError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise _no_key(model, value) from error
    if found is None or not _fits(field, found, value):
        raise _no_key(model, value)
    return found


def _fits(field, found, value):
    """Whether the column can hold ``found``, and ``value`` was written as one writes it."""
    if isinstance(found, str):
        return is_storable(found)
    if not isinstance(found, int):
        return True
    # `int` reads other scripts' digits, “1_000”, 1.5 and True as well: none of them is what is stored.
    if type(value) is not int and not (isinstance(value, str) and NUMBER.fullmatch(value)):
        return False
    kind = getattr(field, "target_field", field).get_internal_type()
    least, most = RANGES.get(kind, RANGES["BigAutoField"])
    return least <= found <= most


def _no_key(model, value):
    return ValidationError(
        _("“%(value)s” is no key of %(model)s.") % {"value": value, "model": model._meta.verbose_name}
    )
