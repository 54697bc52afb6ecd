"""The row as it was before it is saved, for the triggers that say ``previous``. Offered by ``context``.

Note [the stack]: a receiver may save the object that is being saved. So each ``pre_save`` puts its row onto a
stack that the instance carries, and its ``post_save`` takes it off. A save that fails leaves its row behind,
below that of the repetition.
"""

import logging

from django.core.exceptions import FieldDoesNotExist

from ..observing import log_failure
from ..templating import keys, readable
from ..templating.data import FrozenObject
from ..templating.stored import as_stored, is_expression
from ..templating.translated import choice_label
from .index import index

logger = logging.getLogger(__name__)

_KEY = "_notifier_previous"
MAX_STACK = 8
_UNKNOWN = object()


def remember(sender, kwargs):
    """Before a save: read the columns that live triggers name of ``previous``, by one query, if any names
    some. Never raises.
    """
    carried = kwargs["instance"].__dict__
    try:
        names = index.previous_names(sender)
        if not names or kwargs["raw"]:
            carried.pop(_KEY, None)
            return
        stack = carried.setdefault(_KEY, [])
        del stack[:-MAX_STACK]
        stack.append(_UNKNOWN)
        # No savepoint: where these columns of this row cannot be read, the save itself cannot succeed.
        stack[-1] = _read(sender, kwargs["instance"], kwargs["using"], kwargs["update_fields"], names)
    except Exception:
        log_failure(logger, "The previous %s could not be read", sender._meta.label_lower)


def recall(instance):
    """``{"previous": row}`` of the save that ``instance`` is in; None is the row of a new object.

    Empty where it was not read.
    """
    stack = instance.__dict__.get(_KEY)
    return {"previous": stack[-1]} if stack and stack[-1] is not _UNKNOWN else {}


def forget(instance):
    """After a save."""
    if stack := instance.__dict__.get(_KEY):
        stack.pop()
        if not stack:
            del instance.__dict__[_KEY]


def _read(sender, instance, using, update_fields, names):
    if (
        keys.key_of(instance) is None
        or instance._state.adding
        and all(f.has_default() or f.has_db_default() for f in sender._meta.pk_fields)
    ):
        # Django inserts it without looking, too.
        return None
    names = [name for name in names if readable.is_readable(sender, name)]
    fields = {field.attname: field for name in names if (field := _field_of(sender, name)) is not None}
    row = sender._base_manager.using(using).filter(pk=instance.pk).values("pk", *fields).first()
    if row is None:
        return None
    for attname, field in fields.items():
        if (
            update_fields is not None
            and not {field.name, attname} & set(update_fields)
            and attname in instance.__dict__
            and not (field.generated or is_expression(instance.__dict__[attname]))
        ):
            # It is changed in memory alone: this save leaves it as it is, and the one that stores it will
            # tell.
            row[attname] = as_stored(field, instance.__dict__[attname], using)
    label = f"{sender._meta.verbose_name} {keys.key_text(instance)}"
    whole = {"": label, "model": sender._meta.label_lower}
    return FrozenObject(row | _labels(fields, row, names) | whole)


def _labels(fields, row, names):
    """``get_status_display`` of the choices."""
    found = {}
    for attname, field in fields.items():
        if (name := f"get_{field.name}_display") in names:
            found[name] = choice_label(field, row[attname])
    return found


def _field_of(model, name):
    """The column that ``previous.<name>`` is about, or None."""
    try:
        field = model._meta.get_field(
            name.removeprefix("get_").removesuffix("_display") if name.endswith("_display") else name
        )
    except FieldDoesNotExist:
        return None
    return field if field.concrete and not field.many_to_many else None
