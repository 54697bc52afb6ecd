"""SQS delivers at least once, in any order, to several functions at a time: each delivery is sent once all
the same.
"""

import random
from collections import Counter
from functools import partial
from threading import Barrier

import boto3
import pytest

from notifier.models import Delivery, Event
from project.demo.models import Post, Profile
from tests.support.builders import make_address, make_audience, make_subscription, make_trigger, make_user
from tests.support.functions import invoke, let_time_pass, sweep
from tests.support.patience import PATIENCE_SECONDS, in_threads
from tests.support.sizes import full_or

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]

TIMES = 5
POSTS, READERS = full_or(2, full=3), 60
MAIL = {"email": {"subject": "{{ instance.title }}", "text": "For {{ user.first_name }}"}}
SMS = {"sms": {"text": "{{ instance.title }} for {{ user.first_name }}"}}
POST = {"twitter": {"text": "{{ instance.title }}"}}


@pytest.fixture
def posts(cloud):
    """Posts that were saved, and nothing more: each is to become a mail and an SMS to every reader, and a
    post on X.
    """
    for number in range(READERS):
        user = make_user()
        if number % 3 == 0:
            Profile.objects.create(user=user, phone=make_address(channel="sms"))
    trigger = make_trigger(contents=MAIL)
    everyone = make_audience(everyone=True)
    make_subscription(trigger, contents=SMS, channels=["sms"], audiences=[everyone])
    make_subscription(
        trigger, contents=POST, channels=["twitter"], audiences=[make_audience(addresses="twitter: @us")]
    )
    return [Post.objects.create(title=f"Post {number}") for number in range(POSTS)]


def take_all(queue):
    """The texts of all messages in the queue, which is empty afterwards."""
    sqs = boto3.client("sqs")
    texts = []
    while messages := sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages"):
        texts += [message["Body"] for message in messages]
    sqs.purge_queue(QueueUrl=queue.url)
    return texts


def invoke_at_once(route, bodies):
    """One function a message, all at the same instant, each with a database connection of its own."""
    barrier, failed = Barrier(len(bodies)), []

    def run(body):
        barrier.wait(PATIENCE_SECONDS)
        failed.extend(invoke(route, body))

    in_threads(*(partial(run, body) for body in bodies))
    return failed


def deliver_often(cloud, route):
    """Deliver every message of the queue TIMES over, shuffled, in pairs at the same instant."""
    bodies = take_all(cloud.queues[route]) * TIMES
    random.shuffle(bodies)
    assert bodies
    for start in range(0, len(bodies), 2):
        assert invoke_at_once(route, bodies[start : start + 2]) == []


def test_every_message_delivered_five_times_and_in_pairs_sends_each_delivery_once(cloud, posts):
    deliver_often(cloud, "fanout")
    for channel in ("email", "sms", "twitter"):
        deliver_often(cloud, channel)
    _assert_each_was_sent_once(cloud)


def test_the_same_message_at_five_functions_at_once_sends_each_delivery_once(cloud, posts):
    for route in ("fanout", "email", "sms", "twitter"):
        for body in take_all(cloud.queues[route]):
            assert invoke_at_once(route, [body] * TIMES) == []
    _assert_each_was_sent_once(cloud)


def test_doorbells_of_the_sweep_between_those_of_the_queue_send_nothing_twice(cloud, posts, pump):
    let_time_pass()
    assert sweep() == POSTS
    pump.drain()
    let_time_pass()
    assert sweep() == 0
    _assert_each_was_sent_once(cloud)


def _assert_each_was_sent_once(cloud):
    phones = READERS // 3
    received = Counter((each.channel, each.recipient, each.subject or each.text) for each in cloud.outbox())
    assert set(received.values()) == {1}
    assert Counter(channel for channel, *_ in received) == {
        "email": POSTS * READERS, "sms": POSTS * phones, "twitter": POSTS,
    }  # fmt: skip
    # The database says the same: who got it, and under which of the provider's ids.
    assert set(Event.objects.values_list("status", flat=True)) == {"done"}
    statuses = Counter(Delivery.objects.values_list("status", "reason", "attempts"))
    assert statuses == {
        ("sent", "", 1): POSTS * (READERS + phones + 1),
        ("skipped", "no_address", 0): POSTS * (READERS - phones),
    }
    stored = Delivery.objects.filter(status="sent").values_list("channel", "provider_id")
    assert Counter(stored) == Counter((each.channel, each.provider_id) for each in cloud.outbox())
