"""Explains why this person did, or did not, get it: steps in order, up to the one that decided.

Calls ``deliveries``, ``events``, ``gates`` and ``people``; the admin and ``notify explain`` call it.
"""

from itertools import chain

from ..channels import registry
from ..events import loading
from ..models import OF_NO_RULE, Delivery, Event, Subscription, Trigger
from ..rules import plans
from . import delivered, foreseen, foreseen_channel, recorded, stored
from .answers import Answer, Outcome, Step, walk
from .people import Person, find_person, person_of
from .subjects import find_subject

__all__ = [
    "Answer",
    "Outcome",
    "Person",
    "Step",
    "explain",
    "explain_period",
    "find_person",
    "find_subject",
    "person_of",
]

# Events of a period that are looked at, the newest first.
MOST_EVENTS = 50


def explain(person, subject, channel=""):
    """The Answers for a Person and an Event, or an object that is tested now: one a channel of each
    subscription.

    ``channel`` leaves only that one. A single Answer without a channel says what was decided before it came
    to channels.
    """
    return (
        _explain_event(person, subject, channel)
        if isinstance(subject, Event)
        else _explain_object(person, subject, channel)
    )


def _explain_event(person, event, channel):
    trigger = Trigger.objects.filter(pk=event.trigger_id).first()
    plan = stored.steps_of(event) or _plan_of_test(event)
    pairs = [(step, name) for step in plan for name in ([channel] if channel else plans.channels_of(step))]
    deliveries = _deliveries_of(person, event, pairs)
    case = recorded.Case(person=person, event=event, trigger=trigger, deliveries=deliveries)
    early = walk(case, recorded.EVENT_STEPS, later=delivered.CHANNEL_STEPS, trigger=trigger, about=event)
    if early:
        return [early]
    live = Subscription.objects.select_related("trigger", "template").in_bulk(
        [step["subscription"] for step in plan]
    )
    found = []
    for step, name in pairs:
        one = recorded.Case(
            person=person, event=event, trigger=trigger, deliveries=deliveries,
            step=step, subscription=live.get(step["subscription"]), channel=name,
        )  # fmt: skip
        steps = recorded.EVENT_STEPS + delivered.CHANNEL_STEPS
        found.append(walk(one, steps, trigger=trigger, about=event, delivery=one.delivery))
    return found


def _plan_of_test(event):
    """The plan of an editor's test: none is stored, as no fan-out has a part in it."""
    sent = event.deliveries.values_list("channel", flat=True) if event.is_test else ()
    return [{"subscription": OF_NO_RULE, "contents": {name: {} for name in sent}}] if sent else []


def _deliveries_of(person, event, pairs):
    """``(subscription, channel)`` → what this person has of the event.

    By the unique key, so quick among millions.
    """
    recipients = list(
        dict.fromkeys(chain.from_iterable(person.recipients(name) for name in {name for _, name in pairs}))
    )
    mine = Delivery.objects.filter(
        event=event, recipient__in=recipients, channel__in={name for _, name in pairs},
        subscription__in=[step["subscription"] for step, _ in pairs],
    )  # fmt: skip
    # The person's own comes last, and so before one that came by the same address.
    ordered = sorted(mine, key=lambda row: row.recipient == person.key)
    return {(row.subscription_id, row.channel): row for row in ordered}


def _explain_object(person, instance, channel):
    live = {each.pk: each for each in loading.load_triggers()}
    return list(
        chain.from_iterable(
            _explain_trigger(person, trigger, live.get(trigger.pk), instance, channel)
            for trigger in foreseen.triggers_about(instance)
        )
    )


def _explain_trigger(person, trigger, live, instance, channel):
    context = foreseen.context_for(trigger, instance)
    event = foreseen.event_for(trigger, live, context, instance)
    case = foreseen.Case(person=person, trigger=trigger, live=live, context=context, event=event)
    if early := walk(
        case, foreseen.TRIGGER_STEPS, later=foreseen_channel.CHANNEL_STEPS, trigger=trigger, about=instance
    ):
        return [early]
    steps = {step["subscription"]: step for step in live.plan}
    every_step, found = foreseen.TRIGGER_STEPS + foreseen_channel.CHANNEL_STEPS, []
    for subscription in trigger.subscriptions.all():
        for name in [channel] if channel else subscription.channels:
            one = foreseen.Case(
                person=person, trigger=trigger, live=live, context=context, event=event,
                subscription=subscription, step=steps.get(subscription.pk), channel=name,
            )  # fmt: skip
            found.append(walk(one, every_step, trigger=trigger, about=instance))
    return found


def explain_period(person, start, end, channel=""):
    """``([(Event, Answers)], more)`` of the events between two times, the newest first; ``more`` says that
    older ones were left out.

    An event before the period counts by what was sent of it to this person in the period.
    """
    events = Event.objects.filter(created_at__gte=start, created_at__lt=end).order_by("-created_at", "-pk")[
        : MOST_EVENTS + 1
    ]
    keys = list(dict.fromkeys(chain.from_iterable(person.recipients(name) for name in _channels_of(channel))))
    mine = Delivery.objects.filter(recipient__in=keys, created_at__gte=start, created_at__lt=end).order_by(
        "-pk"
    )
    found = {event.pk: event for event in events}
    found |= Event.objects.in_bulk(list(mine.values_list("event_id", flat=True)[: MOST_EVENTS + 1]))
    newest = sorted(found.values(), key=lambda event: (event.created_at, event.pk), reverse=True)
    return [(event, explain(person, event, channel)) for event in newest[:MOST_EVENTS]], len(
        newest
    ) > MOST_EVENTS


def _channels_of(channel):
    return [channel] if channel else registry.channel_names()
