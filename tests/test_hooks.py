"""Hooks tell a project's own code what came of an event, once it is stored; and cost, lose and double
nothing.
"""

import datetime as dt
import gc
from collections import Counter
from contextlib import contextmanager, nullcontext

import pytest
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from lambdas import _handler, email
from notifier import deliveries, emit_bulk, hooks
from notifier.deliveries.results import GROUP_SIZE
from notifier.exceptions import OutcomeUnknown, Rejected, SignalRegistrationError, Skipped, TryAgain
from notifier.models import Delivery, Event
from notifier.rules import signals
from project.demo.models import Post
from tests.app.models import Note
from tests.support.builders import make_delivery, make_trigger
from tests.support.functions import bodies_for, event_for, invoke, make_context
from tests.support.gate import PUBLISH_BATCH
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@contextmanager
def listening(signal, receiver):
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


@pytest.fixture
def heard():
    """``heard(signal)``: a list of the arguments that its receivers get from now on."""
    connected = []

    def listen(signal):
        found = []

        def receive(signal, sender, **arguments):
            found.append(arguments)

        signal.connect(receive)
        connected.append((signal, receive))
        return found

    yield listen
    for signal, receive in connected:
        signal.disconnect(receive)


def save():
    Post.objects.create(title="Linen")


# Events.


def test_an_event_is_announced_after_the_commit(heard):
    found = heard(hooks.event_recorded)
    trigger = make_trigger()
    with transaction.atomic():
        save()
        with transaction.atomic():
            save()
            transaction.set_rollback(True)
        assert found == []
    event = Event.objects.get()
    assert found == [
        {"event_id": event.pk, "trigger_id": trigger.pk, "verb": "post_save", "status": "recorded"}
    ]
    with transaction.atomic():
        save()
        transaction.set_rollback(True)
    assert len(found) == 1
    save()
    assert len(found) == 2


def test_each_event_is_announced_also_one_that_failed(heard):
    found = heard(hooks.event_recorded)
    for text in "{{ instance.label }}", "{{ instance.broken }}":
        make_trigger(model="shop.parcel", contents={"email": {"text": text}})
    from tests.app.models import Parcel

    Parcel.objects.create(label="a")
    assert sorted(each["status"] for each in found) == ["failed", "recorded"]
    assert {each["event_id"] for each in found} == set(Event.objects.values_list("pk", flat=True))


def test_events_in_bulk_are_announced_one_by_one(heard):
    found = heard(hooks.event_recorded)
    make_trigger()
    Post.objects.bulk_create(Post(title=str(number)) for number in range(70))
    emit_bulk(Post.objects.all(), created=True)
    assert {each["event_id"] for each in found} == set(Event.objects.values_list("pk", flat=True))
    assert len(found) == 70


def test_a_receiver_that_raises_reaches_nobody_and_is_logged(heard, gate, caplog):
    make_trigger()

    def raising(**arguments):
        raise ZeroDivisionError

    with listening(hooks.event_recorded, raising):
        found = heard(hooks.event_recorded)
        save()
        with transaction.atomic():
            save()
    assert (Post.objects.count(), Event.objects.count(), gate.count(PUBLISH_BATCH), len(found)) == (
        2,
        2,
        2,
        2,
    )
    assert caplog.text.count("ZeroDivisionError") >= 2


def in_a_transaction():
    with transaction.atomic():
        save()


@pytest.mark.parametrize("act", [save, in_a_transaction])
def test_what_a_receiver_saves_is_recorded_and_not_announced_to_it_for_ever(heard, act):
    make_trigger()
    told = []

    def saving(**arguments):
        told.append(arguments["event_id"])
        save()

    with listening(hooks.event_recorded, saving):
        act()
    assert (len(told), Event.objects.count()) == (1, 2)


def test_where_nobody_listens_nothing_is_prepared():
    make_trigger()
    with transaction.atomic():
        save()
        from django.db import connection

        assert len(connection.run_on_commit) == 1  # the doorbell
    delivery = make_delivery()
    with statements() as without:
        invoke("email", *bodies_for("email", [delivery.pk]))
    delivery = make_delivery()
    email.heard_rate.cache_clear()
    with listening(hooks.notification_sent, lambda **arguments: None), statements() as listened:
        invoke("email", *bodies_for("email", [delivery.pk]))
    assert listened == without


# Deliveries.


def deliver(ids, send_batch, *, at_most_once=False, batch_size=1, context=None):
    """Call a channel's handler whose provider answers as ``send_batch`` does."""
    channel = _handler.Channel(
        name="email",
        send_batch=send_batch,
        session=nullcontext,
        policy=deliveries.Policy(at_most_once=at_most_once, horizon=dt.timedelta(hours=1)),
        batch_size=batch_size,
    )
    handler = _handler.make_channel_handler(channel)
    return handler(event_for("email", bodies_for("email", ids)), context or make_context())[
        "batchItemFailures"
    ]


# what the channel answers, the status that is stored, who is told
ANSWERS = [
    ("provider-1", "sent", "sent"),
    (Rejected("rejected", "No such box."), "failed", "failed"),
    (OutcomeUnknown("timeout"), "unknown", "failed"),  # nobody knows: a person must look
    (TryAgain("throttled"), "waiting", None),  # it goes on
    (Skipped("opted_out"), "skipped", None),  # nobody's failure
]


@pytest.mark.parametrize(("answer", "status", "told"), ANSWERS)
def test_what_came_of_a_delivery_is_told_once_it_is_stored(heard, answer, status, told):
    delivery = make_delivery()
    stored = []

    def look(delivery_id, **arguments):
        stored.append(Delivery.objects.get(pk=delivery_id).status)

    found = {"sent": heard(hooks.notification_sent), "failed": heard(hooks.notification_failed)}
    with listening(hooks.notification_sent, look), listening(hooks.notification_failed, look):
        deliver([delivery.pk], lambda messages, session: [answer], at_most_once=True)
    delivery.refresh_from_db()
    assert delivery.status == status
    assert stored == ([status] if told else [])
    expected = {
        "delivery_id": delivery.pk, "event_id": delivery.event_id, "channel": "email",
        "recipient": delivery.recipient, "status": status,
    }  # fmt: skip
    more = (
        {"provider_id": "provider-1"}
        if told == "sent"
        else {"reason": delivery.reason, "detail": delivery.detail}
    )
    assert found == {"sent": [], "failed": []} | ({told: [expected | more]} if told else {})


def test_one_whose_template_fails_is_told_of_too(heard):
    found = heard(hooks.notification_failed)
    make = {"parts": {"text": "{% for a in many %}{% endfor %}"}, "data": {"many": [0] * 10_001}}
    deliver([make_delivery(**make).pk], lambda messages, session: [])
    assert [(each["reason"], each["status"]) for each in found] == [("template_failed", "failed")]


def test_a_result_that_came_too_late_to_be_stored_is_not_told(heard):
    found = heard(hooks.notification_sent)
    ids = [make_delivery().pk for _ in range(2)]

    def lose_one(messages, session):
        Delivery.objects.filter(pk=ids[0]).update(claim=1)
        return ["a", "b"]

    deliver(ids, lose_one, batch_size=2)
    assert [each["delivery_id"] for each in found] == [ids[1]]


class Clock:
    """A Lambda context whose time is up when ``is_up`` says so."""

    aws_request_id = "1"
    is_up = False

    def get_remaining_time_in_millis(self):
        return 1000 if self.is_up else 60_000


def test_receivers_that_raise_or_take_all_the_time_neither_lose_nor_double_anything(heard):
    ids = [make_delivery().pk for _ in range(GROUP_SIZE + 4)]
    sent, context = Counter(), Clock()

    def count(messages, session):
        sent.update(message.delivery for message in messages)
        return [f"provider-{message.delivery}" for message in messages]

    def raising(**arguments):
        raise ZeroDivisionError

    def slow(delivery_id, **arguments):
        context.is_up |= delivery_id == ids[1]

    with listening(hooks.notification_sent, raising), listening(hooks.notification_sent, slow):
        found = heard(hooks.notification_sent)
        assert deliver(ids, count, context=context) == []
        # It was told once its group was stored.
        assert 2 <= len(sent) <= GROUP_SIZE
        assert set(Delivery.objects.values_list("pk", "status")) == {
            (pk, "sent" if pk in sent else "queued") for pk in ids
        }
        context.is_up = False
        assert deliver(ids, count, context=context) == []
    assert sent == Counter(ids)
    assert [each["delivery_id"] for each in found] == ids
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_a_receiver_may_keep_statistics():
    delivery = make_delivery()

    def count(channel, **arguments):
        Note.objects.create(text=channel)

    with listening(hooks.notification_sent, count):
        deliver([delivery.pk], lambda messages, session: ["1"])
    assert list(Note.objects.values_list("text", flat=True)) == ["email"]


class Till:
    def __init__(self):
        self.rang = []

    def ring(self, event_id, **arguments):
        self.rang.append(event_id)


def test_a_receiver_may_be_a_function_or_a_method_and_is_kept_where_it_says_so():
    """As with all of Django's signals, what nobody holds is forgotten: a method with its object, unless
    `weak=False`.
    """
    make_trigger()
    held, let_go, kept, called = Till(), Till(), Till(), []
    rang = {"held": held.rang, "let go": let_go.rang, "kept": kept.rang, "decorated": called}

    @receiver(hooks.event_recorded)
    def note(event_id, **arguments):
        called.append(event_id)

    hooks.event_recorded.connect(held.ring)
    hooks.event_recorded.connect(let_go.ring)
    hooks.event_recorded.connect(kept.ring, weak=False, dispatch_uid="kept")
    del let_go, kept
    gc.collect()
    try:
        save()
    finally:
        for connected in note, held.ring:
            hooks.event_recorded.disconnect(connected)
        hooks.event_recorded.disconnect(dispatch_uid="kept")
    event = Event.objects.get().pk
    assert rang == {"held": [event], "let go": [], "kept": [event], "decorated": [event]}


@pytest.mark.parametrize("signal", hooks.ALL)
def test_a_hook_is_no_verb(signal):
    with pytest.raises(SignalRegistrationError, match="never end"):
        signals.register_signal("notified", signal)
    assert "notified" not in signals.names()


def test_a_delivery_whose_function_died_at_the_provider_is_announced_when_the_sweep_finds_it(heard):
    told = heard(hooks.notification_failed)
    delivery = make_delivery(channel="sms", status="sending", due_at=timezone.now() - dt.timedelta(seconds=1))
    assert deliveries.take_due(10) == []
    [about] = told
    assert (about["delivery_id"], about["event_id"], about["channel"]) == (
        delivery.pk,
        delivery.event_id,
        "sms",
    )
    assert (about["status"], about["reason"]) == ("unknown", "crashed")
    deliveries.take_due(10)
    assert len(told) == 1
