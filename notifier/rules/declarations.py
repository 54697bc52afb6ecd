"""Rules that code declares beside its models. ``rulefiles.declared`` keeps rows in step with them.

Imports no model, so an app's own models may declare.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.db.models import Model

from ..exceptions import DeclarationRefused

# A template is named after its rule, where code writes its contents; these are names that it may have.
KEY = re.compile(r"[-a-zA-Z0-9_]{1,100}")

# Keys of a trigger in a file that are said otherwise here.
OTHERWISE = frozenset({"signal", "subscriptions", "audiences", "enabled"})

Contents = Mapping[str, Mapping[str, str]]
Audiences = str | Iterable[str] | Mapping[str, Any]
Decorated = TypeVar("Decorated", bound=type[Model])


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A rule as code says it. ``place`` is the module; ``more`` are other keys that a rule has in files."""

    key: str
    verb: str
    place: str
    model: str = ""
    template: str = ""
    contents: dict[str, dict[str, str]] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    # Names of audiences, or the sources of one of its own.
    audience: tuple[str, ...] | dict[str, Any] = ()
    more: dict[str, Any] = field(default_factory=dict)


_declared: dict[str, Declaration] = {}


class Declared:
    """What ``notify_on`` gives: as a decorator, it names the model that the rule is about."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration

    def __call__(self, model: Decorated) -> Decorated:
        key = self._declaration.key
        if not (isinstance(model, type) and issubclass(model, Model)) or model._meta.abstract:
            _declared.pop(key, None)
            raise DeclarationRefused(
                f"The rule “{key}” is declared on {model!r}, which is no model with rows of its own. "
                "Without one, write notify_on(…) as a call, and model= where the signal needs one."
            )
        if self._declaration.model:
            raise DeclarationRefused(
                f"The rule “{key}” names the model {self._declaration.model} already. Leave out model=, or "
                "the decoration."
            )
        place = f"{model.__module__}.{model.__qualname__}"
        _declared[key] = replace(self._declaration, model=model._meta.label_lower, place=place)
        return model


def notify_on(
    verb: str,
    *,
    key: str,
    channels: Iterable[str],
    audience: Audiences,
    template: str = "",
    contents: Contents | None = None,
    model: str = "",
    **more: Any,
) -> Declared:
    """Declare a rule in code: on a model class as a decorator, for any other signal as a call.

    ``key``: its name for good, by which its row is found. ``template``: one of the database by its name; or
    ``contents``, channel → parts (``{"email": {"subject": …, "text": …}}``). ``audience``: names of audiences
    of the database, or the sources of one (``{"paths": ["instance.customer"]}``). ``more``: what a trigger
    or a subscription may say in a file of rules: ``saved="created"``, ``condition``, ``category``,
    ``lane="urgent"``, ``throttle_number``, … Raises DeclarationRefused; what needs the database is said by
    ``manage.py check``.
    """
    place = sys._getframe(1).f_globals.get("__name__", "")
    declaration = Declaration(
        key=key, verb=verb, place=place, model=model.lower(), template=template,
        contents={channel: dict(parts) for channel, parts in (contents or {}).items()},
        channels=_names(channels), more=more,
        audience=dict(audience) if isinstance(audience, Mapping) else _names(audience),
    )  # fmt: skip
    _check(declaration)
    _declared[key] = declaration
    return Declared(declaration)


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _check(declaration: Declaration) -> None:
    key, taken = declaration.key, _declared.get(declaration.key)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise DeclarationRefused(
            f"{key!r} is no key of a rule. Write letters, digits, - and _, 100 at most: key='welcome'."
        )
    if bool(declaration.template) == bool(declaration.contents):
        raise DeclarationRefused(
            f"The rule “{key}” needs a template by its name, or contents: one of the two."
        )
    if said := sorted(OTHERWISE.intersection(declaration.more)):
        raise DeclarationRefused(
            f"The rule “{key}” cannot say {', '.join(said)}. A rule is one signal, template and audience; "
            "whether it is on is said in the admin. To try it, write shadow=True."
        )
    # A module that is imported twice declares the same.
    if taken and replace(taken, model="", place="") != replace(declaration, model="", place=""):
        raise DeclarationRefused(
            f"The key “{key}” is taken by another rule, in {taken.place}. Choose another one."
        )


def all_declared() -> dict[str, Declaration]:
    """Key → Declaration of this process's code."""
    return dict(_declared)


def get(key: str) -> Declaration | None:
    """The Declaration of that key, or None."""
    return _declared.get(key)
