"""The names of a model that events may store. Called by ``snapshot``, which stores nothing else, and by
``rules``, which refuses the others.
"""

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError

from .data import may_be_secret
from .keys import parse_key

# Methods without arguments that read and do not change anything, by Django's own conventions.
METHODS = frozenset({"get_absolute_url", "get_full_name", "get_short_name"})


def single_relation(model, name):
    """The foreign key or one-to-one relation ``name`` of ``model``, the reverse of one as well, or None."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # Django finds a foreign key by its column's name as well, which leads to no object. A generic one has no
    # model.
    is_single = (field.many_to_one or field.one_to_one) and field.related_model and field.name == name
    return field if is_single else None


def is_readable(model, name):
    """Whether events may store ``name`` of ``model``: fields, relations, the allowed methods, and what the
    model lists.
    """
    return (
        name in readable_names(model) or name in {"pk", "model"} or (name in METHODS and hasattr(model, name))
    )


def readable_names(model):
    """The names of ``model`` that events may store, sorted.

    A model adds to them with ``notifier_fields = [...]``.
    """
    names = set(getattr(model, "notifier_fields", ()))
    for field in model._meta.get_fields():
        names.add(accessor_of(field))
        if is_reverse(field):
            continue
        names.add(getattr(field, "attname", field.name))
        if getattr(field, "choices", None):
            names.add(f"get_{field.name}_display")
    return sorted(name for name in names if name and not may_be_secret(name))


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


def accessor_of(field):
    """The name by which an object leads to what ``field`` relates it to."""
    return field.get_accessor_name() if is_reverse(field) else field.name


def is_reverse(field):
    """Whether ``field`` is the other end of a relation that another model has."""
    return field.auto_created and not field.concrete
