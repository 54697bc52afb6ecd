"""A shop that has used Notifier for a month, on top of the demo, for the pictures."""

import datetime as dt
import random

from django.contrib.auth import get_user_model
from django.utils import timezone

from notifier.channels import registry
from notifier.gates import budgets, pauses
from notifier.models import (
    Audience,
    ContactPoint,
    Delivery,
    Event,
    Gauge,
    HourlyCount,
    Lane,
    LaneCount,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.operations import counts, gauges
from notifier.queue import subscribers
from project.demo import rules, scenario
from project.demo.models import FlashSale, Post

from . import history_people, history_rules

DAYS = 30
# How busy the hours of a day are, and the days of a week from Monday on.
HOURS = [1, 0, 0, 0, 0, 1, 3, 8, 14, 12, 10, 9, 13, 11, 9, 8, 9, 12, 16, 18, 14, 9, 5, 2]
WEEKDAYS = [0.8, 0.7, 0.9, 1.0, 1.4, 1.2, 0.6]
# channel → messages in a busy hour, their price in millionths of a dollar, and of a hundred: skipped, failed
TRAFFIC = {"email": (340, 100, 4, 0.9), "sms": (70, 37_000, 9, 1.6), "twitter": (0.4, 15_000, 0, 3)}
# Lane → the most of an hour, and the share of them that is sent within so many seconds.
SOON = {
    Lane.URGENT: (12, {1: 0.7, 2: 0.25, 5: 0.05}),
    Lane.NORMAL: (90, {1: 0.5, 2: 0.3, 5: 0.15, 30: 0.05}),
    Lane.BULK: (300, {60: 0.3, 300: 0.4, 1800: 0.25, 3600: 0.05}),
}
MORE_TEMPLATES = [
    (
        "big_sale",
        "sms",
        {"text": "{{ instance.discount_percent }}% off today, {{ user.first_name }}: {{ instance.title }}"},
    ),
    (
        "sale_prolonged",
        "email",
        {"subject": "A day longer: {{ instance.title }}", "text": "Until {{ instance.ends_at }}."},
    ),
]


def happen(cloud, pump):
    """Load the demo's rules and some more, let things happen, and count them."""
    rules.load_demo()
    # Who looks at the pages is somebody, and gets mail like everybody.
    get_user_model().objects.filter(username=rules.ADMIN).update(
        first_name="Robin", last_name="Ek", email="robin@example.com"
    )
    _count_the_past()
    _add_rules()
    history_rules.set_up()
    history_rules.count_by_rule()
    history_people.set_up()
    _rewrite_the_mail()
    Gauge.objects.create(name=counts.COUNTED, measured_at=timezone.now())
    _let_things_happen(cloud, pump)
    history_people.hear_back()
    counts.keep()
    budgets.keep()
    for address in ("ops@example.com", "night-shift@example.com"):
        subscribers.subscribe(address)
    gauges.record(
        {gauges.dead_letters(name): 0 for name in registry.channel_names()}
        | {
            gauges.BOUNCE_RATE: 0.012,
            gauges.COMPLAINT_RATE: 0.0004,
            gauges.QUOTA: 50_000,
            gauges.QUOTA_USED: 4_312,
        }
    )


def pause(pump):
    """Pause SMS, and let a sale begin that has some."""
    pauses.pause(pauses.scope_of(channel="sms"), reason="The provider has raised its prices.", by="robin")
    sale = FlashSale.objects.get()
    FlashSale.objects.create(
        title="A weekend of wool", discount_percent=50, ends_at=sale.ends_at, url=sale.url
    )
    pump.drain()


def keys():
    """The primary keys of what the pages are about, by name."""
    sale, moved = (
        Event.objects.filter(trigger__name=name) for name in ("Flash sale created", "Flash sale prolonged")
    )
    return {
        "trigger": Trigger.objects.get(name="Flash sale created").pk,
        "in_shadow": Trigger.objects.get(shadow=True).pk,
        "template": Template.objects.get(name="flash_sale").pk,
        "content": TemplateContent.objects.get(template__name="flash_sale", channel="email").pk,
        "audience": Audience.objects.get(name="Everyone").pk,
        "contact_point": ContactPoint.objects.get().pk,
        "event": sale.last().pk,
        "held_event": sale.first().pk,
        "event_in_shadow": moved.last().pk,
        "delivery": Delivery.objects.filter(event=sale.last(), status="sent").last().pk,
        "failed": Delivery.objects.filter(status="failed").last().pk,
        "user": get_user_model().objects.get(username="ada").pk,
        **history_people.keys(),
        **history_rules.keys(),
    }


def _add_rules():
    everyone = Audience.objects.get(name="Everyone")
    for name, channel, parts in MORE_TEMPLATES:
        TemplateContent.objects.create(template=Template.objects.create(name=name), channel=channel, **parts)
    big = Trigger.objects.create(
        name="Big flash sale",
        verb="post_save",
        model="demo.flashsale",
        on="created",
        condition="instance.discount_percent >= 50",
    )
    moved = Trigger.objects.create(
        name="Flash sale prolonged", verb="post_save", model="demo.flashsale", on="updated",
        condition="previous.ends_at < instance.ends_at", shadow=True,
    )  # fmt: skip
    for trigger, channel, name in (big, "sms", "big_sale"), (moved, "email", "sale_prolonged"):
        Subscription.objects.create(
            trigger=trigger, template=Template.objects.get(name=name), channels=[channel]
        ).audiences.add(everyone)


def _rewrite_the_mail():
    """A second and a third version, by people."""
    mail = TemplateContent.objects.get(template__name="flash_sale", channel="email")
    mail.subject = "{{ instance.title }}: {{ instance.discount_percent }}% off, {{ user.first_name }}"
    mail.save(author="ada")
    mail.subject = "{{ user.first_name }}, {{ instance.discount_percent }}% off: {{ instance.title }}"
    mail.save(author="robin")


def _let_things_happen(cloud, pump):
    scenario.play()
    sale = FlashSale.objects.get()
    sale.ends_at += dt.timedelta(days=1)
    sale.save()
    # X refuses what it has, and puts off what comes too fast.
    Post.objects.create(title=Post.objects.get().title)
    pump.drain()
    cloud.x.fail_next(429)
    Post.objects.create(title="What linen is made of")
    pump.drain()


def _count_the_past():
    """The counts of DAYS days, as the sweep would have kept them; always the same dice."""
    dice = random.Random(4)
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - n * dt.timedelta(hours=1) for n in range(1, DAYS * 24)]
    HourlyCount.objects.bulk_create(row for hour in reversed(hours) for row in _rows_of(hour, dice))
    LaneCount.objects.bulk_create(row for hour in reversed(hours) for row in _lanes_of(hour, dice))


def _lanes_of(hour, dice):
    busy = HOURS[hour.hour] / max(HOURS) * WEEKDAYS[hour.weekday()]
    for lane, (most, steps) in SOON.items():
        for within, share in steps.items():
            if number := round(most * busy * share * dice.uniform(0.5, 1.3)):
                yield LaneCount(hour=hour, lane=lane, within_seconds=within, number=number)


def _rows_of(hour, dice):
    busy = HOURS[hour.hour] / max(HOURS) * WEEKDAYS[hour.weekday()]
    for channel, (most, price, skipped, failed) in TRAFFIC.items():
        number = round(most * busy * dice.uniform(0.5, 1.3))
        parts = {
            "skipped": round(number * skipped / 100),
            "failed": round(number * failed * dice.uniform(0, 2) / 100),
        }
        parts["sent"] = max(0, number - sum(parts.values()))
        for status, count in parts.items():
            if count:
                cost = count * price if status == "sent" else 0
                yield HourlyCount(hour=hour, channel=channel, status=status, number=count, cost_micros=cost)
