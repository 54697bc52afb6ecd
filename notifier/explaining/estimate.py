"""Estimates what a trigger would send, from what it has recorded. Called by the admin.

Nothing is written, nothing is sent.
"""

import datetime as dt
import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from django.utils import timezone

from ..channels import registry
from ..channels.message import Examination, Message
from ..channels.site_address import link_root
from ..deliveries import versions
from ..models import Audience, Event, Trigger
from ..people.addresses import reachable
from ..people.reader_links import sample_links
from ..rules import audiences
from ..templating import rendering
from . import stored

logger = logging.getLogger(__name__)

PERIOD = dt.timedelta(days=7)
# An estimate must not take longer than somebody waits for a page: so many events are looked at, and so many
# counted.
MOST_EVENTS_SAMPLED, MOST_EVENTS_COUNTED = 10, 10_000
# Of these a trigger would have sent nothing either way.
NOT_SENT = (Event.Status.FAILED, Event.Status.VETOED, Event.Status.CANCELLED)


@dataclass(kw_only=True)
class ChannelEstimate:
    """The messages that would go out on one channel.

    ``pieces`` differs from ``messages`` where long ones travel in parts.
    """

    messages: float = 0
    pieces: float = 0
    cost_micros: float = 0

    def add(self, messages, examination, weight):
        self.messages += messages * weight
        self.pieces += messages * weight * max(len(examination.pieces), 1)
        self.cost_micros += messages * weight * examination.cost_micros


@dataclass(kw_only=True)
class Estimate:
    """The messages that a trigger would have sent in PERIOD.

    ``is_exact``: every event was looked at, none stands for others.
    """

    events: int
    is_exact: bool = True
    more_events: bool = False
    channels: dict = field(default_factory=lambda: defaultdict(ChannelEstimate))

    @property
    def cost_micros(self):
        return sum(each.cost_micros for each in self.channels.values())


def estimate(trigger):
    """The Estimate of a trigger: its events of the last PERIOD, to the audiences, templates and addresses of
    now.
    """
    recent = Event.objects.filter(trigger_id=trigger.pk, created_at__gte=timezone.now() - PERIOD).exclude(
        status__in=NOT_SENT
    )
    number = recent.order_by()[: MOST_EVENTS_COUNTED + 1].count()
    events = min(number, MOST_EVENTS_COUNTED)
    sample = _spread(recent, events)
    found = Estimate(events=events, is_exact=len(sample) == number, more_events=number > MOST_EVENTS_COUNTED)
    counted = {}
    for subscription in _live_subscriptions(trigger):
        for event in sample:
            for name, messages in _count(event, subscription, counted).items():
                found.channels[name].add(messages, _examine(event, subscription, name), events / len(sample))
    return found


def _spread(recent, events):
    """Up to MOST_EVENTS_SAMPLED events, spread over all: the newest alone may be of one busy hour."""
    keys = list(recent.order_by("-pk").values_list("pk", flat=True)[:events])
    chosen = keys[:: -(-len(keys) // MOST_EVENTS_SAMPLED)] if keys else []
    return list(Event.objects.filter(pk__in=chosen))


def _live_subscriptions(trigger):
    live = trigger.subscriptions.filter(enabled=True)
    return list(live.select_related("template").prefetch_related("audiences", "template__contents"))


def _count(event, subscription, counted):
    """Messages by channel that one event would send for a subscription.

    Audiences that all events share are counted once.
    """
    sources = list(subscription.audiences.all())
    recipients = recipients_of(event, subscription.pk)
    is_own = any(source.callables for source in sources)
    key = subscription.pk, event.pk if is_own else None, json.dumps(recipients, sort_keys=True, default=str)
    if key not in counted:
        users, addresses = audiences.select_recipients(event, sources, recipients)
        counted[key] = {name: _messages(users, addresses, name) for name in subscription.channels}
    return counted[key]


def would_send(event):
    """Messages by channel that an event in shadow would send now."""
    found = defaultdict(int)
    for subscription in (
        Trigger(pk=event.trigger_id).subscriptions.filter(enabled=True).prefetch_related("audiences")
    ):
        if any(step["subscription"] == subscription.pk for step in stored.steps_of(event)):
            for name, messages in _count(event, subscription, {}).items():
                found[name] += messages
    return dict(found)


def recipients_of(event, subscription_id):
    """The recipients of a subscription in the event's plan: none, where it is newer than the event."""
    return next(
        (
            step.get("recipients", ())
            for step in stored.steps_of(event)
            if step["subscription"] == subscription_id
        ),
        (),
    )


def _messages(users, addresses, channel):
    return reachable(users, channel).count() + len(
        {address for only, address in addresses if only in ("", channel)}
    )


def _examine(event, subscription, channel):
    """A message of this event on a channel, as the channel sees it.

    One that cannot be rendered costs nothing.
    """
    content = next((each for each in subscription.template.contents.all() if each.channel == channel), None)
    if content is None or content.version_id is None:
        return Examination()
    try:
        made = rendering.EventContent(
            versions.compiled_version(content.version_id),
            event.data,
            language=content.language,
            root=link_root(channel),
        )
        with made.in_its_language():
            parts = made.render({}, sample_links())
        return registry.examine(channel, Message(delivery=0, attempt=1, address="", **parts))
    except Exception as error:
        # Its template or its channel: an estimate says what it can.
        logger.info(
            "Event %d cannot be rendered for an estimate on %s: %s", event.pk, channel, type(error).__name__
        )
        return Examination()


def people_reached(trigger):
    """The number of people and addresses that one event of a saved trigger goes to: ``(number, whether there
    may be more)``.

    Those that the event itself names, or a function finds, are those of its newest event.
    """
    event = Event.objects.filter(trigger_id=trigger.pk).exclude(status__in=NOT_SENT).order_by("-pk").first()
    sources = Audience.objects.filter(subscriptions__trigger=trigger, subscriptions__enabled=True).distinct()
    if event is None:
        sources, unknown = _without_event(sources)
    else:
        sources, unknown = list(sources), False
    steps = stored.steps_of(event) if event else ()
    recipients = [each for step in steps for each in step.get("recipients", ())]
    users, addresses = audiences.select_recipients(event, sources, recipients)
    return users.count() + len(set(addresses)), unknown


def _without_event(sources):
    """Audiences as far as they are known before anything has happened, and whether that leaves somebody
    out.
    """
    known, unknown = [], False
    for source in sources:
        unknown |= bool(source.callables or audiences.lines_of(source.paths))
        source.callables = []
        known.append(source)
    return known, unknown


def sends(trigger):
    """The sendings of a saved trigger, to be compared with those before: pairs of a channel and an audience's
    name.

    None while it is off or only shows what it would send.
    """
    if not Trigger.objects.filter(pk=trigger.pk, enabled=True, shadow=False).exists():
        return frozenset()
    live = trigger.subscriptions.filter(enabled=True).prefetch_related("audiences")
    return frozenset(
        (name, each.name)
        for subscription in live
        for name in subscription.channels
        for each in subscription.audiences.all()
    )


def is_known(trigger):
    """Whether anything was recorded for it at all."""
    return Event.objects.filter(trigger_id=trigger.pk).exists()
