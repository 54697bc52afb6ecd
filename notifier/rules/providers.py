"""Context providers: functions of the project that add variables to a template.

def weather(context):
    return {"forecast": forecast_at(context["instance"].place)}

register_provider("weather", weather, provides=["forecast"])

Called by ``events.freezing``, which stores what they give.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from ..exceptions import ProviderFailed, ProviderRegistrationError
from ..observing import log_failure
from . import signals

logger = logging.getLogger(__name__)

# From what the firing offers, by name, to the variables that it adds.
ProviderFunction = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Provider:
    function: ProviderFunction
    provides: tuple[str, ...]


_registry: dict[str, Provider] = {}


def register_provider(name, function, provides):
    """Make ``function(context)`` selectable for templates as ``name``; ``provides`` are the names of the
    variables that it adds.

    It runs when the signal is recorded, in the caller's process, and only where a template reads one of its
    names. It gets what the firing offers (the signal's arguments, ``actor_object``, …) by name and returns a
    dict. Call it from any app's ``ready()``.
    """
    provides = (provides,) if isinstance(provides, str) else tuple(provides)
    if not provides or not all(each.isidentifier() and not each.startswith("_") for each in provides):
        raise ProviderRegistrationError(f'“{name}” must say which names it provides: provides=["forecast"].')
    if clash := sorted({*signals.RESERVED_NAMES, "block"}.intersection(provides)):
        raise ProviderRegistrationError(
            f"“{name}” provides {', '.join(clash)}, which templates use for something else."
        )
    for other, taken in _registry.items():
        if other != name and (clash := sorted(set(taken.provides).intersection(provides))):
            raise ProviderRegistrationError(
                f"“{name}” provides {', '.join(clash)}, and so does “{other}”. Choose other names."
            )
    if name in _registry and _registry[name] != Provider(function, provides):
        raise ProviderRegistrationError(
            f"The name “{name}” is taken by another provider. Choose another name."
        )
    _registry[name] = Provider(function, provides)


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


def extended(context, chosen, tree, *, using):
    """``context`` with what the ``chosen`` providers add, as far as ``tree`` reads it. Raises ProviderFailed.

    ``using``: the database whose open transaction a provider's failed query must not break.
    """
    for name in chosen:
        provider = _registry.get(name)
        if provider is None:
            raise ProviderFailed(f"The context provider “{name}” is registered no more.")
        if not tree.keys().isdisjoint(provider.provides):
            added = _ask(name, provider, context, using)
            context = context | {key: added[key] for key in provider.provides if key in added}
    return context


def _ask(name, provider, context, using):
    try:
        if connections[using].get_autocommit():
            added = provider.function(dict(context))
        else:
            # A query of its that fails must not take the caller's transaction along.
            with transaction.atomic(using=using):
                added = provider.function(dict(context))
    except Exception as error:
        log_failure(logger, "The context provider %s failed", name)
        raise ProviderFailed(
            f"The context provider “{name}” failed: {type(error).__name__}. The log has the trace."
        ) from error
    if not isinstance(added, dict):
        raise ProviderFailed(f"The context provider “{name}” returned {type(added).__name__}, not a dict.")
    return added
