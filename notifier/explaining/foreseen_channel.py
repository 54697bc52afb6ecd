"""Why a person would, or would not, get something on one channel, tested now. Calls the gates."""

from dataclasses import replace

from django.contrib.auth import get_user_model
from django.utils import timezone

from ..channels import registry
from ..events import recipients
from ..gates import allow_list, channels_own, opted_out, quiet_hours
from ..models import (
    Allowance,
    Audience,
    Delivery,
    OptOut,
    Preferences,
    Suppression,
    Template,
    Trigger,
)
from ..people import opt_outs, suppression, whereabouts
from ..templating import keys
from . import summaries
from .answers import Outcome, Seen
from .audience_words import describe_sources
from .people import is_member
from .recorded import paused
from .wording import moment, words_of


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
    same = keys.sameness(case.event.action_object)
    for objects, most, why in (
        ([same] if one.cooldown_minutes and same else [], 1, "has heard of the same object"),
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
    if wish is None:
        return None
    found = whereabouts.find_all([Delivery(recipient=case.person.key)], case.channel)
    zone = found[case.person.key].time_zone
    if end := quiet_hours.quiet_until(wish, timezone.now(), zone):
        until = quiet_hours.describe_end(wish, end, zone)
        text = f"it is in the person’s quiet hours: it would wait until {until}."
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


def _user(case):
    return (get_user_model(), case.person.user.pk) if case.person.user else None
