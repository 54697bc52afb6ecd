"""Explains why a person would, or would not, get something about an object, tested now.

Each step looks at the Case and returns what it saw. A new one is a function here and a line in TRIGGER_STEPS
or CHANNEL_STEPS.
"""

from dataclasses import dataclass, replace

from django.utils import timezone

from ..events.context import context_of
from ..events.live import LiveTrigger
from ..events.matching import explain_match
from ..exceptions import DataRefused
from ..models import (
    Audience,
    Event,
    Subscription,
    Trigger,
)
from ..rules import roots, signals
from ..rules.plans import Step
from ..templating import keys, snapshot
from .answers import Outcome, Seen
from .people import Person


@dataclass(kw_only=True)
class Case:
    """One person and one trigger for one object; once it comes to channels, one subscription and channel of
    it as well.
    """

    person: Person
    trigger: Trigger
    # As the index holds it; None where it is switched off or cannot be read.
    live: LiveTrigger | None
    context: dict
    event: Event
    subscription: Subscription | None = None
    step: Step | None = None
    channel: str = ""

    @property
    def sources(self):
        return Audience.objects.filter(subscriptions=self.subscription).prefetch_related("groups")


def context_for(trigger, instance):
    """The context that a firing about ``instance`` would offer to matching. What only its sender knows is
    None.
    """
    registered = signals.get(trigger.verb)
    # A signal of the project's own calls its object something: it says what, or it is known by its type or by
    # the name of the model.
    typed = (
        name for name, each in registered.types.items() if each.model and isinstance(instance, each.model)
    )
    name = registered.object or next(typed, instance._meta.model_name)
    named = {registered.own_name(name): instance} if name in registered.args else {}
    return context_of(
        registered, instance.__class__, {"instance": instance, "action_object": instance, **named}
    )


def event_for(trigger, live, context, instance):
    """The event that it would be, not saved: what functions that choose recipients are asked with."""
    event = Event(
        trigger_id=trigger.pk,
        verb=trigger.verb,
        action_object=keys.object_text(instance),
        created_at=timezone.now(),
    )
    event.data = {}
    try:
        event.data = snapshot.freeze(context, live.paths) if live else {}
    except DataRefused as error:
        event.reason = str(error)
    return event


def look_at_switch(case):
    about = (Trigger, case.trigger.pk)
    if not case.trigger.enabled:
        return Seen(f"the trigger “{case.trigger}” is switched off.", Outcome.WOULD_NOT, about)
    if case.live is None:
        return Seen(
            f"the trigger “{case.trigger}” cannot be read. The log says why.", Outcome.WOULD_NOT, about
        )
    return Seen(f"the trigger “{case.trigger}” is switched on.", about=about)


def look_at_instance(case):
    about = (Trigger, case.trigger.pk)
    one, instance = case.trigger.object_pk, case.context["action_object"]
    if one and not keys.is_key(instance.__class__, one, instance):
        return Seen(
            f"the trigger is only for {case.trigger.model}:{case.trigger.object_pk}.",
            Outcome.WOULD_NOT,
            about,
        )


def look_at_match(case):
    # Who does it, and with what target, is known only when it happens.
    live = replace(case.live, actor_model="", actor_pk="", target="")
    created = (
        {"created": True, "updated": False}.get(case.trigger.on)
        if case.trigger.verb.endswith("_save")
        else None
    )
    about = (Trigger, case.trigger.pk)
    if because := why_not(live, case.context, created):
        return Seen(because, Outcome.WOULD_NOT, about)
    only = [f"when it is {case.trigger.get_on_display()}"] if created is not None else []
    only += (
        [f"when {case.trigger.actor_model}:{case.trigger.actor_pk or 'any'} does it"]
        if case.trigger.actor_model
        else []
    )
    only += [f"when the target is “{case.trigger.target}”"] if case.trigger.target else []
    return Seen(
        f"the object fits as it is now{'; it counts only ' + ' and '.join(only) if only else ''}.",
        about=about,
    )


def why_not(live, context, created):
    """The reason why ``live`` does not match, or nothing."""
    because = explain_match(live, context, created)
    return f"{because.rstrip('.')}." if because else ""


def look_at_shadow(case):
    if case.trigger.shadow:
        text = "the trigger is in shadow mode: it would record what it would send, and send nothing."
        return Seen(text, Outcome.WOULD_NOT, (Trigger, case.trigger.pk))


def look_at_data(case):
    if case.event.reason:
        return Seen(case.event.reason, Outcome.WOULD_NOT, (Trigger, case.trigger.pk))


def look_at_plan(case):
    if not case.trigger.subscriptions.exists():
        return Seen(
            "the trigger has no subscription, so nothing would be sent.",
            Outcome.WOULD_NOT,
            (Trigger, case.trigger.pk),
        )


TRIGGER_STEPS = [
    ("Trigger", look_at_switch),
    ("Object", look_at_instance),
    ("Match", look_at_match),
    ("Data", look_at_data),
    ("Shadow mode", look_at_shadow),
    ("What to send", look_at_plan),
]


def triggers_about(instance):
    """The triggers, switched on or off, that are about the model of ``instance`` or one that it inherits
    from.
    """
    found = Trigger.objects.select_related("category").prefetch_related("subscriptions__template")
    models = {trigger: roots.object_of(trigger) for trigger in found if signals.get(trigger.verb)}
    return [trigger for trigger, model in models.items() if model and isinstance(instance, model)]
