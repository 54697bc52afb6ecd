"""How soon what was sent was sent, by lane: by the events' time, without the waits that somebody chose."""

import datetime as dt
import random
from collections import Counter

import pytest
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import claim_deliveries, record_answers
from notifier.exceptions import Later
from notifier.models import Event, Lane, LaneCount
from notifier.operations import counts, latency
from tests.support.builders import make_delivery, make_event

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def sent(seconds, *, lane=Lane.NORMAL, event=None, **values):
    """A delivery that was sent at noon, so many seconds after its event was created."""
    event = event or make_event()
    Event.objects.filter(pk=event.pk).update(created_at=NOON - seconds * SECOND)
    values = {"status": "sent", "finished_at": NOON, "due_at": None} | values
    return make_delivery(event=event, lane=lane, **values)


def counted():
    counts.keep()
    return Counter({(each.lane, each.within_seconds): each.number for each in LaneCount.objects.all()})


STEPS = [
    # seconds, the step in which it is counted
    (-3, 1),  # by a clock that is behind
    (0, 1),
    (1, 1),
    (1.2, 2),
    (60, 60),
    (61, 120),
    (86_400, 86_400),
    (400 * 86_400, latency.STEPS[-1]),
]


@pytest.mark.parametrize(("seconds", "step"), STEPS)
def test_it_is_counted_by_the_time_from_its_event_to_sent(at_noon, seconds, step):
    sent(seconds)
    sent(seconds, status="failed")
    assert counted() == {(Lane.NORMAL, step): 1}


CHOSEN = [
    # what the event and the delivery have besides, a hundred seconds after it happened; seconds that count
    ({}, {}, 100),
    ({"starts_at": NOON - 40 * SECOND}, {}, 40),  # a time that was asked for
    ({"restarted_at": NOON - 30 * SECOND}, {}, 30),  # a pause
    ({"starts_at": NOON - 10 * SECOND, "restarted_at": NOON - 30 * SECOND}, {}, 10),  # whichever ended last
    ({"starts_at": NOON - 40 * SECOND}, {"wanted_at": NOON - 5 * SECOND}, 5),  # quiet hours, a digest
    ({}, {"restarted_at": NOON - 5 * SECOND}, 100),  # a wait for a slot is nobody's wish
]


@pytest.mark.parametrize(("of_event", "of_delivery", "seconds"), CHOSEN)
def test_a_wait_that_somebody_chose_is_not_in_it(at_noon, of_event, of_delivery, seconds):
    event = make_event()
    Event.objects.filter(pk=event.pk).update(**of_event)
    sent(100, event=event, **of_delivery)
    (step,) = (step for lane, step in counted())
    assert step == next(each for each in latency.STEPS if each >= seconds)


WAITS = [("quiet_hours", True), ("digest", True), ("until_monday", True), ("rate", False)]


@pytest.mark.parametrize(("reason", "is_chosen"), WAITS)
def test_the_sweep_notes_when_a_chosen_wait_was_over(reason, is_chosen):
    delivery, policy = make_delivery(), deliveries.Policy(at_most_once=False, horizon=HOUR)
    works = claim_deliveries([delivery.pk], channel="email", lease_seconds=60)
    wakes = timezone.now() - SECOND
    record_answers([(works[0], Later(reason, due_at=wakes))], policy)
    deliveries.take_due(10)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.wanted_at) == ("queued", wakes if is_chosen else None)


def test_half_and_95_of_100_are_within(at_noon, django_assert_num_queries):
    dice, event = random.Random(1), make_event()
    took = sorted(dice.choice(latency.STEPS[:9]) for _ in range(60))
    for seconds in took:
        sent(0, lane=Lane.URGENT, event=event, wanted_at=NOON - seconds * SECOND)
    sent(0, lane=Lane.BULK, event=event, wanted_at=NOON - HOUR)
    counts.keep()
    with django_assert_num_queries(1):
        found = latency.read(NOON - HOUR)
    assert found == {Lane.URGENT: (60, took[29], took[56]), Lane.BULK: (1, 3600, 3600)}
    assert latency.read(NOON + HOUR) == {}


def test_counted_again_it_is_the_same(at_noon):
    sent(3)
    sent(3, lane=Lane.BULK)
    first = counted()
    assert counted() == first == {(Lane.NORMAL, 5): 1, (Lane.BULK, 5): 1}
