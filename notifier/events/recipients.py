"""The recipients that an event names, frozen with it. ``rules.audiences`` reads them at the fan-out."""

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from ..channels.storable import is_storable
from ..rules.plans import Named, NamedPeople, NamedRelation
from ..templating import readable, rows
from ..templating.plain import plain_scalar
from ..templating.stored import as_stored

logger = logging.getLogger(__name__)

# People that an object names while it is being deleted must be written down now; this many at most.
MAX_FROZEN_PEOPLE = 1000
# Far above any address: what is longer is some other text, and is not copied.
MAX_ADDRESS_CHARACTERS = 10_000


def freeze_recipients(
    paths: Iterable[tuple[str, str]], context: dict[str, Any], *, deleting: bool
) -> list[Named]:
    """Resolve audience paths on a firing's live objects into plain data that the fan-out reads.

    ``paths`` are ``(channel, path)`` pairs. A relation to many people is stored as a reference and read at
    the fan-out, so the caller's cost does not grow with them; ``deleting`` writes the people down instead, as
    the relation is about to go. A path that leads to no people and no address is logged and ignored.
    """
    found = []
    for channel, path in paths:
        try:
            if (frozen := _freeze_recipient(channel, path, context, deleting)) is not None:
                found.append(frozen)
        except (AttributeError, KeyError, TypeError, ValueError, ObjectDoesNotExist) as error:
            logger.warning("Audience path %s leads nowhere and is ignored: %s", path, type(error).__name__)
    return found


def _freeze_recipient(channel: str, path: str, context: dict[str, Any], deleting: bool) -> Named | None:
    *names, last = path.split(".")
    parent: Any = context
    for name in names:
        parent = _step(parent, name)
    if _names_person(parent, last):
        # The key is enough: no query for the person.
        field = parent._meta.get_field(last)
        key = as_stored(field, getattr(rows.row_of(parent, [last]), field.attname))
        return None if key is None else _people([key])
    value = _step(parent, last)
    if isinstance(value, str):
        if len(value) > MAX_ADDRESS_CHARACTERS:
            raise ValueError(path)
        address = plain_scalar(value).strip()
        return {"address": address, "channel": channel} if address else None
    if isinstance(value, models.Manager) and isinstance(parent, models.Model) and not deleting:
        return _relation(parent, last, value)
    return None if value is None else _people(_keys_in(value))


def _step(parent, name):
    if parent is None:
        return None
    if isinstance(parent, models.Model) and not readable.is_readable(parent.__class__, name):
        raise AttributeError(name)
    if isinstance(parent, models.Model):
        return getattr(rows.row_of(parent, [name]), name)
    return parent[name] if isinstance(parent, dict) else getattr(parent, name)


def _names_person(parent, name):
    field = readable.single_relation(parent.__class__, name) if isinstance(parent, models.Model) else None
    if field is None or not readable.is_readable(parent.__class__, name):
        return False
    if not field.concrete or not issubclass(field.related_model, get_user_model()):
        return False
    return field.target_field.primary_key


def _relation(parent: models.Model, name: str, manager: models.Manager) -> NamedRelation:
    if not issubclass(manager.model, get_user_model()):
        raise TypeError(name)
    return {"relation": name, "model": parent._meta.label_lower, "pk": _as_json(parent.pk)}


def _keys_in(value):
    """The keys of one person or of several. TypeError for anything else."""
    user_model = get_user_model()
    if isinstance(value, user_model):
        return [value.pk]
    if isinstance(value, models.Manager | models.QuerySet) and issubclass(value.model, user_model):
        return value.values_list("pk", flat=True)[:MAX_FROZEN_PEOPLE]
    if isinstance(value, list | tuple | set) and all(isinstance(item, user_model) for item in value):
        return [item.pk for item in value][:MAX_FROZEN_PEOPLE]
    raise TypeError(f"not a person: {type(value).__name__}")


def _people(keys: Iterable[Any]) -> NamedPeople:
    # A key that no column holds is nobody's; without what is wrong in it, it might be somebody else's.
    return {"users": [key for each in keys if not isinstance(key := _as_json(each), str) or is_storable(key)]}


def _as_json(key: Any) -> int | str:
    return key if isinstance(key, int) else str(key)
