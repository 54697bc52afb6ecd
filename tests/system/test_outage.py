"""While SNS, SES or X is down nothing is lost, and when it is back nothing is doubled."""

from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import transaction

from notifier.deliveries.pages import PAGE_SIZE
from notifier.models import Delivery, Event
from notifier.queue import publisher
from notifier.queue.ring import Ring
from project.demo.models import Post
from tests.support.builders import (
    make_audience,
    make_delivery,
    make_event,
    make_people,
    make_trigger,
    make_user,
)
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep
from tests.support.gate import PUBLISH_BATCH

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

TITLES = ["One", "Two", "Three"]


@contextmanager
def down(cloud):
    cloud.stop()
    try:
        yield
    finally:
        cloud.restart()


def received(cloud):
    return Counter((message.recipient, message.subject) for message in cloud.outbox())


@pytest.fixture
def readers():
    """Two people who get a mail for each post."""
    make_trigger()
    return [make_user().email, make_user().email]


def test_saves_succeed_while_sns_is_down_and_the_sweep_publishes_when_it_is_back(cloud, pump, readers):
    with down(cloud):
        for title in TITLES:
            Post.objects.create(title=title)
        assert Post.objects.count() == len(TITLES)
        # The sweep finds SNS down as well, and leaves all as it was.
        let_time_pass()
        assert sweep() == 0
    assert sweep() == len(TITLES)
    pump.drain()
    assert received(cloud) == {(reader, title): 1 for reader in readers for title in TITLES}
    assert set(Event.objects.values_list("status", flat=True)) == {"done"}


def test_an_event_whose_doorbell_was_heard_is_not_rung_for_again(cloud, pump, readers):
    Post.objects.create(title="One")
    pump.drain()
    let_time_pass()
    assert sweep() == 0
    assert pump.drain() == 0


ANSWERS = [
    # status, what SNS or something before it says
    (500, "<ErrorResponse><Error><Code>InternalError</Code></Error></ErrorResponse>"),
    (503, "<html>a load balancer's page</html>"),
    (403, "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>"),
    (404, "<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>"),
    (200, "<html>a page that is <b>no answer"),  # a proxy that wants a login
    (200, ""),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_whatever_sns_answers_the_save_succeeds_and_the_event_is_kept(gate, readers, status, body):
    gate.answer(PUBLISH_BATCH, status=status, body=body, content_type="text/xml")
    post = Post.objects.create(title="One")
    assert Post.objects.filter(pk=post.pk).exists()
    event = Event.objects.get()
    assert (event.status, gate.count(PUBLISH_BATCH)) == ("recorded", 1)
    assert event.due_at


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_whatever_sns_answers_the_fan_out_ends_and_its_deliveries_are_rung_for_soon(gate, status, body):
    event = make_event(audiences=[make_audience(addresses="email: ada@example.com")])
    gate.answer(PUBLISH_BATCH, status=status, body=body, content_type="text/xml", times=2)
    assert invoke("fanout", *bodies_for("fanout", [event.pk])) == []
    event.refresh_from_db()
    assert event.status == "done"
    assert sweep() == 0
    assert sweep() == 1


def test_a_connection_that_breaks_costs_one_batch_and_not_the_others_of_the_transaction(
    gate, pump, cloud, readers
):
    # Each batch is tried twice.
    gate.cut(PUBLISH_BATCH, nth=2, times=2)
    with transaction.atomic():
        for number in range(25):
            Post.objects.create(title=f"Post {number}")
    assert gate.count(PUBLISH_BATCH) == 4
    pump.drain()
    assert Event.objects.filter(status="recorded").count() == 10
    let_time_pass()
    assert sweep() == 10
    pump.drain()
    assert received(cloud) == {(reader, f"Post {number}"): 1 for reader in readers for number in range(25)}


def failing_entries(*positions):
    """SNS's answer of 200 in which these entries failed.
    https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
    """
    failed = "".join(
        f"<member><Id>{position}</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>"
        for position in positions
    )
    return (
        '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
        f"<Successful></Successful><Failed>{failed}</Failed></PublishBatchResult></PublishBatchResponse>"
    )


def test_entries_that_failed_inside_an_answer_of_200_are_told_apart_across_batches(gate):
    rings = [Ring(route="email", ids=(number,)) for number in range(1, 24)]
    gate.answer(PUBLISH_BATCH, body=failing_entries(0, 9), content_type="text/xml")
    gate.answer(PUBLISH_BATCH, nth=3, body=failing_entries(2), content_type="text/xml")
    assert [ring.ids[0] for ring in publisher.publish(rings)] == [1, 10, 23]


def test_what_failed_inside_an_answer_of_200_stays_due_and_the_rest_does_not(gate, readers):
    events = [make_event() for _ in range(3)]
    let_time_pass()
    # The sweep goes on as long as it gets something through; the second answer lets nothing through.
    gate.answer(PUBLISH_BATCH, body=failing_entries(1), content_type="text/xml")
    gate.answer(PUBLISH_BATCH, nth=2, body=failing_entries(0), content_type="text/xml")
    assert sweep() == 2
    assert gate.rung(numbers={2}) == {("fanout", events[1].pk): 1}
    assert sweep() == 1


def test_an_outage_in_the_middle_of_a_fan_out_loses_no_delivery_and_the_sweep_rings_at_once(gate):
    make_people(PAGE_SIZE + 300)
    event = make_event()
    # 1,000 people are 20 messages, two batches; each tried twice; the outage begins after the first.
    gate.cut(PUBLISH_BATCH, nth=2, times=4)
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    event.refresh_from_db()
    assert event.status == "done"
    assert Delivery.objects.count() == PAGE_SIZE + 300
    assert sweep() == PAGE_SIZE + 300 - 500
    taken = gate.rung(numbers={1, 6, 7})
    assert taken == {("email", pk): 1 for pk in Delivery.objects.values_list("pk", flat=True)}


@pytest.mark.parametrize("channel", ["email", "sms", "twitter"])
def test_while_a_provider_is_down_deliveries_wait_and_are_sent_once_when_it_is_back(cloud, pump, channel):
    ids = [make_delivery(channel=channel).pk for _ in range(3)]
    with down(cloud):
        assert invoke(channel, *bodies_for(channel, ids)) == []
    assert set(Delivery.objects.values_list("status", "reason", "attempts")) == {
        ("waiting", "unreachable", 1)
    }
    assert not Delivery.objects.filter(due_at=None).exists()
    let_time_pass()
    assert sweep() == 3
    pump.drain()
    assert len(cloud.outbox()) == 3
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 2)}
