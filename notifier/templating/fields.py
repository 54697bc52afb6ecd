"""The fields of a model by the names that objects have them by. Called by ``permitted`` and ``readable``."""

from functools import lru_cache
from types import MappingProxyType


def accessor_of(field):
    """The name by which an object leads to what ``field`` relates it to."""
    return field.get_accessor_name() if is_reverse(field) else field.name


def is_reverse(field):
    """Whether ``field`` is the other end of a relation that another model has."""
    return field.auto_created and not field.concrete


@lru_cache(maxsize=1024)
def fields_by_name(model):
    """Name → field of ``model``, reverse relations by their accessor; those that no object leads by are left
    out. ``fields_by_name(model)["owner"]`` is a relation, ``owner_id`` its key: see ``key_columns``.
    """
    found = {accessor_of(field): field for field in model._meta.get_fields()}
    found.pop(None, None)
    return MappingProxyType(found)


@lru_cache(maxsize=1024)
def key_columns(model):
    """Name → relation of the columns that hold another row's key: ``owner_id``."""
    columns = {field.attname: field for field in model._meta.concrete_fields if field.attname != field.name}
    return MappingProxyType(columns)
