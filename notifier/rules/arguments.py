"""The types of a signal's arguments, as ``register_signal`` is told them.

``signals`` keeps them, ``roots`` says what they stand for in a rule.
"""

import datetime as dt
import types
import typing
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import Manager, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from ..exceptions import SignalRegistrationError
from ..templating.data import PERSONAL

# Every event has these by the same names: listed among the arguments, they can only be given a type.
STANDARD_NAMES = ("verb", "action_object", "actor_object", "target")
# What templates use for something else. The argument of that name is read by PREFIX and its name.
TAKEN_NAMES = frozenset({*PERSONAL, "verb", "forloop", "events", "block"})
PREFIX = "signal_"
# The first that fits: True is a number to Python, and a date with a time is a date.
PLAIN = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    Decimal: "a decimal number",
    str: "text",
    dt.datetime: "a date with a time",
    dt.date: "a date",
    dt.time: "a time",
    dt.timedelta: "a duration",
    uuid.UUID: "a UUID",
    dict: "a dict",
}
LISTS = (list, tuple, set, frozenset, QuerySet, Sequence, Collection, Iterable)
# What Python's own kinds of numbers stand in for, as in its type hints. A lazy translation is text.
ALSO: dict[type, tuple[type, ...]] = {float: (int,), Decimal: (int,), str: (Promise,)}
HOW = (
    "Write a model, “app_label.Model”, a list of one (list[Order]), or one of: str, int, float, bool, "
    "Decimal, date, datetime, time, timedelta, UUID, dict, list. What nobody checks is object."
)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The type of an argument: of a ``model``, of a ``plain`` type, or a list, whose ``items`` may have one.

    ``is_queryset``: a list that templates also read by its ``.all``.
    """

    model: type[Model] | None = None
    plain: type | None = None
    is_list: bool = False
    is_queryset: bool = False
    items: "Declared | None" = None

    def __str__(self) -> str:
        if self.is_list:
            return f"a list, each {self.items}" if self.items else "a list"
        return PLAIN[self.plain] if self.plain else getattr(self.model, "__name__", "")

    def accepts(self, value: Any) -> bool:
        """Whether ``value`` is of this type; None, which is nothing, is of any. Items are not looked at."""
        # By `isinstance`: a lazy actor that is nobody passes itself off as None.
        if isinstance(value, types.NoneType):
            return True
        if self.is_list:
            return isinstance(value, (list, tuple, set, frozenset, QuerySet, Manager))
        if self.model:
            return isinstance(value, self.model)
        kind = typing.cast(type, self.plain)
        return isinstance(value, (kind, *ALSO.get(kind, ())))


# Of Django's own signals; their `instance` is of the trigger's model.
OF_DJANGO = {
    "args": Declared(is_list=True),
    "kwargs": Declared(plain=dict),
    "update_fields": Declared(is_list=True),
    "using": Declared(plain=str),
    "action": Declared(plain=str),
    "reverse": Declared(plain=bool),
    "pk_set": Declared(is_list=True),
    "verbosity": Declared(plain=int),
    "interactive": Declared(plain=bool),
    "setting": Declared(plain=str),
    "enter": Declared(plain=bool),
}


def names_of(verb: str, args: Any) -> dict[str, Any]:
    """Name → what was written as its type, or None. SignalRegistrationError for what are no names."""
    if isinstance(args, str | bytes) or not isinstance(args, Iterable):
        raise SignalRegistrationError(
            f"The args of “{verb}” are {'one text' if isinstance(args, str) else type(args).__name__}. "
            f"Write a list of names, args=[{args!r}], or names and types, args={{'order': Order}}."
        )
    found = dict(args) if isinstance(args, Mapping) else dict.fromkeys(args)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise SignalRegistrationError(
                f"“{verb}” has the argument {name!r}, which no template can name. "
                'Write names: args=["order"].'
            )
    if "request" in found and found["request"] is None:
        raise SignalRegistrationError(
            f"“{verb}” has the argument request. An HttpRequest is no data, so no event holds it: leave it "
            'out. Who is signed in is actor_object. If it is something else, say what: args={"request": …}.'
        )
    return found


def declared(verb: str, name: str, given: Any) -> Declared | None:
    """The Declared of what was written as a type; None where nothing is checked. SignalRegistrationError for
    what is none.
    """
    if given is None or given in (object, Any):
        return None
    if isinstance(given, str):
        return Declared(model=_model_called(verb, name, given))
    origin, inner = typing.get_origin(given), typing.get_args(given)
    if origin in (typing.Union, types.UnionType):
        kinds = [each for each in inner if each is not types.NoneType]
        if len(kinds) == 1:
            return declared(verb, name, kinds[0])
        raise _refused(verb, name, given, "It can be one type only, or None besides.")
    kind = origin or given
    if not isinstance(kind, type):
        raise _refused(verb, name, given, HOW)
    return _of_class(verb, name, given, kind, inner)


def _of_class(verb: str, name: str, given: Any, kind: type, inner: tuple[Any, ...]) -> Declared:
    if issubclass(kind, HttpRequest):
        words = "A request is no data, so no event holds it: leave it out. Who is signed in is actor_object."
        raise _refused(verb, name, given, words)
    if issubclass(kind, Model):
        if kind._meta.abstract:  # type: ignore[attr-defined]  # Django brings no types
            raise _refused(verb, name, given, "It is abstract: no object is of it alone. Name a model.")
        return Declared(model=kind)
    # Of several types of a tuple's places, the first says nothing of the others.
    items = declared(verb, name, inner[0]) if inner[:1] and inner[1:] in ((), (...,)) else None
    if kind in LISTS or issubclass(kind, (list, tuple, set, frozenset, QuerySet)):
        return Declared(is_list=True, is_queryset=issubclass(kind, QuerySet), items=items)
    plain = next((each for each in PLAIN if issubclass(kind, each)), None)
    if plain is None:
        raise _refused(verb, name, given, f"It is no data that an event could hold. {HOW}")
    return Declared(plain=plain)


def _model_called(verb: str, name: str, label: str) -> type[Model]:
    if not apps.models_ready:
        raise _refused(verb, name, label, "The models are not loaded yet: register it in an app's ready().")
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        raise _refused(verb, name, label, "There is no such model. Write “app_label.Model”.") from None


def _refused(verb: str, name: str, given: Any, words: str) -> SignalRegistrationError:
    shown = given.__name__ if isinstance(given, type) and not typing.get_args(given) else repr(given)
    return SignalRegistrationError(f"“{verb}” says that its argument {name} is {shown}. {words}")
