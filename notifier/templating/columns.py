"""Columns whose values in memory are what an event stores: nothing to ask the database, nothing to convert.

Called by ``freezer``: the short way of the commonest, an object of which columns alone are read.
"""

import inspect
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from . import readable
from .fields import fields_by_name
from .paths import PathTree
from .stored import is_plain, plain_type


def plain_values(instance: models.Model, tree: PathTree) -> dict[str, Any] | None:
    """Name → value of what ``tree`` reads of ``instance``, where all of it is such columns; else None."""
    kinds = _kinds(instance.__class__, tuple(tree))
    if kinds is None:
        return None
    held, found = instance.__dict__, {}
    for name, kind in kinds:
        # Of what was not loaded, Ellipsis, which is of no column's type.
        if (value := held.get(name, ...)) is not None and not is_plain(value, kind):
            return None
        found[name] = value
    return found


@lru_cache(maxsize=4096)
def _kinds(model: type[models.Model], names: tuple[str, ...]) -> list[tuple[str, type]] | None:
    """The type of each column, if all ``names`` are columns that are read from the object as Django's own."""
    if model.__getattribute__ is not object.__getattribute__:
        return None
    found = []
    for name in names:
        field = fields_by_name(model).get(name)
        if field is None or not field.concrete or field.is_relation or not readable.is_readable(model, name):
            return None
        kind = plain_type(type(field))
        if kind is None or type(inspect.getattr_static(model, name)) is not DeferredAttribute:
            return None
        found.append((name, kind))
    return found


def _forget(*, setting: str, **_signal: Any) -> None:
    if setting in ("NOTIFIER", "AUTH_USER_MODEL"):
        _kinds.cache_clear()


setting_changed.connect(_forget)
