"""Freezes what templates and audiences read of an event into plain JSON. Next hop: ``notifier.events`` records it.

A *path tree* is nested dicts: ``{"instance": {"title": {"": {}}}}`` stands for ``instance.title``; the key ``""`` marks
a path that is used as a value, ``"*"`` stands for each item of a list.
"""

import datetime as dt
import json
import math
import uuid
from contextlib import suppress
from decimal import Decimal

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.utils.functional import Promise

from . import signals
from .exceptions import UnreadablePath
from .template_data import SECRET_FRAGMENTS, SECRET_WORDS
from .templating import FrozenObject, path_names

# What a list in an event holds at most; a template that loops over more shows the first ones.
MAX_ITEMS = 500
# Methods without arguments that read and do not change anything, by Django's own conventions.
METHODS = frozenset({"get_absolute_url", "get_full_name", "get_short_name"})
# What every event offers, besides its signal's own arguments.
STANDARD_NAMES = ("verb", "action_object", "actor_object", "target")
# The tree of something that is stored as it is.
WHOLE = {"": {}}


def freeze(context, tree):
    """Resolve each path of ``tree`` on ``context`` (name → live object) once, and return nested plain data."""
    return {name: _freeze(context.get(name), branch) for name, branch in tree.items() if name in context}


def _freeze(value, tree):
    if isinstance(value, models.Model):
        return _freeze_object(value, tree)
    if isinstance(value, models.Manager | models.QuerySet):
        # `instance.lines.all`: the word `all` is a step of its own in the tree.
        return FrozenObject({"all": _freeze_list(value.all(), tree["all"])} if "all" in tree else {})
    if isinstance(value, dict):
        whole = "" in tree or not tree
        branches = {key: WHOLE for key in value} if whole else tree
        return {str(key): _freeze(value.get(key), branch) for key, branch in branches.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _freeze_list(value, tree)
    if value is None or isinstance(value, int | Decimal | dt.date | dt.time | dt.timedelta | uuid.UUID):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    # Neither "not a number" nor a NUL character can be stored as JSON.
    return (value if isinstance(value, str) else str(value)).replace("\0", "")


def _freeze_object(instance, tree):
    frozen = FrozenObject(model=instance._meta.label_lower, pk=instance.pk)
    if "" in tree:
        frozen[""] = str(instance)
    for name, branch in tree.items():
        if name and is_readable(instance.__class__, name):
            frozen[name] = _freeze(_read(instance, name), branch)
    return frozen


def _freeze_list(items, tree):
    branch = tree.get("*", WHOLE)
    if isinstance(items, models.QuerySet):
        # One query for the list and what its items lead to, whatever its length.
        related = _single_relations(items.model, branch)
        items = (items.select_related(*related) if related else items)[:MAX_ITEMS]
    return [_freeze(item, branch) for item in list(items)[:MAX_ITEMS]]


def _read(instance, name):
    try:
        value = getattr(instance, name)
    except ObjectDoesNotExist:
        # A reverse one-to-one relation that leads nowhere.
        return None
    except ValueError:
        if instance.pk is None:
            return []
        raise
    if isinstance(value, models.Manager):
        # Before the first save nothing is related to it, and Django refuses to look: here, or just above.
        return [] if instance.pk is None else value
    return value() if callable(value) else value


def _single_relations(model, tree):
    """The relations to one object that ``tree`` names, theirs as well, as ``select_related`` takes them."""
    names = []
    for name, branch in tree.items():
        if (field := single_relation(model, name)) is not None:
            names += [name, *(f"{name}__{inner}" for inner in _single_relations(field.related_model, branch))]
    return names


def single_relation(model, name):
    """The foreign key or one-to-one relation ``name`` of ``model``, the reverse of one as well, or None."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # A generic foreign key has no model.
    return field if (field.many_to_one or field.one_to_one) and field.related_model else None


def may_be_secret(name):
    """Whether ``name`` sounds like something that no event and no message may hold."""
    lower = name.lower()
    return any(fragment in lower for fragment in SECRET_FRAGMENTS) or not SECRET_WORDS.isdisjoint(lower.split("_"))


def is_readable(model, name):
    """Whether events may store ``name`` of ``model``: fields, relations, the allowed methods, and what the model lists."""
    return name in readable_names(model) or name in {"pk", "model"} or (name in METHODS and hasattr(model, name))


def readable_names(model):
    """The names of ``model`` that events may store, sorted. A model adds to them with ``notifier_fields = [...]``."""
    names = set(getattr(model, "notifier_fields", ()))
    for field in model._meta.get_fields():
        if field.auto_created and not field.concrete:
            names.add(field.get_accessor_name())
            continue
        names.update({field.name, getattr(field, "attname", field.name)})
        if getattr(field, "choices", None):
            names.add(f"get_{field.name}_display")
    return sorted(name for name in names if name and not may_be_secret(name))


def find_model(label):
    """The model of ``app_label.model``, or None."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def check_paths(tree, trigger):
    """Raise UnreadablePath when ``tree`` names what the events of ``trigger`` cannot give, with what they can."""
    registered = signals.get(trigger.verb)
    if registered is None:
        return
    offered = {*STANDARD_NAMES, *registered.args, "user"}
    for name, branch in tree.items():
        if name not in offered:
            raise UnreadablePath(
                f"“{path_names({name: branch})[0]}”: the signal {trigger.verb} has no “{name}”. "
                f"It has: {', '.join(sorted(offered))}."
            )
    model = find_model(trigger.model) if trigger.model else None
    for root, found in ("instance", model), ("action_object", model), ("user", get_user_model()):
        if found and root in tree:
            _check_model(found, tree[root], root)


def _check_model(model, tree, path):
    for name, branch in tree.items():
        if not name:
            continue
        here = f"{path}.{name}"
        if not is_readable(model, name):
            raise UnreadablePath(
                f"“{here}”: {model._meta.verbose_name} has nothing called “{name}” that can be stored. "
                f"There is: {', '.join(readable_names(model))}."
            )
        _check_related(model, name, branch, here)


def _check_related(model, name, branch, here):
    field = next((field for field in model._meta.get_fields() if _accessor(field) == name), None)
    if field is None or not field.is_relation or not field.related_model:
        return
    if not (field.many_to_many or field.one_to_many):
        _check_model(field.related_model, branch, here)
    elif steps := [step for step in branch if step != "all"]:
        raise UnreadablePath(f"“{here}” is a list: write {here}.all, not {here}{'.' + steps[0] if steps[0] else ''}.")
    else:
        _check_model(field.related_model, branch.get("all", {}).get("*", {}), f"{here}.all")


def _accessor(field):
    return field.get_accessor_name() if field.auto_created and not field.concrete else field.name


_TYPES = {
    "decimal": Decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda seconds: dt.timedelta(seconds=seconds),
    "uuid": uuid.UUID,
}


class Encoder(json.JSONEncoder):
    """Keeps the types that filters such as ``date`` need: ``{"$t": "date", "v": "2026-01-31"}``."""

    def default(self, value):
        match value:
            case Decimal() | uuid.UUID():
                return {"$t": type(value).__name__.lower(), "v": str(value)}
            case dt.datetime() | dt.date() | dt.time():
                return {"$t": type(value).__name__, "v": value.isoformat()}
            case dt.timedelta():
                return {"$t": "timedelta", "v": value.total_seconds()}
            case Promise():
                return str(value)
        return super().default(value)


class Decoder(json.JSONDecoder):
    """The way back from ``Encoder``."""

    def __init__(self, **options):
        super().__init__(object_hook=_thaw, **options)


def _thaw(found):
    if found.keys() == {"$t", "v"} and found["$t"] in _TYPES:
        # In somebody's own JSON it can mean anything.
        with suppress(ValueError, TypeError, ArithmeticError, AttributeError):
            return _TYPES[found["$t"]](found["v"])
    return FrozenObject(found) if "model" in found and "pk" in found or "" in found else found
