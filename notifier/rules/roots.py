"""What the names that an event offers stand for, as far as its trigger and its signal say.

Called by ``offers`` and ``condition_types``, and by what makes samples and offers names to click on.
"""

from typing import Protocol

from django.contrib.auth import get_user_model
from django.db.models import Model

from ..templating import permitted, readable
from . import signals
from .arguments import Declared


class Ruled(Protocol):
    """The part of a trigger's row that says what it is about."""

    verb: str
    model: str
    actor_model: str


def types_of(trigger: Ruled) -> dict[str, Declared]:
    """Name → Declared of what the events of ``trigger`` offer. What nothing is known of is left out."""
    registered = signals.get(trigger.verb)
    found = dict(registered.types) if registered else {}
    model, actor = object_of(trigger), _actor_of(trigger)
    about = {"action_object": model, "actor_object": actor, "user": get_user_model()}
    if registered:
        if "instance" in registered.args:
            about["instance"] = model
        about |= {registered.object: model, registered.actor: actor}
        if registered.target in found:
            found["target"] = found[registered.target]
    return found | {name: Declared(model=kind) for name, kind in about.items() if name and kind}


def models_of(trigger: Ruled) -> dict[str, type[Model]]:
    """Name → model of those that stand for one object."""
    return {name: each.model for name, each in types_of(trigger).items() if each.model}


def object_of(trigger: Ruled) -> type[Model] | None:
    """The model of the action object: the trigger's, or the signal's own, whichever is narrower."""
    return _narrower(trigger.model, _declared(trigger, "object", "action_object"))


def _actor_of(trigger: Ruled) -> type[Model] | None:
    return _narrower(trigger.actor_model, _declared(trigger, "actor", "actor_object"))


def _narrower(label: str, given: type[Model] | None) -> type[Model] | None:
    wanted = readable.find_model(label) if label else None
    return given if wanted is None or given and issubclass(given, wanted) else wanted


def _declared(trigger: Ruled, part: str, standard: str) -> type[Model] | None:
    """The model that the signal is registered with for its object or actor."""
    registered = signals.get(trigger.verb)
    if registered is None:
        return None
    found = registered.types.get(getattr(registered, part)) or registered.types.get(standard)
    return found.model if found else None


def never_fits(trigger: Ruled) -> tuple[str, str] | None:
    """``(column, why)`` where no firing of its signal could be about what ``trigger`` names; else None."""
    registered = signals.get(trigger.verb)
    for column, part, standard in (
        ("model", "object", "action_object"),
        ("actor_model", "actor", "actor_object"),
    ):
        wanted, given = readable.find_model(getattr(trigger, column)), _declared(trigger, part, standard)
        if wanted and given and registered and not (issubclass(wanted, given) or issubclass(given, wanted)):
            own = getattr(registered, part) or standard
            return column, (
                f"The signal {trigger.verb} is registered with {given._meta.object_name} as its {own}, which "
                f"is never {wanted._meta.object_name}. Choose {given._meta.label_lower}, or leave it blank."
            )
    return None


def not_permitted(trigger: Ruled) -> tuple[str, str] | None:
    """``(column, why)`` where no event may be about what ``trigger`` names, or its signal is about; else
    None.
    """
    for column, kind in (("model", object_of(trigger)), ("actor_model", _actor_of(trigger))):
        for each in (kind, readable.find_model(getattr(trigger, column))):
            if each and (why := permitted.refusal(each)):
                return column, why
    return None


def unchecked(trigger: Ruled) -> list[str]:
    """The arguments of its signal that nothing is known of, as templates name them, sorted.

    Django's own are nobody's to register.
    """
    registered = signals.get(trigger.verb)
    if registered is None or registered.about_model:
        return []
    return sorted(set(registered.args) - types_of(trigger).keys())


def how_to_check(trigger: Ruled, name: str) -> str:
    """What a programmer does about an unchecked argument, as a sentence."""
    registered = signals.get(trigger.verb)
    own = registered.own_names.get(name, name) if registered else name
    return f'Register the signal {trigger.verb} with its type, as in args={{"{own}": Model}}.'
