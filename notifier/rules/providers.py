"""Context providers: functions of the project that add variables to a template.

def weather(context):
    return {"forecast": forecast_at(context["instance"].place)}

register_provider("weather", weather, provides=["forecast"])

def points(context, user):
    return {"points": user.account.points}

register_provider("points", points, provides=["points"])

The first is asked once an event, by ``events.freezing``, which stores what it gives. The second, as it takes
a ``user``, is asked for each person, by ``deliveries.composing``, and nothing of it is stored.
"""

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from ..channels.storable import is_storable
from ..exceptions import ProviderFailed, ProviderRegistrationError
from ..observing import log_failure
from ..templating import snapshot
from . import signals

logger = logging.getLogger(__name__)

# From what the firing offers, or an event's data and a user, to the variables that it adds, by name.
ProviderFunction = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Provider:
    """``is_personal``: it takes the person who receives."""

    function: ProviderFunction
    provides: tuple[str, ...]
    is_personal: bool = False

    @classmethod
    def of(cls, function: ProviderFunction, provides: tuple[str, ...]) -> "Provider":
        try:
            is_personal = "user" in inspect.signature(function).parameters
        except (TypeError, ValueError):  # some of Python's own say nothing of theirs
            is_personal = False
        return cls(function, provides, is_personal)


_registry: dict[str, Provider] = {}


def register_provider(name, function, provides):
    """Make ``function(context)`` selectable for templates as ``name``; ``provides`` are the names of the
    variables that it adds.

    It runs when the signal is recorded, in the caller's process, and only where a template reads one of its
    names. It gets what the firing offers (the signal's arguments, ``actor_object``, …) by name and returns a
    dict. A function that takes ``user`` as well runs just before each message is sent, gets the event's data
    as templates have it, and the user who receives. Call it from any app's ``ready()``.
    """
    if not isinstance(name, str) or not name or not is_storable(name):
        raise ProviderRegistrationError(f"{name!r} is no name: write characters that a database can hold.")
    provides = (provides,) if isinstance(provides, str) else tuple(provides)
    if not provides or not all(each.isidentifier() and not each.startswith("_") for each in provides):
        raise ProviderRegistrationError(f'“{name}” must say which names it provides: provides=["forecast"].')
    if clash := sorted(signals.RESERVED_NAMES.intersection(provides)):
        raise ProviderRegistrationError(
            f"“{name}” provides {', '.join(clash)}, which templates use for something else."
        )
    for other, taken in _registry.items():
        if other != name and (clash := sorted(set(taken.provides).intersection(provides))):
            raise ProviderRegistrationError(
                f"“{name}” provides {', '.join(clash)}, and so does “{other}”. Choose other names."
            )
    provider = Provider.of(function, provides)
    if name in _registry and _registry[name] != provider:
        raise ProviderRegistrationError(
            f"The name “{name}” is taken by another provider. Choose another name."
        )
    _registry[name] = provider


def names():
    """Names of the registered providers, sorted."""
    return sorted(_registry)


def check_names(chosen):
    """Raise ValueError, in words, where ``chosen`` is no list of registered providers."""
    if not isinstance(chosen, list) or not all(isinstance(name, str) for name in chosen):
        raise ValueError("Write a list of names of context providers.")
    if unknown := sorted(set(chosen) - _registry.keys()):
        raise ValueError(
            f"There is no context provider {', '.join(unknown)}. There are: {', '.join(names()) or 'none'}."
        )


def provided_by(chosen):
    """The names of the variables that these providers add, by provider; one that is registered no more adds
    none.
    """
    return {name: _registry[name].provides for name in chosen if name in _registry}


def personal_names(chosen=None):
    """The names of variables that are of the person who receives, by the ``chosen`` providers or by any."""
    found = _registry.keys() if chosen is None else _registry.keys() & set(chosen)
    return frozenset(
        given for name in found if _registry[name].is_personal for given in _registry[name].provides
    )


def for_person(user, data, tree, *, using):
    """What the personal providers add for ``user`` to an event's ``data``, as far as ``tree`` reads it.

    It is frozen, as the event's own data. Raises ProviderFailed.
    """
    wanted = {name: branch for name, branch in tree.items() if name not in data}
    added = {}
    for name, provider in _registry.items():
        if provider.is_personal and not wanted.keys().isdisjoint(provider.provides):
            given = _ask(name, provider, data, using, user=user)
            added |= {key: given[key] for key in provider.provides if key in given}
    return _frozen(added, wanted)


def _frozen(added, tree):
    try:
        return snapshot.freeze(added, tree)
    except Exception as error:
        logger.exception("What a context provider gave could not be read")
        raise ProviderFailed(
            f"What a context provider gave could not be read: {type(error).__name__}. The log has the trace."
        ) from error


def extended(context, chosen, tree, *, using):
    """``context`` with what the ``chosen`` providers add, as far as ``tree`` reads it. Raises ProviderFailed.

    ``using``: the database whose open transaction a provider's failed query must not break.
    """
    for name in chosen:
        provider = _registry.get(name)
        if provider is None:
            raise ProviderFailed(f"The context provider “{name}” is registered no more.")
        if not provider.is_personal and not tree.keys().isdisjoint(provider.provides):
            added = _ask(name, provider, context, using)
            context = context | {key: added[key] for key in provider.provides if key in added}
    return context


def _ask(name, provider, context, using, **person):
    try:
        if connections[using].get_autocommit():
            added = provider.function(dict(context), **person)
        else:
            # A query of its that fails must not take the caller's transaction along.
            with transaction.atomic(using=using):
                added = provider.function(dict(context), **person)
    except Exception as error:
        log_failure(logger, "The context provider %s failed", name)
        raise ProviderFailed(
            f"The context provider “{name}” failed: {type(error).__name__}. The log has the trace."
        ) from error
    if not isinstance(added, dict):
        raise ProviderFailed(f"The context provider “{name}” returned {type(added).__name__}, not a dict.")
    return added
