"""Subscriptions with a flow, and what becomes of their events, without a cloud: for the tests of fallback,
digests and pacing.
"""

import datetime as dt

from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import fanout
from notifier.deliveries.clock import Clock
from notifier.deliveries.worker import Channel
from notifier.models import Category, Delivery, Event, Subscription
from notifier.queue import publisher
from tests.support.builders import make_audience, make_event, make_user

# Nobody's function ends while a test plays it.
LEASE_SECONDS = 900
POLICY = deliveries.Policy(at_most_once=False, horizon=dt.timedelta(hours=24))
AT_MOST_ONCE = deliveries.Policy(at_most_once=True, horizon=dt.timedelta(hours=24))
CONTENT = {
    "subject": "{{ title }}",
    "text": "{% for event in events %}[{{ event.title }}]{% endfor %} {{ title }}",
}


def flowing_event(*, channels=("email",), users=None, category=None, text=None, addresses="", **flow):
    """An event of one subscription with this flow, to ``users``, by default a new one."""
    contents = {channel: CONTENT | ({"text": text} if text else {}) for channel in channels}
    audience = make_audience(users=[make_user()] if users is None else users, addresses=addresses)
    event = make_event(contents=contents, audiences=[audience], data={"title": "first"}, category=category)
    # As its author has ordered them: a content's order is another.
    Subscription.objects.filter(trigger=event.trigger).update(channels=list(channels), **flow)
    return event


def another(event, title="next", **values):
    """One more event of the same rule."""
    now = timezone.now()
    same = {"trigger": event.trigger, "verb": event.verb, "plan": event.plan, "category": event.category}
    return Event.objects.create(data={"title": title}, created_at=now, due_at=now, **(same | values))


def fan_out(*events):
    with publisher.diverted():
        for event in events:
            fanout.fan_out(event.pk, lease_seconds=900)


def send(*ids, channel="email", answer="provider’s id", policy=POLICY):
    """As a channel’s function does, by the worker itself. Returns the messages that were sent."""
    sent = []

    def send_batch(messages, _session):
        sent.extend(messages)
        return [answer] * len(messages)

    with Clock.lasting(LEASE_SECONDS) as clock:
        keys = [getattr(each, "pk", each) for each in ids]
        Channel(name=channel, send_batch=send_batch, policy=policy, batch_size=100).deliver(keys, clock)
    return sent


def let_flow(**span):
    """Let time pass, for all that has a due time."""
    for each in Delivery.objects.all():
        for name in ("due_at", "finished_at", "expires_at"):
            if (time := getattr(each, name)) is not None:
                Delivery.objects.filter(pk=each.pk).update(**{name: time - dt.timedelta(**span)})


def sweep():
    """What the sweep rings for, by channel: until it finds nothing more."""
    found = []
    while page := deliveries.take_due(100):
        found += page
    return found + deliveries.take_due(100)


def by_channel():
    """Channel → status and reason, of one person's deliveries."""
    return {
        each.channel: " ".join(filter(None, [each.status, each.reason])) for each in Delivery.objects.all()
    }


def make_category(**values):
    return Category.objects.create(**({"name": f"news{Category.objects.count()}", "title": "News"} | values))
