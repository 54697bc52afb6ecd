"""The whole way: a signal becomes a mail, an SMS and a post."""

import pytest

from notifier.models import Delivery, Event
from project.demo import rules, scenario

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_sends_what_it_promises_and_nothing_else(cloud, pump):
    rules.load_demo()
    scenario.play()
    pump.drain()
    received = sorted((message.channel, message.recipient) for message in cloud.outbox())
    expected = sorted((channel, _as_received(channel, address)) for channel, address in rules.expected_messages())
    assert received == expected
    assert set(Event.objects.values_list("status", flat=True)) == {Event.Status.DONE}


def _as_received(channel, address):
    """SNS is given E.164, and a post has no recipient."""
    return {"sms": address.replace(" ", ""), "twitter": "everyone"}.get(channel, address)


def test_a_second_drain_sends_nothing_more(cloud, pump):
    rules.load_demo()
    scenario.create_flash_sale()
    pump.drain()
    before = len(cloud.outbox())
    assert pump.drain() == 0
    assert len(cloud.outbox()) == before


def test_what_is_skipped_says_why(cloud, pump):
    rules.load_demo()
    scenario.play()
    pump.drain()
    skipped = Delivery.objects.filter(status=Delivery.Status.SKIPPED)
    assert set(skipped.values_list("reason", flat=True)) == {"no_address", "invalid_address", "inactive", "opted_out"}
