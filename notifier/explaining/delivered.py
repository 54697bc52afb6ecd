"""The fate of one event for one person on one channel: steps over what is on record."""

from django.contrib.auth import get_user_model

from ..channels import registry
from ..models import Audience, ContactPoint, Delivery, Event, Trigger
from ..people import whereabouts
from .answers import Outcome, Seen
from .audience_words import describe_sources
from .delivered_sending import look_at_provider, look_at_queue, look_at_template, other_delivery
from .people import is_member
from .recorded import paused
from .wording import moment, words_of

Status = Delivery.Status
FLOW_REASONS = ("expired", "read", "not_needed", "throttled", "cooldown")


def look_at_subscription(case):
    if case.event.is_test:
        return None
    if case.delivery:
        return Seen(
            f"the subscription {case.subscription or 'that has been deleted since'} was switched on.",
            about=_rule(case),
        )
    if case.subscription and case.subscription.enabled:
        return Seen(f"the subscription {case.subscription} is switched on.", about=_rule(case))
    if case.event.deliveries.filter(subscription=case.step["subscription"]).exists():
        # It was on when the recipients were found, or began to be.
        return (
            Seen("the subscription was switched on then, and is off or deleted now.", about=_rule(case))
            if case.subscription
            else Seen(
                "the subscription has been deleted since. Whom it was for is not on record any more.",
                Outcome.OFF_RECORD,
            )
        )
    gone = "has been deleted" if case.subscription is None else "is switched off"
    text = f"the subscription {gone}, and it sent nothing of this event to anybody."
    return Seen(text, Outcome.NOT, _rule(case))


def look_at_channel(case):
    if case.channel in case.step.get("unwritten", ()):
        text = f"the template had no content for {registry.noun(case.channel)}, so there was nothing to send."
        return Seen(text, Outcome.NOT, _rule(case))
    if case.channel not in case.step["contents"]:
        has = ", ".join(case.step["contents"]) or "no channel"
        return Seen(
            f"this event was not meant for {case.channel}: its subscription had {has}.",
            Outcome.NOT,
            _rule(case),
        )


def look_at_audience(case):
    if case.delivery:
        if case.delivery.recipient == case.person.key:
            return Seen(f"{case.person.name} was among the recipients.", about=(Delivery, case.delivery.pk))
        text = (
            f"{case.person.name} was among the recipients by the same address, as "
            f"{other_delivery(case.delivery)}: nobody gets a thing twice."
        )
        return Seen(text, about=(Delivery, case.delivery.pk))
    looked = describe_sources(case.sources) or "nobody"
    about = next(((Audience, each.pk) for each in case.sources), _rule(case))
    if not is_member(case.person, case.channel, case.event, case.sources, case.step.get("recipients", ())):
        inactive = " The account is not active." if _is_inactive(case.person) else ""
        return Seen(
            f"{case.person.name} is not in the audience as it is now. Looked at: {looked}.{inactive}",
            Outcome.NOT,
            about,
        )
    if case.event.status == Event.Status.DONE:
        text = (
            f"{case.person.name} is in the audience now ({looked}), but was not when the "
            "recipients were found, "
            "or the subscription was off then. Which of the two is not on record."
        )
        return Seen(text, Outcome.OFF_RECORD, about)
    return Seen(f"{case.person.name} is in the audience as it is now ({looked}).", about=about)


def look_at_fan_out(case):
    if case.delivery:
        return None
    if case.event.status == Event.Status.FAILED:
        return Seen(
            f"the recipients were not all found: {case.event.reason}", Outcome.NOT, (Event, case.event.pk)
        )
    if case.event.status == Event.Status.CANCELLED:
        text = "a person took the event back before this one’s turn came. The event’s history says who."
        return Seen(text, Outcome.NOT, (Event, case.event.pk))
    if pause := paused(case):
        return pause
    text = "the recipients are still being found, and this one’s turn has not come."
    return Seen(text, Outcome.WAITS, (Event, case.event.pk))


def look_at_account(case):
    if case.delivery.reason == "inactive":
        return Seen("the account was not active.", Outcome.NOT, _user(case))
    if case.delivery.reason == whereabouts.GONE:
        return Seen("the account had been deleted.", Outcome.NOT, _user(case))


def look_at_address(case):
    if case.delivery.reason == "no_address":
        now = case.person.place_on(case.channel)
        since = " There is one now." if now.address and now.is_verified else ""
        return Seen(
            f"there was no address for {registry.noun(case.channel)}.{since}", Outcome.NOT, _user(case)
        )
    # The person is the address
    if not case.delivery.address or registry.addresses().get(case.channel) == "pk":
        return None
    return Seen(f"the address was {case.delivery.address}.", about=_user(case))


def look_at_verified(case):
    if case.delivery.reason == "unverified":
        point = ContactPoint.objects.filter(
            user=case.person.user and case.person.user.pk, channel=case.channel
        ).first()
        about = (ContactPoint, point.pk) if point else _user(case)
        return Seen(f"the address for {case.channel} was not verified.", Outcome.NOT, about)


def look_at_flow(case):
    if case.delivery.status == Status.SKIPPED and case.delivery.reason in FLOW_REASONS:
        return Seen(words_of(case.delivery), Outcome.NOT, _rule(case))
    if case.delivery.status == Status.STANDBY:
        text = (
            f"it stands by: it goes only if {case.delivery.follows} does not succeed, or its "
            "message comes back."
        )
        return Seen(text, Outcome.WAITS, _rule(case))
    if case.delivery.status == Status.WAITING and case.delivery.reason in ("digest", "if_unread"):
        text = f"it waits until {moment(case.delivery.due_at)}: {words_of(case.delivery)}"
        return Seen(text, Outcome.WAITS, (Delivery, case.delivery.pk))


def look_at_preferences(case):
    if case.delivery.status == Status.SKIPPED:
        return Seen(words_of(case.delivery), Outcome.NOT, (Delivery, case.delivery.pk))


def look_at_cancelled(case):
    if case.delivery.status == Status.CANCELLED:
        text = "a person took it back before it was sent. The delivery’s history says who."
        return Seen(text, Outcome.NOT, (Delivery, case.delivery.pk))


def look_at_pause(case):
    if case.delivery.status == Status.HELD:
        return paused(case) or Seen("it is held, and goes on as soon as it is released.", Outcome.WAITS)
    return paused(case) if case.delivery.status in (Status.QUEUED, Status.WAITING) else None


CHANNEL_STEPS = [
    ("Subscription", look_at_subscription),
    ("Channel", look_at_channel),
    ("Audience", look_at_audience),
    ("Finding recipients", look_at_fan_out),
    ("Account", look_at_account),
    ("Address", look_at_address),
    ("Verified", look_at_verified),
    ("How often, and how", look_at_flow),
    ("Opting out", look_at_preferences),
    ("Cancelled", look_at_cancelled),
    ("Paused", look_at_pause),
    ("Template", look_at_template),
    ("Queue", look_at_queue),
    ("Provider", look_at_provider),
]


def _is_inactive(person):
    return person.user is not None and not getattr(person.user, "is_active", True)


def _rule(case):
    return (Trigger, case.event.trigger_id) if case.trigger else None


def _user(case):
    return (get_user_model(), case.person.user.pk) if case.person.user else None
