"""Texts of catalogues, kept as what to translate: each reader reads them in their own language. Called by
``snapshot``.

A lazy text (`gettext_lazy`) and the label of a choice would be read in the language of whoever acts. What has
become a text already stays as it is.
"""

from collections.abc import Callable
from functools import partialmethod
from typing import Any

from django.db import models
from django.utils import translation
from django.utils.functional import Promise
from django.utils.hashable import make_hashable
from django.utils.text import format_lazy

LAZY: dict[str, Callable[..., Any]] = {
    "gettext": translation.gettext_lazy,
    "pgettext": translation.pgettext_lazy,
    "ngettext": translation.ngettext_lazy,
    "npgettext": translation.npgettext_lazy,
    "_format_lazy": format_lazy,
}
PLAIN = (str, int, float, bool, type(None))


def kept(value: Promise) -> Any:
    """``value`` itself, if it can be stored as what to translate; else its text as it is now."""
    return value if _recipe(value) else str(value)


def as_stored(value: Promise) -> Any:
    """What to translate, as JSON: ``["gettext", ["Hello"], {}]``; the text itself of any other lazy value."""
    recipe = _recipe(value)
    return {"$t": "translated", "v": recipe} if recipe else str(value)


def restored(recipe: Any) -> Promise:
    """The lazy text of what ``as_stored`` has made. TypeError or ValueError for anything else."""
    name, args, options = recipe
    if name not in LAZY or not isinstance(args, list) or not isinstance(options, dict):
        raise ValueError("no text of a catalogue")
    return LAZY[name](*args, **options)


def label_of(instance: models.Model, name: str) -> Any:
    """What ``instance.get_status_display`` stands for, a lazy label unread; None where ``name`` is no such
    method of Django's own.
    """
    method = next((vars(each)[name] for each in type(instance).__mro__ if name in vars(each)), None)
    if not isinstance(method, partialmethod) or not isinstance(
        field := method.keywords.get("field"), models.Field
    ):
        return None
    return choice_label(field, getattr(instance, field.attname))


def choice_label(field: Any, value: Any) -> Any:
    """The label of a choice, unread if it is lazy; ``value`` where it is none of the choices."""
    labels = dict(make_hashable(field.flatchoices))
    label = labels.get(make_hashable(value), value)
    return label if isinstance(label, Promise | type(None)) else str(label)


def _recipe(value: Promise) -> list[Any] | None:
    """``[function, arguments, named arguments]`` of a lazy text, or None where it is another lazy value."""
    if not hasattr(value, "__reduce__") or not isinstance(made := value.__reduce__(), tuple) or len(made) < 2:
        return None
    function, args, options = (*made[1], None, None, None)[:3]
    name = getattr(function, "__name__", "")
    if name not in LAZY or not isinstance(args, tuple) or not isinstance(options, dict):
        return None
    parts = (*args, *options.values())
    known = all(isinstance(each, PLAIN) or (isinstance(each, Promise) and _recipe(each)) for each in parts)
    return [name, list(args), options] if known else None
