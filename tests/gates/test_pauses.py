"""What is paused is held, not lost, and goes out when the pause is over; once, whoever crashes and whoever is
faster.
"""

import datetime as dt
import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from notifier import deliveries
from notifier.deliveries import holding
from notifier.exceptions import TryAgain
from notifier.gates import pauses
from notifier.models import Delivery, Event, Pause
from project.demo.models import Post
from tests.support.builders import make_delivery, make_event, make_trigger, make_user
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep, worker
from tests.support.patience import PATIENCE_SECONDS, in_threads, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def statuses(model=Delivery):
    return dict(Counter(model.objects.values_list("status", flat=True)))


def claim(ids, channel="email"):
    return [work.pk for work in deliveries.claim_deliveries(ids, channel=channel, lease_seconds=900)]


def resume_all():
    for pk in Pause.objects.values_list("pk", flat=True):
        assert pauses.resume(pk)


def scope_named(name, delivery):
    return {
        "everything": pauses.EVERYTHING,
        "its channel": pauses.scope_of(channel=delivery.channel),
        "another channel": pauses.scope_of(channel="sms"),
        "its trigger": pauses.scope_of(trigger=delivery.event.trigger_id),
        "another trigger": pauses.scope_of(trigger=delivery.event.trigger_id + 1),
    }[name]


SCOPES = [
    # what is paused, whether it holds a mail, whether it holds the event
    ("everything", True, True),
    ("its channel", True, False),  # other channels of the event go on
    ("another channel", False, False),
    ("its trigger", True, True),
    ("another trigger", False, False),
]


@pytest.mark.parametrize(("name", "holds", "_event"), SCOPES)
def test_a_delivery_is_held_by_the_pauses_that_cover_it_and_goes_out_after_them(
    cloud, pump, name, holds, _event
):
    delivery = make_delivery()
    pauses.pause(scope_named(name, delivery))
    assert invoke("email", *bodies_for("email", [delivery.pk])) == []
    delivery.refresh_from_db()
    if not holds:
        assert delivery.status == "sent"
        return
    assert (delivery.status, delivery.due_at, delivery.attempts) == ("held", None, 0)
    assert (sweep(), cloud.outbox()) == (0, [])
    resume_all()
    assert sweep() == 1
    pump.drain()
    assert statuses() == {"sent": 1}
    assert len(cloud.outbox()) == 1


@pytest.mark.parametrize(("name", "_delivery", "holds"), SCOPES)
def test_an_event_is_held_by_the_pauses_that_cover_it_and_is_fanned_out_after_them(
    cloud, pump, name, _delivery, holds
):
    make_user()
    event = make_event()
    pauses.pause(scope_named(name, make_delivery(event=event)))
    Delivery.objects.all().delete()
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    event.refresh_from_db()
    if not holds:
        assert event.status == "done"
        return
    assert (event.status, event.due_at, event.deliveries.count()) == ("held", None, 0)
    assert sweep() == 0
    resume_all()
    assert sweep() == 1
    pump.drain()
    event.refresh_from_db()
    assert (event.status, event.deliveries.get().status) == ("done", "sent")


def test_what_waits_for_a_retry_is_held_when_its_time_comes(cloud):
    delivery = make_delivery(status="waiting", reason="throttled", attempts=1)
    pauses.pause("channel:email")
    let_time_pass()
    assert sweep() == 1
    invoke("email", *bodies_for("email", [delivery.pk]))
    assert statuses() == {"held": 1}


def test_what_another_pause_still_covers_stays_held(cloud):
    mail, sms = (
        make_delivery(status="held", due_at=None),
        make_delivery(channel="sms", status="held", due_at=None),
    )
    first, _ = pauses.pause(pauses.EVERYTHING)
    pauses.pause("channel:email")
    assert (holding.release_deliveries(), statuses()) == (0, {"held": 2})
    pauses.resume(first.pk)
    assert holding.release_deliveries() == 1
    assert [Delivery.objects.get(pk=each.pk).status for each in (mail, sms)] == ["held", "queued"]


def test_a_held_row_without_a_pause_goes_on_whatever_became_of_the_pause(cloud):
    make_delivery(status="held", due_at=None)
    event = make_event(status="held", due_at=None)
    assert sweep() == 2
    assert statuses() == {"queued": 1}
    assert Event.objects.get(pk=event.pk).status == "recorded"


def test_the_oldest_go_first_a_page_at_a_time_and_no_more_than_a_function_takes(monkeypatch):
    monkeypatch.setattr(holding, "PAGE_SIZE", 2)
    monkeypatch.setattr(holding, "MOST_UNDER_WAY", 3)
    event = make_delivery(status="sent", due_at=None).event
    made = [make_delivery(event=event, status="held", due_at=None).pk for _ in range(5)]
    assert [holding.release_deliveries() for _ in range(3)] == [2, 1, 0]
    queued = Delivery.objects.filter(status="queued").order_by("pk").values_list("pk", flat=True)
    assert list(queued) == made[:3]
    # What the functions have taken makes room.
    assert claim(made[:2]) == made[:2]
    assert holding.release_deliveries() == 2


def test_a_pause_longer_than_the_horizon_gives_nothing_up(cloud):
    """Its horizon is how long it is tried, and it was not: it lay still."""
    delivery = make_delivery(status="held", due_at=None)
    policy = deliveries.Policy(at_most_once=False, horizon=dt.timedelta(hours=1))
    Delivery.objects.update(created_at=delivery.created_at - dt.timedelta(days=3))
    holding.release_deliveries()
    [work] = deliveries.claim_deliveries([delivery.pk], channel="email", lease_seconds=900)
    deliveries.record_answers([(work, TryAgain("throttled"))], policy)
    assert statuses() == {"waiting": 1}


def test_a_claim_that_finds_everything_asks_once_for_all_gates_and_nothing_more(django_assert_num_queries):
    ids = [make_delivery().pk for _ in range(3)]
    with django_assert_num_queries(2):
        assert claim(ids) == ids


def test_what_is_neither_claimed_nor_paused_is_rung_for_again_at_once():
    """Its pause ended between the claim and the look: the message is used up."""
    delivery = make_delivery()
    holding.hold_unclaimed([delivery.pk], "email")
    assert deliveries.take_due(10) == [("email", delivery.pk)]


def test_pausing_twice_is_one_pause_and_resuming_twice_one_end():
    pause, is_new = pauses.pause("channel:email", reason="Wrong price", by="ada")
    again, is_new_again = pauses.pause("channel:email", reason="Me too", by="bo")
    assert (pause, is_new, is_new_again, again.reason) == (again, True, False, "Wrong price")
    assert pauses.resume(pause.pk) == pause
    assert pauses.resume(pause.pk) is None


# Crashes and races

HOLDS = r'UPDATE "notifier_delivery" SET "status" = '
TAKES_DUE = r'SELECT .*"due_at" <= '


def test_a_function_that_is_killed_before_it_holds_loses_nothing(cloud, pump):
    ids = [make_delivery().pk for _ in range(3)]
    pauses.pause("channel:email")
    with worker("email", *bodies_for("email", ids), die_before=[HOLDS, 1]) as process:
        assert process.wait(PATIENCE_SECONDS) == -9
    assert statuses() == {"queued": 3}
    resume_all()
    let_time_pass()
    sweep()
    pump.drain()
    assert statuses() == {"sent": 3}
    assert len(cloud.outbox()) == 3


def test_a_sweep_that_is_killed_before_it_rings_for_what_it_let_go_loses_nothing(cloud, pump):
    for _ in range(3):
        make_delivery(status="held", due_at=None)
    with worker("sweep", die_before=[TAKES_DUE, 1]) as process:
        assert process.wait(PATIENCE_SECONDS) == -9
    assert statuses() == {"queued": 3}
    assert sweep() == 3
    pump.drain()
    assert len(cloud.outbox()) == 3


def test_pauses_that_come_and_go_among_claims_leave_nothing_stuck_and_double_nothing():
    event = make_delivery(status="sent", due_at=None).event
    ids = [make_delivery(event=event).pk for _ in range(60)]
    scopes = [pauses.EVERYTHING, "channel:email", pauses.scope_of(trigger=event.trigger_id)]
    claimed, done = Counter(), threading.Event()

    def claim_all():
        for start in range(0, len(ids), 5):
            claimed.update(claim(ids[start : start + 5]))

    def come_and_go():
        while not done.is_set():
            for scope in scopes:
                pause, _ = pauses.pause(scope)
                pauses.resume(pause.pk)

    def work():
        try:
            # Three rings for each, as from a queue that delivers more than once.
            in_threads(claim_all, claim_all, claim_all)
        finally:
            done.set()

    in_threads(work, come_and_go)
    assert not Pause.objects.exists()
    # Everything that was left is due now: nothing waits for an hour because its pause ended at the wrong
    # moment.
    while holding.release_deliveries():
        pass
    due = [pk for _, pk in deliveries.take_due(100)]
    claimed.update(claim(due))
    assert claimed == Counter(ids)
    assert statuses() == {"claimed": 60, "sent": 1}


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        # A transaction looks once and keeps what it saw.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
def test_a_resume_waits_for_whoever_is_holding_and_then_lets_that_go_too():
    delivery = make_delivery()
    pause, _ = pauses.pause("channel:email")
    holds, resumed = threading.Event(), threading.Event()
    order = []

    def hold():
        with transaction.atomic():
            holding.hold_unclaimed([delivery.pk], "email")
            holds.set()
            wait_until(somebody_waits_for_a_lock, "the resume waits for this transaction")
            assert not resumed.is_set()
            order.append("held")

    def resume():
        assert holds.wait(PATIENCE_SECONDS)
        pauses.resume(pause.pk)
        resumed.set()
        order.append("resumed")

    in_threads(hold, resume)
    assert order == ["held", "resumed"]
    assert holding.release_deliveries() == 1


ACTS = [
    # what a person asks for, the status that it is for
    (deliveries.cancel, "queued"),
    (deliveries.retry, "failed"),
    (deliveries.resend, "sent"),
]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
@pytest.mark.parametrize(("act", "status"), ACTS)
def test_what_a_person_asks_for_and_a_function_never_wait_for_each_other(act, status):
    first, second = (make_delivery(status=status) for _ in range(2))

    def take_one_and_then_the_other():
        with transaction.atomic():
            Delivery.objects.filter(pk=first.pk).update(detail="mine")
            locked.set()
            wait_until(somebody_waits_for_a_lock, "the function waits for what this transaction has locked")
            # A database that finds a deadlock ends one of the two.
            Delivery.objects.filter(pk=second.pk).update(detail="mine")

    def ask():
        assert locked.wait(PATIENCE_SECONDS)
        assert len(act([first.pk, second.pk])) == 2

    locked = threading.Event()
    in_threads(take_one_and_then_the_other, ask)


def test_a_signal_while_its_trigger_is_paused_is_recorded_and_goes_out_later(cloud, pump):
    trigger, _user = make_trigger(), make_user()
    pause, _ = pauses.pause(pauses.scope_of(trigger=trigger.pk))
    Post.objects.create(title="Linen")
    pump.drain()
    assert statuses(Event) == {"held": 1}
    pauses.resume(pause.pk)
    sweep()
    pump.drain()
    assert (statuses(Event), statuses()) == ({"done": 1}, {"sent": 1})


# What it costs


@pytest.mark.skipif(connection.vendor != "postgresql", reason="It is about PostgreSQL's plans.")
def test_a_paused_trigger_with_very_many_events_does_not_keep_the_sweep():
    delivery = make_delivery(status="held", due_at=None)
    paused = make_event()
    pauses.pause(pauses.scope_of(trigger=paused.trigger_id))
    Event.objects.bulk_create(
        Event(trigger_id=paused.trigger_id, verb="v", data={}, created_at=paused.created_at)
        for _ in range(6000)
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # As little memory for so many as there would be for a million: a list of all of them would be read
        # anew for each delivery.
        cursor.execute("SET LOCAL work_mem = '64kB'; SET LOCAL hash_mem_multiplier = 1")
        cursor.execute("ANALYZE")
        held = Delivery.objects.filter(status="held").exclude(pauses.read_scopes().of_deliveries())
        assert list(held) == [delivery]
        assert "Materialize" not in held.explain()
