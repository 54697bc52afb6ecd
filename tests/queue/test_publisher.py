"""What is committed is rung for at SNS: ten events a call, once, and nothing that was rolled back."""

from collections import Counter
from contextlib import nullcontext

import pytest
from botocore.exceptions import ConnectionClosedError
from django.db import transaction
from django.test import TestCase

from notifier import deliveries
from notifier.models import Delivery, Event
from notifier.queue import publisher
from notifier.queue.ring import MAX_MESSAGE_BYTES, Ring, parse, rings_for
from project.demo.models import Post
from tests.support.builders import make_delivery, make_trigger, make_user
from tests.support.functions import invoke
from tests.support.gate import PUBLISH_BATCH

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SAVES = 100


@pytest.fixture
def closing(cloud):
    """``closing(times)``: so many requests meet a connection that the other side has closed."""
    events, hooks = publisher.client().meta.events, []

    def close(times):
        left = [ConnectionClosedError(endpoint_url=cloud.url)] * times

        def hook(**_event):
            if left:
                raise left.pop()

        hooks.append(hook)
        events.register("before-send.sns", hook)
        return left

    yield close
    for hook in hooks:
        events.unregister("before-send.sns", hook)


@pytest.mark.parametrize("rings", [1, 2])
def test_a_kept_connection_that_was_closed_meanwhile_loses_no_ring(closing, pump, rings):
    left = closing(1)
    assert publisher.publish([Ring(route="fanout", ids=(number,)) for number in range(rings)]) == []
    assert left == []


def test_one_that_is_closed_again_leaves_it_to_the_sweep(closing):
    left = closing(3)
    rings = [Ring(route="fanout", ids=(1,))]
    assert publisher.publish(rings) == rings
    assert len(left) == 1


def texts_of(gate):
    """The messages that SNS was given."""
    return list(gate.ring_messages())


def rung_for(gate):
    """How often each event was rung for, by its key."""
    return Counter(pk for text in texts_of(gate) for pk in parse(text, route="fanout").ids)


def recorded_once():
    return Counter(Event.objects.values_list("pk", flat=True))


def save_plainly(number):
    Post.objects.create(title=str(number))


def save_in_a_transaction_of_its_own(number):
    with transaction.atomic():
        save_plainly(number)


def save_in_three(number):
    with transaction.atomic(), transaction.atomic():
        save_in_a_transaction_of_its_own(number)


def save_beside_a_savepoint_that_is_rolled_back(number):
    save_plainly(number)
    with transaction.atomic():
        Post.objects.filter(title=str(number)).update(body="Nothing that fires")
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "save",
    [
        save_plainly,
        save_in_a_transaction_of_its_own,
        save_in_three,
        save_beside_a_savepoint_that_is_rolled_back,
    ],
)
def test_a_hundred_saves_in_one_transaction_are_ten_calls(gate, save):
    make_trigger()
    with transaction.atomic():
        for number in range(SAVES):
            save(number)
        assert gate.count(PUBLISH_BATCH) == 0
    assert gate.count(PUBLISH_BATCH) == 10
    assert rung_for(gate) == recorded_once()
    assert Event.objects.count() == SAVES


ROLLED_BACK = [
    # which of a hundred savepoints are rolled back, how many calls are left
    (range(0, SAVES, 3), 10),  # every third
    (range(0, SAVES, 10), 10),  # the first of each call
    (range(9, SAVES, 10), 10),  # the last of each call
    (range(10, 40), 7),  # all of three calls
    (range(60), 4),  # all but the end
    (range(40, SAVES), 4),  # all but the beginning
    (range(SAVES - 1), 1),  # all but one
    (range(SAVES), 0),  # all
]


@pytest.mark.parametrize(("rolled_back", "calls"), ROLLED_BACK)
def test_savepoints_that_are_rolled_back_take_nothing_along_and_leave_nothing(gate, rolled_back, calls):
    make_user()
    make_trigger()
    with transaction.atomic():
        for number in range(SAVES):
            with transaction.atomic():
                save_plainly(number)
                transaction.set_rollback(number in rolled_back)
    assert gate.count(PUBLISH_BATCH) == calls
    kept = recorded_once()
    assert Event.objects.count() == SAVES - len(rolled_back)
    # A key that was rolled back may be rung for: SQLite gives it away again, and a ring twice, or for
    # nothing, does nothing.
    assert set(kept) <= set(rung_for(gate))
    with publisher.diverted():
        assert invoke("fanout", *texts_of(gate)) == []
    posts = [f"demo.post:{pk}" for pk in Post.objects.values_list("pk", flat=True)]
    assert Counter(Delivery.objects.values_list("event__action_object", flat=True)) == Counter(posts)
    assert len(posts) == SAVES - len(rolled_back)


def test_what_an_earlier_transaction_rolled_back_does_not_count_with_the_next(gate):
    make_trigger()
    for _ in range(3):
        with transaction.atomic():
            save_plainly("Never")
            transaction.set_rollback(True)
    with transaction.atomic():
        for number in range(SAVES):
            save_plainly(number)
    assert gate.count(PUBLISH_BATCH) == 10
    assert rung_for(gate) == recorded_once()


@pytest.mark.parametrize(
    ("saves", "triggers", "calls"),
    [
        (0, 1, 0),  # nothing to ring for
        (1, 1, 1),
        (10, 1, 1),
        (11, 1, 2),
        (5, 2, 1),  # two events a save
        (7, 3, 3),  # a save's events across two calls
        (1, 25, 3),  # one save's events in three calls
    ],
)
def test_ten_events_go_into_one_call(gate, saves, triggers, calls):
    for _ in range(triggers):
        make_trigger()
    with transaction.atomic():
        for number in range(saves):
            save_plainly(number)
    assert gate.count(PUBLISH_BATCH) == calls
    assert rung_for(gate) == recorded_once()


class InATestCase(TestCase):
    """Where hooks are run and stay in the open transaction."""

    @pytest.fixture(autouse=True)
    def _gate(self, gate):
        self.gate = gate

    def test_each_block_whose_hooks_are_run_rings_for_its_own(self):
        make_trigger()
        for title in ("One", "Two"):
            with self.captureOnCommitCallbacks(execute=True):
                Post.objects.create(title=title)
        assert (rung_for(self.gate), self.gate.count(PUBLISH_BATCH)) == (recorded_once(), 2)


def test_outside_a_transaction_each_save_rings_at_once(gate):
    make_trigger()
    for expected in 1, 2, 3:
        save_plainly(expected)
        assert gate.count(PUBLISH_BATCH) == expected
    assert rung_for(gate) == recorded_once()


def test_a_message_holds_a_key_and_its_route_and_nothing_of_anybody(gate):
    make_user(email="ada@example.com", first_name="Ada")
    make_trigger(
        contents={"email": {"subject": "{{ instance.title }}", "text": "Dear {{ user.first_name }}"}}
    )
    save_plainly("A secret sale")
    form = next(call.form for call in gate.calls if call.action == PUBLISH_BATCH)
    assert form["Message"] == f'{{"v":1,"route":"fanout","events":[{Event.objects.get().pk}]}}'
    assert len(form["Message"].encode()) < MAX_MESSAGE_BYTES
    attribute = {
        name.rpartition(".")[2]: value for name, value in form.items() if name.startswith("MessageAttributes")
    }
    assert attribute == {"Name": "route", "DataType": "String", "StringValue": "fanout"}


@pytest.mark.parametrize(
    ("setting", "endpoint", "in_log"),
    [
        ({"TOPIC_ARN": "no ARN at all"}, None, "SNS took none of 1 messages"),
        ({}, "nonsense", "nonsense"),  # boto3 does not even make a client
    ],
)
@pytest.mark.parametrize("around", [nullcontext, transaction.atomic])
def test_settings_that_are_wrong_do_not_reach_the_caller(
    cloud, settings, monkeypatch, caplog, setting, endpoint, in_log, around
):
    make_trigger()
    publisher._say_once.cache_clear()
    settings.NOTIFIER = settings.NOTIFIER | setting
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with around():
        save_plainly("Linen")
    assert Event.objects.get().status == "recorded"
    assert in_log in caplog.text


def test_where_no_topic_is_configured_nobody_is_rung_and_nothing_is_said(gate, settings, caplog):
    make_trigger()
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": ""}
    save_plainly("Linen")
    assert (Event.objects.get().status, gate.count(PUBLISH_BATCH), caplog.text) == ("recorded", 0, "")
    assert publisher.publish(rings_for("email", [1])) == rings_for("email", [1])


def test_a_region_that_is_missing_is_said_once(cloud, monkeypatch, caplog):
    make_trigger()
    publisher._say_once.cache_clear()
    publisher._client_for.cache_clear()
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for _ in range(2):
        save_plainly("Linen")
    assert caplog.text.count("You must specify a region") == len(caplog.records) == 1


def test_what_is_queued_again_is_published_after_the_commit_and_due_at_once_where_that_fails(gate):
    delivery = make_delivery()
    rings = [Ring(route="email", ids=(delivery.pk,))]
    with transaction.atomic():
        deliveries.publish_on_commit(rings)
        assert gate.count(PUBLISH_BATCH) == 0
    assert gate.count(PUBLISH_BATCH) == 1
    before = Delivery.objects.get().due_at
    gate.cut(PUBLISH_BATCH, times=2)
    with transaction.atomic():
        deliveries.publish_on_commit(rings)
    assert Delivery.objects.get().due_at < before
