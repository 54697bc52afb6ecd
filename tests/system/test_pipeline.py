"""The whole way: a signal becomes a mail, an SMS and a post."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command

from notifier.models import Delivery, Event, Trigger
from notifier.rulefiles import texts
from project.demo import rules, scenario

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_sends_what_it_promises_and_nothing_else(cloud, pump):
    rules.load_demo()
    scenario.play()
    pump.drain()
    received = sorted((message.channel, message.recipient) for message in cloud.outbox())
    expected = sorted(
        (channel, _as_received(channel, address)) for channel, address in rules.expected_messages()
    )
    assert received == expected
    # The post is saved twice. A second event of it would end here, not at X, which refuses doubles by itself.
    told = Event.objects.values_list("trigger__name", "status").order_by("trigger__name")
    assert list(told) == [(name, "done") for name in ("Flash sale created", "Movie night", "Post created")]
    outcomes = Counter(Delivery.objects.values_list("channel", "status"))
    assert outcomes["twitter", "sent"] == 1
    assert {status for _channel, status in outcomes} == {"sent", "skipped"}


def test_the_demo_passes_again_from_its_exported_rules(cloud, pump, tmp_path):
    """Exported, the database emptied, imported: nothing that matters is in the rows alone."""
    rules.load_demo()
    path = str(tmp_path / "rules.yaml")
    call_command("rules", "export", path)
    call_command("flush", interactive=False, verbosity=0)
    assert not Trigger.objects.exists()
    call_command("rules", "import", path, stdout=StringIO())
    rules.make_people()
    scenario.play()
    pump.drain()
    received = sorted((message.channel, message.recipient) for message in cloud.outbox())
    assert received == sorted(
        (channel, _as_received(channel, address)) for channel, address in rules.expected_messages()
    )


def test_the_demos_own_rules_are_as_an_export_writes_them():
    rules.load_demo()
    assert texts.export_text() == rules.RULES.read_text(encoding="utf-8")


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
    assert set(skipped.values_list("reason", flat=True)) == {
        "no_address",
        "invalid_address",
        "inactive",
        "opted_out",
    }
