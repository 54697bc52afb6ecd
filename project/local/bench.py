"""``make bench``: what a save costs its caller and how fast deliveries go, as ratios to something in the same run.

The machine is shared and noisy, so each figure is the best of several rounds that alternate with what they are compared to.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .postgres import find_programs, temporary_cluster

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
<p>{{ instance.description|linebreaks }}</p><p><a href="{{ instance.url }}">{{ instance.url }}</a> · {{ instance.title|upper }}</p>
<p>Sent to {{ user.email }}. {{ instance.title }} {{ instance.url }}</p>"""
TEXT = "{{ instance.title }}, {{ user.first_name }} {{ user.last_name }}: {{ instance.url }} ({{ user.email }})"
INSTANCE = {
    "title": "48 hours of linen", "discount_percent": 30, "ends_at": dt.datetime(2026, 5, 1, 22, tzinfo=dt.UTC),
    "words": ["shirts", "sheets", "towels", "bags"], "description": "While they last.\n\nNo more after that.",
    "url": "https://shop.example.com/linen",
}  # fmt: skip


def best(*actions, rounds=ROUNDS, before=lambda: None):
    """Seconds of each action, the best of ``rounds`` in which all take turns; ``before`` prepares each and is not timed."""
    times = [[] for _ in actions]
    for _ in range(rounds):
        for seconds, action in zip(times, actions, strict=True):
            before()
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in times]


def measure():
    """All figures on the database of this process, as a dict of seconds per item."""
    from django.conf import settings
    from django.core.management import call_command

    from .cloud import LocalCloud

    call_command("migrate", verbosity=0, interactive=False)
    with LocalCloud() as cloud:
        settings.NOTIFIER["TOPIC_ARN"] = cloud.topic_arn
        return _measure_saves(cloud) | _measure_fanout() | _measure_deliveries()


def _measure_saves(cloud):
    import boto3
    from django.db import transaction

    from notifier.models import Event
    from notifier.triggers import index
    from project.demo.models import Movie, Post

    sns = boto3.client("sns")
    route = {"DataType": "String", "StringValue": "fanout"}
    body = {"TopicArn": cloud.topic_arn, "Message": '{"v":1,"route":"fanout","events":[1]}', "MessageAttributes": {"route": route}}

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
    actions = lambda: [sns.publish(**body) for _ in range(SAVES)], save(Post), save(Movie)
    # moto's queues slow down as they fill, so each action finds them empty.
    publish, matched, unmatched = best(*actions, before=cloud.empty)
    assert Event.objects.count() == ROUNDS * SAVES
    return {"plain": plain / SAVES, "publish": publish / SAVES, "matched": matched / SAVES, "unmatched": unmatched / SAVES}


def _make_rule(model, contents):
    from notifier.models import Audience, Subscription, Template, TemplateContent, Trigger

    template = Template.objects.create(name=model.replace(".", "-"))
    for channel, parts in contents.items():
        TemplateContent.objects.create(template=template, channel=channel, **parts)
    trigger = Trigger.objects.create(name=model, verb="post_save", model=model)
    subscription = Subscription.objects.create(trigger=trigger, template=template, channels=list(contents))
    subscription.audiences.add(Audience.objects.create(name=model, everyone=True))
    return subscription


def _measure_fanout():
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from notifier.fanout import fan_out
    from notifier.models import ContentVersion, Event

    user_model = get_user_model()
    people = (
        user_model(username=f"u{n}", first_name=f"First{n}", last_name=f"Last{n}", email=f"u{n}@example.com") for n in range(PEOPLE)
    )
    user_model.objects.bulk_create(people, batch_size=1000)
    subscription = _make_rule("demo.flashsale", {"email": {"subject": "{{ instance.title }}", "text": TEXT, "html": HTML}})
    version = ContentVersion.objects.get(content__template=subscription.template)
    plan = [{"subscription": subscription.pk, "contents": {"email": version.pk}}]

    def run():
        event = Event.objects.create(
            trigger=subscription.trigger, verb="post_save", data={"instance": INSTANCE}, plan=plan,
            created_at=timezone.now(), due_at=timezone.now(),
        )  # fmt: skip
        fan_out(event.pk, lease_seconds=600)

    (seconds,) = best(run, rounds=3)
    return {"fanout_row": seconds / PEOPLE}


def _measure_deliveries():
    from django.template import Context, Engine

    from notifier.models import Delivery

    template = Engine().from_string(HTML)
    people = [{"first_name": f"First{n}", "last_name": f"Last{n}", "email": f"u{n}@example.com"} for n in range(2000)]

    def render():
        for person in people:
            template.render(Context({"instance": INSTANCE, "user": person}))

    one, batch = _noop_handler(batch_size=1), _noop_handler(batch_size=50)
    ids = iter(list(Delivery.objects.order_by("pk").values_list("pk", flat=True)))
    size = PEOPLE // 4
    rendering, by_one, by_batch = best(render, lambda: _deliver(one, ids, size), lambda: _deliver(batch, ids, size), rounds=4)
    sent = Delivery.objects.filter(status=Delivery.Status.SENT).count()
    assert sent == 8 * size, sent
    return {"render": rendering / len(people), "deliver_one": by_one / size, "deliver_batch": by_batch / size}


def _noop_handler(*, batch_size):
    from lambdas import _handler
    from notifier.deliveries import Policy

    channel = _handler.Channel(
        name="email",
        send_batch=lambda messages, session: [f"noop-{message.delivery}" for message in messages],
        session=_handler.nullcontext,
        policy=Policy(at_most_once=False, horizon=dt.timedelta(hours=1)),
        batch_size=batch_size,
    )
    return _handler.make_queue_handler("email", channel.process)


def _deliver(handler, ids, number):
    """Hand ``number`` deliveries to ``handler`` as an event source mapping does: ten messages of fifty an invocation."""
    from itertools import islice

    from notifier.messages import rings_for

    from .invocation import Context

    rings = iter(rings_for("email", list(islice(ids, number))))
    while chunk := list(islice(rings, MESSAGES_PER_INVOCATION)):
        records = [{"messageId": str(n), "body": ring.body()} for n, ring in enumerate(chunk)]
        context = Context(function_name="email", aws_request_id="bench", timeout_seconds=60)
        assert handler({"Records": records}, context) == {"batchItemFailures": []}


def main():
    if "--child" in sys.argv:
        import django

        django.setup()
        sys.stdout.write(json.dumps(measure()))
        return
    with tempfile.TemporaryDirectory() as folder:
        print_figures("SQLite", _child(f"sqlite:///{folder}/bench.sqlite3"))
    programs = find_programs()
    if programs is None:
        sys.stdout.write("\nPostgreSQL: SKIPPED, its programs are not on this machine.\n")
        return
    with temporary_cluster(programs) as url:
        print_figures("PostgreSQL, with fsync off: the disk is not what is measured", _child(url))


def _child(url):
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings", "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "project.local.bench", "--child"]
    return json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, cwd=Path.cwd()).stdout)


def print_figures(database, seconds):
    us = {name: value * 1e6 for name, value in seconds.items()}
    lines = [
        f"\n{database}",
        f"  a plain save                      {us['plain']:8.0f} µs",
        f"  a bare sns.publish                {us['publish']:8.0f} µs   {us['publish'] / us['plain']:5.1f} × a plain save",
        f"  a matched save                    {us['matched']:8.0f} µs   {us['matched'] / us['plain']:5.1f} × a plain save,"
        f" {us['matched'] / us['publish']:.2f} × a bare publish",
        f"  an unmatched save                 {us['unmatched']:8.0f} µs   {us['unmatched'] / us['plain']:5.2f} × a plain save",
        f"  fan-out                           {us['fanout_row']:8.0f} µs a row   {1e6 / us['fanout_row']:,.0f} rows/s",
        f"  bare Template.render              {us['render']:8.0f} µs   {1e6 / us['render']:,.0f}/s",
        f"  delivered, a call for each        {us['deliver_one']:8.0f} µs   {1e6 / us['deliver_one']:,.0f}/s,"
        f" {us['render'] / us['deliver_one']:.2f} × the bare rendering loop",
        f"  delivered, a call for fifty       {us['deliver_batch']:8.0f} µs   {1e6 / us['deliver_batch']:,.0f}/s,"
        f" {us['render'] / us['deliver_batch']:.2f} × the bare rendering loop",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
