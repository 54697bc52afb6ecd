"""The measures of ``make bench``, in seconds an item; ``tests.bench`` shows them as ratios."""

import datetime as dt
import os
import time
from itertools import islice

import boto3
import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction
from django.template import Context as TemplateContext, Engine
from django.utils import timezone

from lambdas import _handler
from notifier.deliveries import Policy
from notifier.deliveries.fanout import fan_out
from notifier.deploy.stack import Stack, apply
from notifier.events.index import index
from notifier.local.invocation import Context
from notifier.models import (
    Audience,
    ContentVersion,
    Delivery,
    Event,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.queue.ring import Ring, rings_for
from project.demo.models import Movie, Post

ROUNDS = 5
SAVES = 200
PEOPLE = 10_000
MESSAGES_PER_INVOCATION = 10

# About 25 nodes with a loop, a condition and three personal fields.
HTML = """<h1>{{ instance.title }}</h1><p>Hello {{ user.first_name }} {{ user.last_name }},</p>
{% if instance.discount_percent > 20 %}<p><strong>{{ instance.discount_percent }} % off</strong>
until {{ instance.ends_at|date:"j F H:i" }}</p>
{% else %}<p>A small sale of {{ instance.discount_percent }} %</p>{% endif %}
<ul>{% for word in instance.words %}<li>{{ forloop.counter }}. {{ word }}</li>{% endfor %}</ul>
<p>{{ instance.description|linebreaks }}</p>
<p><a href="{{ instance.url }}">{{ instance.url }}</a> · {{ instance.title|upper }}</p>
<p>Sent to {{ user.email }}. {{ instance.title }} {{ instance.url }}</p>"""
TEXT = (
    "{{ instance.title }}, {{ user.first_name }} {{ user.last_name }}: {{ instance.url }} ({{ user.email }})"
)
INSTANCE = {
    "title": "48 hours of linen", "discount_percent": 30,
    "ends_at": dt.datetime(2026, 5, 1, 22, tzinfo=dt.UTC), "words": ["shirts", "sheets", "towels", "bags"],
    "description": "While they last.\n\nNo more after that.", "url": "https://shop.example.com/linen",
}  # fmt: skip


def best(*actions, rounds=ROUNDS, before=lambda: None):
    """Seconds of each action, the best of ``rounds`` in which all take turns; ``before`` prepares each and is
    not timed.
    """
    times = [[] for _ in actions]
    for _ in range(rounds):
        for seconds, action in zip(times, actions, strict=True):
            before()
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in times]


def measure():
    """All figures on the database of this process, as a dict of seconds per item.

    The local cloud is another process's.
    """
    call_command("migrate", verbosity=0, interactive=False)
    return _measure_saves() | _measure_fanout() | _measure_deliveries()


def _renew_cloud():
    """moto's queues slow down as they fill, so each action finds them empty."""
    requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=10)
    apply(Stack())


def _measure_saves():
    sns, topic_arn = boto3.client("sns"), settings.NOTIFIER["TOPIC_ARN"]
    body = {
        "Message": Ring(route="fanout", ids=(1,)).body(),
        "MessageAttributes": {"route": {"DataType": "String", "StringValue": "fanout"}},
    }

    def publish():
        for _ in range(SAVES):
            sns.publish(TopicArn=topic_arn, **body)

    def publish_batch():
        for _ in range(SAVES):
            sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=[{"Id": "0", **body}])

    def save(model):
        def save_all():
            for _ in range(SAVES):
                # As a request does it.
                with transaction.atomic():
                    model.objects.create(title="A title")

        return save_all

    # Before there is any rule: what Django itself costs.
    (plain,) = best(save(Post))
    _make_rule("demo.post", {"email": {"subject": "{{ instance.title }}", "text": "{{ user.first_name }}"}})
    index.refresh(force=True)
    seconds = best(publish, publish_batch, save(Post), save(Movie), before=_renew_cloud)
    assert Event.objects.count() == ROUNDS * SAVES
    names = ["plain", "publish", "publish_batch", "matched", "unmatched"]
    return {name: each / SAVES for name, each in zip(names, [plain, *seconds], strict=True)}


def _make_rule(model, contents):
    template = Template.objects.create(name=model.replace(".", "-"))
    for channel, parts in contents.items():
        TemplateContent.objects.create(template=template, channel=channel, **parts)
    trigger = Trigger.objects.create(name=model, verb="post_save", model=model)
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=list(contents))
    subscription.audiences.add(Audience.objects.create(name=model, everyone=True))
    return subscription


def _measure_fanout():
    user_model = get_user_model()
    people = (
        user_model(username=f"u{n}", first_name=f"First{n}", last_name=f"Last{n}", email=f"u{n}@example.com")
        for n in range(PEOPLE)
    )
    user_model.objects.bulk_create(people, batch_size=1000)
    subscription = _make_rule(
        "demo.flashsale", {"email": {"subject": "{{ instance.title }}", "text": TEXT, "html": HTML}}
    )
    version = ContentVersion.objects.get(content__template=subscription.template)
    plan = [{"subscription": subscription.pk, "contents": {"email": {"": version.pk}}}]

    def run():
        event = Event.objects.create(
            trigger=subscription.trigger, verb="post_save", data={"instance": INSTANCE}, plan=plan,
            created_at=timezone.now(), due_at=timezone.now(),
        )  # fmt: skip
        fan_out(event.pk, lease_seconds=600)

    (seconds,) = best(run, rounds=3)
    return {"fanout_row": seconds / PEOPLE}


def _measure_deliveries():
    template = Engine().from_string(HTML)
    people = [
        {"first_name": f"First{n}", "last_name": f"Last{n}", "email": f"u{n}@example.com"}
        for n in range(2000)
    ]

    def render():
        for person in people:
            template.render(TemplateContext({"instance": INSTANCE, "user": person}))

    one, batch = _noop_handler(batch_size=1), _noop_handler(batch_size=50)
    ids = iter(list(Delivery.objects.order_by("pk").values_list("pk", flat=True)))
    size = PEOPLE // 4
    rendering, by_one, by_batch = best(
        render, lambda: _deliver(one, ids, size), lambda: _deliver(batch, ids, size), rounds=4
    )
    sent = Delivery.objects.filter(status=Delivery.Status.SENT).count()
    assert sent == 8 * size, sent
    return {"render": rendering / len(people), "deliver_one": by_one / size, "deliver_batch": by_batch / size}


def _noop_handler(*, batch_size):
    channel = _handler.Channel(
        name="email",
        send_batch=lambda messages, session: [f"noop-{message.delivery}" for message in messages],
        session=_handler.nullcontext,
        policy=Policy(at_most_once=False, horizon=dt.timedelta(hours=1)),
        batch_size=batch_size,
    )
    return _handler.make_channel_handler(channel)


def _deliver(handler, ids, number):
    """Hand ``number`` deliveries to ``handler`` as an event source mapping does: ten messages of fifty an
    invocation.
    """
    rings = iter(rings_for("email", list(islice(ids, number))))
    while chunk := list(islice(rings, MESSAGES_PER_INVOCATION)):
        records = [{"messageId": str(n), "body": ring.body()} for n, ring in enumerate(chunk)]
        context = Context(function_name="email", aws_request_id="bench", timeout_seconds=60)
        assert handler({"Records": records}, context) == {"batchItemFailures": []}
