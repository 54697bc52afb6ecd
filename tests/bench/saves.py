"""What a save costs its caller."""

import boto3
from django.db import transaction

from notifier.models import Event
from notifier.queue.ring import Ring
from project.demo.models import Movie, Post
from tests.support.wire import TOPIC_ARN

from . import letter
from .rounds import best

PARTS = {"subject": "{{ instance.title }}", "text": "{{ user.first_name }}"}


def measure(wire, *, saves, rounds):
    """A plain save, a matched and an unmatched one, and one bare publish of each kind: name → Took."""
    matched = letter.make_rule("demo.post", PARTS).trigger
    unmatched = letter.make_rule("demo.movie", PARTS, on="updated").trigger
    sns = boto3.session.Session().client("sns")
    body = {
        "Message": Ring(route="fanout", ids=(1,)).body(),
        "MessageAttributes": {"route": {"DataType": "String", "StringValue": "fanout"}},
    }

    def save(model):
        # As a request does it.
        with transaction.atomic():
            model.objects.create(title="A title")

    def publish_batch():
        sns.publish_batch(TopicArn=TOPIC_ARN, PublishBatchRequestEntries=[{"Id": "0", **body}])

    actions = {
        "plain": lambda: save(Post),
        "publish": lambda: sns.publish(TopicArn=TOPIC_ARN, **body),
        "publish_batch": publish_batch,
        "matched": lambda: save(Post),
        "unmatched": lambda: save(Movie),
    }
    before = {"plain": letter.enable, "publish": lambda: letter.enable(matched, unmatched)}
    many = {name: (_repeated(action, saves), saves) for name, action in actions.items()}
    took = best(many, rounds=rounds, before=before)
    assert Event.objects.count() == rounds * saves
    letter.enable()
    wire.forget()
    return took


def _repeated(action, times):
    def repeat():
        for _ in range(times):
            action()

    return repeat
