"""Explains why a person did, or did not, get what an event was about: steps over what is on record.

``delivered`` goes on once it comes to channels.

Each step looks at the Case and returns what it saw. A new one is a function here and a line in EVENT_STEPS,
or CHANNEL_STEPS there. What is not on record is not guessed: who was in an audience is known only of those
who have a delivery.
"""

from dataclasses import dataclass

from django.utils import timezone

from ..models import Audience, Event, Pause, Subscription, Trigger
from ..rules import plans
from . import stored
from .answers import Outcome, Seen
from .people import Person
from .wording import moment


@dataclass(kw_only=True)
class Case:
    """One person and one event; once it comes to channels, one subscription and channel of it as well."""

    person: Person
    event: Event
    trigger: Trigger | None
    deliveries: dict
    step: dict | None = None
    subscription: Subscription | None = None
    channel: str = ""

    @property
    def delivery(self):
        return self.deliveries.get((self.step["subscription"], self.channel)) if self.step else None

    @property
    def sources(self):
        return Audience.objects.filter(subscriptions=self.subscription).prefetch_related("groups")


def look_at_signal(case):
    what = f" of {case.event.action_object}" if case.event.action_object else ""
    by = f", by {case.event.actor}" if case.event.actor else ""
    gone = (
        f" Its words and addresses were removed for their age at {moment(case.event.emptied_at)}."
        if case.event.emptied_at
        else ""
    )
    text = f"the signal {case.event.verb}{what} came at {moment(case.event.created_at)}{by}.{gone}"
    return Seen(text, about=(Event, case.event.pk))


def look_at_cause(case):
    if case.event.causes:
        names = dict(
            Trigger.objects.filter(pk__in=[rule for _, rule in case.event.causes]).values_list("pk", "name")
        )
        chain = ", then ".join(
            f"event {pk} (“{names.get(rule, 'a rule that was deleted')}”)" for pk, rule in case.event.causes
        )
        return Seen(f"sending another event has caused it: {chain}.", about=(Event, case.event.causes[-1][0]))


def look_at_middleware(case):
    if case.event.status == Event.Status.VETOED:
        return Seen(
            f"a signal middleware refused the event: {case.event.reason or 'it gave no reason'}", Outcome.NOT
        )


def look_at_trigger(case):
    if case.event.is_test:
        text = "it was a test, which an editor sent to themselves alone, past triggers and audiences."
        return Seen(text, None if case.deliveries else Outcome.NOT)
    if case.trigger is None:
        return Seen("the trigger matched then, and has been deleted since.")
    now = "" if case.trigger.enabled else " It is switched off now."
    return Seen(f"the trigger “{case.trigger}” matched.{now}", about=(Trigger, case.trigger.pk))


def look_at_shadow(case):
    if case.event.status == Event.Status.SHADOW:
        text = "the trigger was in shadow mode, which records what it would send, and sends nothing."
        return Seen(text, Outcome.NOT, (Trigger, case.event.trigger_id))


def look_at_event(case):
    if case.event.status == Event.Status.FAILED and not case.deliveries:
        return Seen(f"the event failed: {case.event.reason}", Outcome.NOT, (Event, case.event.pk))


def look_at_names(case):
    if nowhere := stored.dead_ends_of(case.event):
        text = f"its templates name what was not there, and so is blank: {', '.join(nowhere)}."
        return Seen(text, about=(Event, case.event.pk))


def look_at_plan(case):
    if not case.event.is_test and not any(map(plans.channels_of, stored.steps_of(case.event))):
        text = "the trigger had no subscription that was switched on, so there was nothing to send."
        return Seen(text, Outcome.NOT, (Trigger, case.event.trigger_id))


def look_at_schedule(case):
    if case.event.starts_at is None:
        return None
    at = moment(case.event.starts_at)
    if case.event.status == Event.Status.RECORDED and case.event.starts_at > timezone.now():
        return Seen(f"it is scheduled for {at}.", Outcome.WAITS, (Event, case.event.pk))
    return Seen(f"it was scheduled for {at}.", about=(Event, case.event.pk))


def look_at_held_event(case):
    if case.event.status == Event.Status.HELD and not case.deliveries:
        return paused(case) or Seen(
            "the event is held, and goes on as soon as it is released.", Outcome.WAITS
        )


EVENT_STEPS = [
    ("Signal", look_at_signal),
    ("Cause", look_at_cause),
    ("Middleware", look_at_middleware),
    ("Trigger", look_at_trigger),
    ("Shadow mode", look_at_shadow),
    ("Event", look_at_event),
    ("Names", look_at_names),
    ("What to send", look_at_plan),
    ("Schedule", look_at_schedule),
    ("Pause", look_at_held_event),
]


def paused(case):
    """The pause that covers this case now, or None."""
    scopes = ["everything", f"trigger:{case.event.trigger_id}", *_channel_scopes(case.channel)]
    pause = Pause.objects.filter(scope__in=scopes).first()
    if pause:
        return Seen(f"{describe_pause(pause)} It goes on when that ends.", Outcome.WAITS, (Pause, pause.pk))


def _channel_scopes(channel):
    return [f"channel:{channel}", f"budget:{channel}"] if channel else []


def describe_pause(pause):
    kind, _colon, name = pause.scope.partition(":")
    if kind == "budget":
        return f"{name} is held since {moment(pause.created_at)}: {pause.reason}"
    what = {"everything": "everything", "channel": f"the channel {name}", "trigger": "the trigger"}.get(
        kind, pause.scope
    )
    by = f" by {pause.paused_by}" if pause.paused_by else ""
    return (
        f"{what} is paused{by} since "
        f"{moment(pause.created_at)}{f' ({pause.reason})' if pause.reason else ''}."
    )
