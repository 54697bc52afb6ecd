"""The fate of one event for one person on one channel: steps over what is on record."""

from django.contrib.auth import get_user_model

from ..channels import registry
from ..channels.recipient import Recipient
from ..models import Audience, ContactPoint, ContentVersion, Delivery, Event, Feedback, Template, Trigger
from ..people import suppression
from .answers import Outcome, Seen
from .audience_words import describe_sources
from .people import is_member
from .recorded import paused
from .wording import moment, words_of

Status = Delivery.Status
FLOW_REASONS = ("expired", "read", "not_needed", "throttled", "cooldown")
TEMPLATE_REASONS = ("template_failed", "template_deleted")


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
            f"{_other(case.delivery)}: nobody gets a thing twice."
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


def look_at_template(case):
    # Together with the delivery, as they were: a version never changes.
    version = (
        ContentVersion.objects.filter(pk=case.delivery.version_id).select_related("content__template").first()
    )
    about = (Template, version.content.template_id) if version else None
    named = (
        f"the template “{version.content.template}”, version {version.number}," if version else "the template"
    )
    if case.delivery.reason in TEMPLATE_REASONS:
        return Seen(f"{named} failed: {words_of(case.delivery)}", Outcome.NOT, about)
    if version is None:
        return Seen("the template has been deleted since.")
    return Seen(
        f"{named} was used." if case.delivery.status == Status.SENT else f"{named} is to be used.",
        about=about,
    )


def look_at_queue(case):
    delivery, about = case.delivery, (Delivery, case.delivery.pk)
    if delivery.status == Status.QUEUED:
        again = f" {_tries(delivery)} went before." if delivery.attempts else ""
        return Seen(f"it is on its way to the function that sends it.{again}", Outcome.WAITS, about)
    if delivery.status == Status.WAITING:
        after = f", after {_tries(delivery)}" if delivery.attempts else ""
        text = f"it waits until {moment(delivery.due_at)}{after}: {words_of(delivery)}"
        return Seen(text, Outcome.WAITS, about)
    if delivery.status == Status.CLAIMED:
        return Seen("a function is working on it.", Outcome.WAITS, about)


def look_at_provider(case):
    delivery, about = case.delivery, (Delivery, case.delivery.pk)
    if delivery.status == Status.SENDING:
        return Seen("the provider is being called.", Outcome.WAITS, about)
    if delivery.status == Status.UNKNOWN:
        return Seen(f"the provider’s answer is not known: {words_of(delivery)}", Outcome.DOUBT, about)
    if delivery.status == Status.FAILED:
        return Seen(words_of(delivery), Outcome.NOT, about)
    if delivery.returned:
        # Who complains has got it.
        return Seen(
            _undone(delivery),
            Outcome.GOT if delivery.returned == Feedback.Kind.COMPLAINED else Outcome.NOT,
            about,
        )
    named = f" as {delivery.provider_id}" if delivery.provider_id else ", without telling an id"
    language = f", in {delivery.language}" if delivery.language else ""
    again = f" That was attempt {delivery.attempts}." if delivery.attempts > 1 else ""
    at = f" at {moment(delivery.finished_at)}" if delivery.finished_at else ""
    together = f" {delivery.detail}" if delivery.digest and delivery.detail else ""
    return Seen(f"the provider took it{at}{named}{language}.{again}{together}", Outcome.GOT, about)


def _undone(delivery):
    """“the provider took it, and then it bounced: …”; somebody who complains has got it, and wants no
    more.
    """
    heard = delivery.feedback.filter(kind=delivery.returned).order_by("happened_at", "pk").last()
    then = {"bounced": "then it bounced", "complained": "whoever got it complained"}.get(
        delivery.returned, "did not send it after all"
    )
    said = f": {heard.detail}" if heard and heard.detail else "."
    return f"the provider took it, and {then}{said} {_what_now(delivery)}".strip()


def _what_now(delivery):
    found = suppression.find(delivery.channel, delivery.address)
    return "Nothing more is sent to this address." if found else ""


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


def _other(delivery):
    recipient = Recipient.parse(delivery.recipient)
    return f"the user {recipient.user_key}" if recipient.is_user else "a plain address of the audience"


def _tries(delivery):
    return f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
