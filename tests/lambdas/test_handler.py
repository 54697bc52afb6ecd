"""What every queue function does with its batch: poison aside, good messages through, only what failed comes
back.
"""

import inspect
import json
import logging
from collections import Counter

import boto3
import pytest
from django.utils import timezone

from lambdas import _handler, email
from notifier.deliveries import MAX_ATTEMPTS
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Attempt, ContentVersion, Delivery
from notifier.templating.compiler import MAX_OUTPUT_BYTES
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.functions import bodies_for, event_for, invoke, let_time_pass, make_context, sweep
from tests.support.gate import BURY, SEND_MAIL
from tests.support.messages import MALFORMED

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

EXPLODED = []


def explode(event, context):
    """What the ``command`` of a malformed message names."""
    EXPLODED.append(event)


def status_of(delivery):
    delivery.refresh_from_db()
    return delivery.status, delivery.reason


def read_queue(url):
    """The texts in a queue, and how often each was received."""
    sqs = boto3.client("sqs")
    found = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    ).get("Messages"):
        found += [(message["Body"], message["Attributes"]["ApproximateReceiveCount"]) for message in messages]
    return found


def storable(body):
    """Whether SQS takes the text at all."""
    return body and body.isprintable() and "\ufeff" not in body


# Messages that this project did not write.


@pytest.mark.parametrize("route", ["email", "fanout"])
def test_malformed_messages_go_to_the_dead_letter_queue_at_the_first_receive_and_run_nothing(
    cloud, gate, pump, caplog, route
):
    # What the malformed messages name. Without it, the delivery would make an event, perhaps of that number.
    event = make_event(pk=1)
    delivery = make_delivery(pk=1, event=event)
    bad = [body for body, _ in MALFORMED if storable(body)]
    sqs, queue = boto3.client("sqs"), cloud.queues[route]
    for body in bad:
        sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    with caplog.at_level(logging.INFO):
        pump.drain()
    assert Counter(read_queue(queue.dlq_url)) == Counter((body, "1") for body in bad)
    assert read_queue(queue.url) == []
    assert caplog.text.count("goes to the dead-letter queue") == len(bad)
    assert "MARKED" not in caplog.text
    # Nothing was run for any of them.
    assert (gate.sends(), EXPLODED, Delivery.objects.count()) == (0, [], 1)
    assert status_of(delivery) == ("queued", "")
    event.refresh_from_db()
    assert (event.status, event.claim) == ("recorded", None)


def test_good_messages_of_a_batch_go_through_beside_malformed_ones_and_the_log_says_why(gate, caplog):
    first, second = make_delivery(), make_delivery()
    gate.answer(BURY, body="{}", times=len(MALFORMED))
    bodies = [
        *bodies_for("email", [first.pk]),
        *(body for body, _ in MALFORMED),
        *bodies_for("email", [second.pk]),
    ]
    assert invoke("email", *bodies) == []
    assert (status_of(first), status_of(second)) == (("sent", ""), ("sent", ""))
    assert (gate.count(SEND_MAIL), gate.count(BURY), EXPLODED) == (2, len(MALFORMED), [])
    said = [record.message for record in caplog.records if "dead-letter queue" in record.message]
    assert len(said) == len(MALFORMED)
    for position, (line, (_, reason)) in enumerate(zip(said, MALFORMED, strict=True), 1):
        assert f"Message {position} " in line
        assert reason in line


@pytest.mark.parametrize("outage", [{"action": BURY}, {"action": "GetQueueUrl"}])
def test_a_malformed_message_comes_back_while_the_dead_letter_queue_cannot_be_reached(gate, caplog, outage):
    delivery = make_delivery()
    gate.cut(**outage, times=100)
    assert invoke("email", "malformed", *bodies_for("email", [delivery.pk])) == [0]
    assert "could not be moved to the dead-letter queue" in caplog.text
    assert status_of(delivery) == ("sent", "")


def test_a_dead_letter_queue_that_does_not_answer_is_asked_once(gate):
    gate.cut("GetQueueUrl", times=100)
    invoke("email", "malformed")
    assert gate.count("GetQueueUrl") == 1


# Deliveries that fail.


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "kim at example"),
        ("email", "kim@example.com\nBcc: eve@example.com"),
        ("email", "kim@example.com, eve@example.com"),
        ("sms", "12345"),
        ("sms", "not a number"),
    ],
)
def test_an_unusable_address_is_skipped_and_harms_no_other(cloud, gate, channel, address):
    good, bad, other = (
        make_delivery(channel=channel),
        make_delivery(channel=channel, address=address),
        make_delivery(channel=channel),
    )
    assert invoke(channel, *bodies_for(channel, [good.pk, bad.pk, other.pk])) == []
    assert status_of(bad) == ("skipped", "invalid_address")
    assert [status_of(each) for each in (good, other)] == [("sent", "")] * 2
    assert gate.sends() == len(cloud.outbox()) == 2


FAILING = [
    # the template's text, the event's data, what stands on its deliveries
    (
        "{% for a in many %}{{ title }}{% endfor %}",
        {"title": "x" * 1024, "many": list(range(257))},
        f"{MAX_OUTPUT_BYTES:,} bytes",
    ),
    ("{% for a in many %}{% endfor %}", {"many": [0] * 10_001}, "loops run more than"),
    ("{{ title|divisibleby:0 }}", {"title": 5}, "ZeroDivisionError"),
    ("{% for a, b in many %}{% endfor %}", {"many": [[1, 2, 3]]}, "ValueError"),
]


@pytest.mark.parametrize(("text", "data", "detail"), FAILING)
def test_a_template_that_fails_at_rendering_fails_its_own_deliveries_with_the_reason_on_them(
    cloud, gate, text, data, detail
):
    bad = make_delivery(parts={"text": text}, data=data)
    same = make_delivery(event=bad.event)
    good = make_delivery()
    assert invoke("email", *bodies_for("email", [bad.pk, same.pk, good.pk])) == []
    assert [status_of(each) for each in (bad, same, good)] == [("failed", "template_failed")] * 2 + [
        ("sent", "")
    ]
    assert detail in bad.detail
    assert gate.sends() == 1


def test_a_template_that_fails_for_one_person_fails_for_that_person_only(cloud):
    ada, bo = make_user(first_name="5"), make_user(first_name="SECRET-NAME")
    event = make_event(contents={"email": {"text": "{{ user.first_name|divisibleby:5 }}"}})
    deliveries = [
        make_delivery(event=event, recipient=f"user:{user.pk}", address=user.email) for user in (ada, bo)
    ]
    assert invoke("email", *bodies_for("email", [each.pk for each in deliveries])) == []
    assert [status_of(each) for each in deliveries] == [("sent", ""), ("failed", "template_failed")]
    assert "SECRET-NAME" not in deliveries[1].detail


def delete_event(delivery):
    delivery.event.delete()


def lose_version(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(version_id=4711)


def outdate_version(delivery):
    """A newer release refuses what an older one took."""
    ContentVersion.objects.filter(pk=delivery.version_id).update(text="{% load i18n %}")


@pytest.mark.parametrize("break_it", [delete_event, lose_version, outdate_version])
def test_a_delivery_whose_template_cannot_be_had_harms_no_other(cloud, break_it):
    bad, good = make_delivery(), make_delivery()
    break_it(bad)
    assert invoke("email", *bodies_for("email", [bad.pk, good.pk])) == []
    assert status_of(good) == ("sent", "")
    left = Delivery.objects.filter(pk=bad.pk).values_list("status", flat=True)
    assert set(left) <= {"failed"}


def test_line_breaks_in_an_events_data_add_no_header_and_no_recipient(cloud):
    title = "Sale\r\nBcc: eve@example.com\r\n\r\nBody\x07\u2028\x1b[1m"
    delivery = make_delivery(data={"title": title})
    invoke("email", *bodies_for("email", [delivery.pk]))
    (received,) = cloud.outbox()
    assert (received.recipient, received.subject) == (delivery.address, "Sale Bcc: eve@example.com Body [1m")


def test_a_delivery_that_was_taken_up_too_often_is_given_up_without_a_call(gate):
    delivery = make_delivery(attempts=20)
    invoke("email", *bodies_for("email", [delivery.pk]))
    assert (status_of(delivery), gate.sends()) == (("failed", "gave_up"), 0)


def test_a_provider_that_says_later_all_day_is_asked_until_the_horizon(gate):
    delivery = make_delivery(attempts=MAX_ATTEMPTS + 5)
    Attempt.objects.bulk_create(
        Attempt(
            delivery=delivery,
            number=number,
            status="waiting",
            reason="throttled",
            created_at=delivery.created_at,
        )
        for number in range(1, 10)
    )
    invoke("email", *bodies_for("email", [delivery.pk]))
    assert (status_of(delivery), gate.sends()) == (("sent", ""), 1)


# Time that runs out.


def test_without_time_for_a_call_it_is_due_at_once_and_uses_up_no_receive(gate):
    delivery = make_delivery()
    bodies = bodies_for("email", [delivery.pk])
    assert invoke("email", *bodies, seconds=1) == []
    assert (status_of(delivery), delivery.attempts, delivery.claim) == (("queued", ""), 0, None)
    assert (gate.sends(), delivery.due_at <= timezone.now()) == (0, True)
    assert sweep() == 1
    assert gate.rung() == {("email", delivery.pk): 1}
    assert invoke("email", *bodies) == []
    assert status_of(delivery) == ("sent", "")


class Countdown:
    """A Lambda context whose time is up once ``gate`` has seen so many sends."""

    def __init__(self, gate, sends):
        self._gate, self._sends = gate, sends

    def get_remaining_time_in_millis(self):
        return 60_000 if self._gate.sends() < self._sends else 20_000


def test_when_time_runs_out_in_a_batch_what_was_called_is_stored_and_the_rest_is_due_at_once(gate):
    made = [make_delivery() for _ in range(40)]
    bodies = [
        body
        for start in range(0, 40, 10)
        for body in bodies_for("email", [each.pk for each in made[start : start + 10]])
    ]
    answer = email.handler(event_for("email", bodies), Countdown(gate, 3))
    assert answer == {"batchItemFailures": []}
    called = gate.sends()
    assert 3 <= called < 3 + email.CONCURRENCY
    assert [status_of(each)[0] for each in made] == ["sent"] * called + ["queued"] * (40 - called)
    assert all(each.due_at <= timezone.now() for each in made[called:])


# Answers of a channel.

ANSWERS = [
    # what send() gives or raises, at least once → status and reason, at most once → status and reason
    ("an-id", ("sent", ""), ("sent", "")),
    (Skipped("opted_out"), ("skipped", "opted_out"), ("skipped", "opted_out")),
    (Rejected("refused"), ("failed", "refused"), ("failed", "refused")),
    (TryAgain("throttled"), ("waiting", "throttled"), ("waiting", "throttled")),
    (OutcomeUnknown("timeout"), ("waiting", "timeout"), ("unknown", "timeout")),
    (ZeroDivisionError("MARKED"), ("waiting", "error"), ("unknown", "error")),  # a bug in the channel
    (None, ("sent", ""), ("sent", "")),  # it forgot to return the id; sending again would double the message
    (17, ("sent", ""), ("sent", "")),
]


@pytest.mark.parametrize("at_most_once", [False, True])
@pytest.mark.parametrize(("answer", "at_least", "at_most"), ANSWERS)
def test_what_a_channel_answers_is_stored_and_the_next_one_is_sent(
    caplog, answer, at_least, at_most, at_most_once
):
    def send(message, session):
        """A channel of another app."""
        if message.delivery == second.pk:
            return "the other"
        if isinstance(answer, Exception):
            raise answer
        return answer

    first, second = make_delivery(), make_delivery()
    send.__module__ = "lambdas.email"
    handler = _handler.make_handler(send, at_most_once=at_most_once, horizon_hours=1)
    bodies = bodies_for("email", [first.pk, second.pk])
    assert handler(event_for("email", bodies), make_context()) == {"batchItemFailures": []}
    assert status_of(first) == (at_most if at_most_once else at_least)
    assert (status_of(second), second.provider_id) == (("sent", ""), "the other")
    assert "MARKED" not in caplog.text + first.detail


@pytest.mark.parametrize("at_most_once", [False, True])
@pytest.mark.parametrize("length", [1, 3])
def test_a_batch_channel_that_answers_too_few_or_too_many_leaves_all_of_the_batch_open(at_most_once, length):
    def send(messages, session):
        return ["an-id"] * length

    made = [make_delivery(), make_delivery()]
    send.__module__ = "lambdas.email"
    handler = _handler.make_handler(send, at_most_once=at_most_once, horizon_hours=1, batch_size=2)
    handler(event_for("email", bodies_for("email", [each.pk for each in made])), make_context())
    assert {status_of(each) for each in made} == {("unknown" if at_most_once else "waiting", "error")}


def test_a_batch_channel_gets_batches_and_each_answer_is_its_own():
    batches = []

    def send(messages, session):
        batches.append(len(messages))
        return [
            Rejected("refused") if message.delivery == made[1].pk else str(message.delivery)
            for message in messages
        ]

    made = [make_delivery() for _ in range(5)]
    send.__module__ = "lambdas.email"
    handler = _handler.make_handler(send, at_most_once=True, horizon_hours=1, batch_size=2)
    handler(event_for("email", bodies_for("email", [each.pk for each in made])), make_context())
    assert batches == [2, 2, 1]
    assert [status_of(each)[0] for each in made] == ["sent", "failed", "sent", "sent", "sent"]
    assert made[4].provider_id == str(made[4].pk)


def test_a_session_is_opened_once_an_invocation_closed_at_its_end_and_only_if_something_is_sent():
    log = []

    class Session:
        def __enter__(self):
            log.append("open")

        def __exit__(self, *exc_info):
            log.append("close")

    def send(message, session):
        log.append("send")
        return "an-id"

    send.__module__ = "lambdas.email"
    handler = _handler.make_handler(send, session=Session, at_most_once=False, horizon_hours=1)
    handler(event_for("email", bodies_for("email", [4711])), make_context())
    assert log == []
    ids = [make_delivery().pk, make_delivery().pk]
    handler(
        event_for("email", [*bodies_for("email", ids[:1]), *bodies_for("email", ids[1:])]), make_context()
    )
    assert log == ["open", "send", "send", "close"]


def test_a_provider_that_cannot_even_be_set_up_leaves_the_messages_in_the_queue():
    def broken():
        raise OSError("no credentials")

    def send(message, session):
        return "an-id"

    delivery = make_delivery()
    send.__module__ = "lambdas.email"
    handler = _handler.make_handler(send, session=broken, at_most_once=True, horizon_hours=1)
    event = event_for("email", bodies_for("email", [delivery.pk]))
    assert handler(event, make_context()) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    let_time_pass()
    assert invoke("email", *bodies_for("email", [delivery.pk])) == []


def test_a_handler_has_an_event_and_a_context_and_nothing_else():
    """Zappa calls a handler again with fewer arguments on a TypeError."""
    handler = _handler.make_queue_handler("email", lambda rings, clock: [])
    parameters = inspect.signature(handler).parameters.values()
    assert [(each.name, each.default) for each in parameters] == [
        ("event", inspect.Parameter.empty),
        ("context", inspect.Parameter.empty),
    ]
    assert json.dumps(handler({"Records": []}, make_context())) == '{"batchItemFailures": []}'
