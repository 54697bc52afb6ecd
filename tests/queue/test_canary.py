"""A canary: it shows that messages arrive, and sends none to anybody."""

import datetime as dt
import json

import boto3
import pytest
from django.utils import timezone

from notifier.channels.registry import channel_names
from notifier.models import Canary, Delivery, Event
from notifier.queue import canary
from notifier.queue.ring import FANOUT, Ring, parse

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def test_it_goes_through_the_topic_and_every_channels_function_and_to_nobody(cloud, pump):
    before, rows = timezone.now(), canary.release(channel_names())
    assert set(rows) == {FANOUT, *channel_names()}
    assert canary.seconds_by_route(rows) == dict.fromkeys(rows)

    pump.drain()

    spent = (timezone.now() - before).total_seconds()
    assert all(0 <= seconds <= spent for seconds in canary.seconds_by_route(rows).values())
    assert cloud.outbox() == []
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_one_channel_alone(cloud, pump):
    rows = canary.release(["sms"])
    pump.drain()
    assert canary.seconds_by_route(rows).keys() == {FANOUT, "sms"}
    assert None not in canary.seconds_by_route(rows).values()


def test_a_broken_link_shows_as_the_route_that_has_not_arrived(cloud, pump):
    sqs = boto3.client("sqs")
    sqs.set_queue_attributes(QueueUrl=cloud.queues["email"].url, Attributes={"DelaySeconds": "900"})
    try:
        rows = canary.release(["email", "sms"])
        with pytest.raises(TimeoutError):
            pump.drain(patience_seconds=0)
    finally:
        sqs.set_queue_attributes(QueueUrl=cloud.queues["email"].url, Attributes={"DelaySeconds": "0"})
    assert [route for route, seconds in canary.seconds_by_route(rows).items() if seconds is None] == ["email"]


def test_the_release_says_when_sns_takes_nothing(cloud, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": cloud.topic_arn + "-that-is-not-there"}
    with pytest.raises(ConnectionError, match="log"):
        canary.release(["email"])


def test_a_canary_that_comes_twice_keeps_its_first_arrival(cloud, pump):
    rows = canary.release(["email"])
    pump.drain()
    before = canary.seconds_by_route(rows)
    canary.receive(Ring(route="email", ids=(rows["email"],), canary=True))
    assert canary.seconds_by_route(rows) == before


def test_those_of_yesterday_are_removed(cloud):
    old = Canary.objects.create(route="email", released_at=timezone.now() - dt.timedelta(days=1, minutes=1))
    canary.release([])
    assert not Canary.objects.filter(pk=old.pk).exists()


def test_its_message_is_one_like_the_others():
    ring = Ring(route="email", ids=(7,), canary=True)
    assert json.loads(ring.body()) == {"v": 1, "route": "email", "canaries": [7]}
    assert parse(ring.body(), route="email") == ring
