"""Explains why a person would, or would not, get something about an object, tested now.

Each step looks at the Case and returns what it saw. A new one is a function here and a line in TRIGGER_STEPS
or CHANNEL_STEPS.
"""

from dataclasses import dataclass, replace

from django.contrib.auth import get_user_model
from django.utils import timezone

from ..channels import registry
from ..events import recipients
from ..events.context import context_of
from ..events.live import LiveTrigger
from ..events.matching import explain_match
from ..gates import allow_list, channels_own, opted_out, quiet_hours
from ..models import (
    Allowance,
    Audience,
    Delivery,
    Event,
    OptOut,
    Preferences,
    Subscription,
    Suppression,
    Template,
    Trigger,
)
from ..people import opt_outs, suppression
from ..rules import signals
from ..rules.plans import Step
from ..templating import readable, snapshot
from . import summaries
from .answers import Outcome, Seen
from .audience_words import describe_sources
from .people import Person, is_member
from .recorded import paused
from .wording import moment, words_of


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
    # A signal of the project's own calls its object something: most often by the model's name.
    named = {instance._meta.model_name: instance} if instance._meta.model_name in registered.args else {}
    return context_of(
        registered, instance.__class__, {"instance": instance, "action_object": instance, **named}
    )


def event_for(trigger, live, context, instance):
    """The event that it would be, not saved: what functions that choose recipients are asked with."""
    described = f"{instance._meta.label_lower}:{instance.pk}"[:300]
    event = Event(
        trigger_id=trigger.pk, verb=trigger.verb, action_object=described, created_at=timezone.now()
    )
    event.data = snapshot.freeze(context, live.paths) if live else {}
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
    if case.trigger.object_pk and case.trigger.object_pk != str(case.context["action_object"].pk):
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


def look_at_plan(case):
    if not case.trigger.subscriptions.exists():
        return Seen(
            "the trigger has no subscription, so nothing would be sent.",
            Outcome.WOULD_NOT,
            (Trigger, case.trigger.pk),
        )


def look_at_subscription(case):
    off = not case.subscription.enabled
    text = f"the subscription {case.subscription} is switched {'off' if off else 'on'}."
    return Seen(text, Outcome.WOULD_NOT if off else None, (Trigger, case.trigger.pk))


def look_at_channel(case):
    if case.channel not in case.subscription.channels:
        has = ", ".join(case.subscription.channels)
        return Seen(
            f"the subscription has {has}, and not {case.channel}.",
            Outcome.WOULD_NOT,
            (Trigger, case.trigger.pk),
        )
    if case.step is None or case.channel not in case.step["contents"]:
        text = f"the template “{case.subscription.template}” has no content for {case.channel}."
        return Seen(text, Outcome.WOULD_NOT, (Template, case.subscription.template_id))


def look_at_audience(case):
    lines = case.live.recipient_paths.get(case.subscription.pk, ())
    deleting = case.trigger.verb.endswith("_delete")
    frozen = recipients.freeze_recipients(lines, case.context, deleting=deleting)
    looked = describe_sources(case.sources) or "nobody"
    about = next(((Audience, each.pk) for each in case.sources), (Trigger, case.trigger.pk))
    if is_member(case.person, case.channel, case.event, case.sources, frozen):
        return Seen(f"{case.person.name} is in the audience ({looked}).", about=about)
    inactive = case.person.user is not None and not getattr(case.person.user, "is_active", True)
    text = (
        f"{case.person.name} is not in the audience. Looked at: "
        f"{looked}.{' The account is not active.' if inactive else ''}"
    )
    return Seen(text, Outcome.WOULD_NOT, about)


def look_at_account(case):
    if case.person.user is not None and not getattr(case.person.user, "is_active", True):
        return Seen("the account is not active.", Outcome.WOULD_NOT, _user(case))


def look_at_address(case):
    place = case.person.place_on(case.channel)
    if not place.address:
        return Seen(f"there is no address for {registry.noun(case.channel)}.", Outcome.WOULD_NOT, _user(case))
    if not place.is_verified:
        return Seen(f"the address for {case.channel} is not verified.", Outcome.WOULD_NOT, _user(case))
    return Seen(f"the address is {place.address}.", about=_user(case))


def look_at_own_gate(case):
    place = case.person.place_on(case.channel)
    delivery = Delivery(
        subscription=case.subscription, channel=case.channel, recipient=case.person.key, address=place.address
    )
    (refused,) = channels_own.refuse([delivery], case.channel)
    if refused:
        delivery.reason, delivery.detail = refused.reason, refused.detail
        return Seen(words_of(delivery), Outcome.WOULD_NOT, _user(case))


def look_at_allow_list(case):
    if not allow_list.is_allowed(case.channel, case.person.place_on(case.channel).address):
        return Seen(allow_list.describe(), Outcome.WOULD_NOT)


def look_at_suppression(case):
    if found := suppression.find(case.channel, case.person.place_on(case.channel).address):
        text = f"nothing more is sent to this address. {suppression.describe(found)}"
        return Seen(text, Outcome.WOULD_NOT, (Suppression, found.pk))


def look_at_flow(case):
    one, about = case.subscription, (Trigger, case.trigger.pk)
    had = Allowance.objects.filter(
        subscription_id=one.pk, recipient=case.person.key, ends_at__gt=timezone.now()
    )
    for objects, most, why in (
        ([case.event.action_object] if one.cooldown_minutes else [], 1, "has heard of the same object"),
        (
            [""] if one.throttle_number else [],
            one.throttle_number,
            "has had as many as the subscription allows",
        ),
    ):
        if full := had.filter(about__in=objects, number__gte=most or 1).first() if objects else None:
            return Seen(
                f"{case.person.name} {why}; that counts until {moment(full.ends_at)}.",
                Outcome.WOULD_NOT,
                about,
            )
    if flow := summaries.describe_flow(one):
        return Seen(f"it would go by the subscription’s own rules: {flow}.", about=about)


def look_at_opt_outs(case):
    category = case.trigger.category
    if row := opt_outs.deciding(opt_outs.rows_of(case.person.key), category, case.channel):
        said = opted_out.describe(row, row.category and row.category.title)
        return Seen(f"the person has opted out. {said}", Outcome.WOULD_NOT, (OptOut, row.pk))
    if category:
        always = "is mandatory, so nobody can opt out of it" if category.mandatory else "was not opted out of"
        return Seen(f"the category “{category}” {always}.")


def look_at_quiet_hours(case):
    """They only make it later."""
    category = case.trigger.category
    if case.person.user is None or category and category.mandatory or not registry.disturbs(case.channel):
        return None
    wish = Preferences.objects.filter(user=case.person.user.pk).first()
    end = wish and quiet_hours.quiet_until(wish, timezone.now())
    if end:
        text = (
            f"it is in the person’s quiet hours: it would wait until {quiet_hours.describe_end(wish, end)}."
        )
        return Seen(text, about=(Preferences, wish.pk))


def look_at_pause(case):
    if pause := paused(case):
        return replace(pause, outcome=Outcome.WOULD_NOT)


def look_at_end(case):
    if case.trigger.actor_model or case.trigger.target:
        text = "all that can be known now is in order; who does it, and with what target, decides."
        return Seen(text, Outcome.MIGHT, (Trigger, case.trigger.pk))
    return Seen(
        f"all is in order. The template and the provider of {case.channel} have the last word.", Outcome.WOULD
    )


TRIGGER_STEPS = [
    ("Trigger", look_at_switch),
    ("Object", look_at_instance),
    ("Match", look_at_match),
    ("Shadow mode", look_at_shadow),
    ("What to send", look_at_plan),
]
CHANNEL_STEPS = [
    ("Subscription", look_at_subscription),
    ("Channel", look_at_channel),
    ("Audience", look_at_audience),
    ("Account", look_at_account),
    ("Address", look_at_address),
    ("The channel’s own rule", look_at_own_gate),
    ("Allowed here", look_at_allow_list),
    ("Suppressed", look_at_suppression),
    ("Opting out", look_at_opt_outs),
    ("Quiet hours", look_at_quiet_hours),
    ("How often, and how", look_at_flow),
    ("Paused", look_at_pause),
    ("Sending", look_at_end),
]


def triggers_about(instance):
    """The triggers, switched on or off, that are about the model of ``instance`` or one that it inherits
    from.
    """
    found = Trigger.objects.select_related("category").prefetch_related("subscriptions__template")
    models = {
        trigger: readable.find_model(trigger.model)
        for trigger in found
        if trigger.model and signals.get(trigger.verb)
    }
    return [trigger for trigger, model in models.items() if model and isinstance(instance, model)]


def _user(case):
    return (get_user_model(), case.person.user.pk) if case.person.user else None
