"""The names of a model that events may store. Called by ``snapshot``, which stores nothing else, and by
``rules``, which refuses the others.
"""

from functools import lru_cache

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.signals import setting_changed

from . import permitted
from .fields import fields_by_name, is_reverse
from .keys import parse_key

# Methods without arguments that read and do not change anything, by Django's own conventions.
METHODS = frozenset({"get_absolute_url", "get_full_name", "get_short_name"})


def single_relation(model, name):
    """The foreign key or one-to-one relation ``name`` of ``model``, the reverse of one as well, or None."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # A generic foreign key has no model.
    return field if (field.many_to_one or field.one_to_one) and field.related_model else None


@lru_cache(maxsize=16384)
def is_readable(model, name):
    """Whether events may store ``name`` of ``model``: fields, relations, the allowed methods, and what the
    model lists.
    """
    if permitted.is_never(model):
        return False
    return name in _names(model) or name in ("pk", "model") or (name in METHODS and hasattr(model, name))


def readable_names(model):
    """The names of ``model`` that events may store, sorted.

    A model adds to them with ``notifier_fields = [...]``.
    """
    return [] if permitted.is_never(model) else sorted(_names(model))


@lru_cache(maxsize=1024)
def _names(model):
    names = set(getattr(model, "notifier_fields", ()))
    for name, field in fields_by_name(model).items():
        names.add(name)
        if is_reverse(field):
            continue
        names.add(getattr(field, "attname", field.name))
        if getattr(field, "choices", None) and not permitted.is_withheld(model, field.name):
            names.add(f"get_{field.name}_display")
    return frozenset(name for name in names if name and not permitted.is_withheld(model, name))


def previous_names(model):
    """The names that may stand after ``previous``, sorted: the columns of ``model``, and the labels of
    choices.
    """
    columns = {field.attname for field in model._meta.concrete_fields}
    labels = {f"get_{field.name}_display" for field in model._meta.concrete_fields if field.choices}
    return [name for name in readable_names(model) if name in columns | labels]


def find_model(label):
    """The model of ``app_label.model``, or None."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def find_instance(model, key):
    """The object of a primary key, or None: also for a text that is no key of this model."""
    try:
        return model._default_manager.filter(pk=parse_key(model, key)).first()
    except (ValueError, ValidationError, OverflowError):
        return None


def _forget(*, setting, **_signal):
    if setting in ("NOTIFIER", "AUTH_USER_MODEL"):
        is_readable.cache_clear()
        _names.cache_clear()


setting_changed.connect(_forget)
