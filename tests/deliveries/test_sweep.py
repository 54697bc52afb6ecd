"""Once a minute the sweep rings again for what nobody has taken up and for what is due, and for nothing
else.
"""

import datetime as dt

import pytest
from django.db.models import F
from django.utils import timezone

from notifier.deliveries import clock, sweep as sweeping
from notifier.models import Delivery, Event, Lane
from notifier.queue.ring import FANOUT
from tests.support.builders import make_audience, make_delivery, make_event, make_people
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep
from tests.support.gate import PUBLISH_BATCH

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = dt.timedelta(minutes=1)


EVENTS = [
    # status, minutes until it is due, whether it is rung for
    ("recorded", -1, True),  # its doorbell was lost
    ("recorded", 1, False),  # its doorbell may still be heard
    ("fanning_out", -1, True),  # its function died
    ("fanning_out", 1, False),  # its function works
    ("done", None, False),
    ("failed", None, False),
]


@pytest.mark.parametrize(("status", "minutes", "is_rung"), EVENTS)
def test_an_event_is_rung_for_when_it_is_due(gate, status, minutes, is_rung):
    due_at = timezone.now() + minutes * MINUTE if minutes else None
    event = make_event(status=status, due_at=due_at, claim=7)
    assert sweep() == is_rung
    assert gate.rung() == ({(FANOUT, event.pk): 1} if is_rung else {})
    event.refresh_from_db()
    if is_rung:
        assert (event.status, event.claim) == ("recorded", None)
        assert event.due_at > timezone.now()
        # The next sweep, a minute later, gives it time.
        assert sweep() == 0
    else:
        assert (event.status, event.claim, event.due_at) == (status, 7, due_at)


def test_deliveries_are_rung_for_by_channel(gate):
    due_at = timezone.now() - MINUTE
    made = [make_delivery(channel=channel, due_at=due_at) for channel in ("email", "sms", "twitter", "email")]
    make_delivery(channel="sms", status="sending", due_at=due_at)
    make_delivery()
    assert sweep() == 4
    assert gate.rung() == {(delivery.channel, delivery.pk): 1 for delivery in made}


def test_what_cannot_be_published_stays_due(gate):
    event = make_event()
    make_delivery(status="waiting")
    let_time_pass()
    gate.cut(PUBLISH_BATCH, times=4)
    assert sweep() == 0
    assert {
        each.due_at <= timezone.now() for each in (Event.objects.get(pk=event.pk), Delivery.objects.get())
    } == {True}
    assert sweep() == 2


def make_backlog(number):
    """That many due deliveries, of one event."""
    event = make_event(audiences=[make_audience(everyone=True)])
    make_people(number)
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    let_time_pass()


def test_a_backlog_of_several_pages_is_rung_for_in_one_go(gate):
    gate.take_rings()
    make_backlog(2 * sweeping.PAGE_SIZE + 1)
    gate.calls.clear()
    assert sweep() == 2 * sweeping.PAGE_SIZE + 1
    assert set(gate.rung().values()) == {1}


def test_a_sweep_whose_time_is_up_leaves_the_rest_to_the_next(gate):
    gate.take_rings()
    make_backlog(sweeping.PAGE_SIZE + 1)
    answers = iter([False])  # one page
    assert sweeping.sweep(lambda: next(answers, True)) == sweeping.PAGE_SIZE
    assert sweep() == 1


def make_due(lane, number, *, events=1):
    """So many deliveries that are due, the later lanes for longer; returns their keys."""
    due_at = timezone.now() - MINUTE * (1 + lane)
    first = [make_delivery(lane=lane, due_at=due_at) for _ in range(events)]
    rows = [
        Delivery(
            event_id=first[n % events].event_id, subscription_id=first[0].subscription_id,
            version_id=first[0].version_id, channel="email", recipient=f"address:{lane}-{n}@example.com",
            lane=lane, due_at=due_at, created_at=due_at,
        )
        for n in range(number - events)
    ]  # fmt: skip
    return {each.pk for each in [*first, *Delivery.objects.bulk_create(rows)]}


def sweep_one_page():
    answers = iter([False])
    return sweeping.sweep(lambda: next(answers, True))


def test_the_urgent_are_rung_for_first_and_each_lane_keeps_its_share_of_a_page(gate):
    gate.take_rings()
    keys = {lane: make_due(lane, sweeping.PAGE_SIZE) for lane in reversed(Lane)}
    assert sweep_one_page() == sweeping.PAGE_SIZE
    rung = [pk for _route, pk in gate.rung()]
    lanes = [next(lane for lane, pks in keys.items() if pk in pks) for pk in rung]
    assert lanes == sorted(lanes)
    shares = {lane: lanes.count(lane) / sweeping.PAGE_SIZE for lane in Lane}
    assert shares == {Lane.URGENT: 0.7, Lane.NORMAL: 0.2, Lane.BULK: 0.1}


def test_urgent_events_are_rung_for_first(gate):
    later = [make_event(lane=lane, due_at=timezone.now() - MINUTE * (1 + lane)) for lane in (2, 1, 0)]
    assert sweep() == 3
    assert list(gate.rung()) == [(FANOUT, event.pk) for event in reversed(later)]


def test_a_message_is_of_one_lane_and_of_one_event_where_there_are_many_of_it(monkeypatch):
    rings = []
    monkeypatch.setattr(sweeping.publisher, "publish", lambda found: rings.extend(found) or [])
    for lane in Lane:
        make_due(lane, 60)
    scattered = make_due(Lane.NORMAL, 120, events=60)
    sweep()
    of_lane = dict(Delivery.objects.values_list("pk", "lane"))
    events = dict(Delivery.objects.values_list("pk", "event_id"))
    assert all(len({of_lane[pk] for pk in ring.ids}) == 1 for ring in rings)
    for ring in rings:
        assert ring.group in ("", *{f"event-{events[pk]}" for pk in ring.ids})
        assert not ring.group or len({events[pk] for pk in ring.ids}) == 1
    # As few messages as there can be, though two of each of sixty events are among them.
    assert sorted(len(ring.ids) for ring in rings if not ring.group) == [20, 50, 50]
    assert {pk for ring in rings if not ring.group for pk in ring.ids} == scattered
    assert [len(ring.ids) for ring in rings if ring.group] == [50, 10] * 3


def test_two_sweeps_and_the_queue_together_send_once(cloud, pump):
    for channel in ("email", "sms", "twitter"):
        make_delivery(channel=channel, status="waiting")
    for _ in range(2):
        let_time_pass()
        assert sweep() == 3
    pump.drain()
    assert len(cloud.outbox()) == 3
    let_time_pass()
    assert sweep() == 0


LINES = [
    # reason, status, seconds until each is due; how many turns the sweep takes, how many it rings for
    ("rate", "waiting", [3, 8, 8, 31, 70], 10, 4),
    ("rate", "waiting", [3, 8], 2, 2),  # then nobody is in the line
    ("rate", "waiting", [70], 0, 0),  # that is for the next sweep
    ("throttled", "waiting", [3], 0, 0),
    ("", "claimed", [3], 0, 0),
    ("", "queued", [3], 0, 0),
]


@pytest.mark.parametrize(("reason", "status", "due", "turns", "rung"), LINES)
def test_while_there_is_a_line_it_is_rung_for_in_turns(gate, monkeypatch, reason, status, due, turns, rung):
    passed = []

    def sleep(seconds):
        passed.append(seconds)
        Delivery.objects.filter(due_at__isnull=False).update(
            due_at=F("due_at") - dt.timedelta(seconds=seconds)
        )

    monkeypatch.setattr(clock, "sleep", sleep)
    monkeypatch.setattr(clock, "monotonic", lambda: sum(passed))
    for seconds in due:
        at = timezone.now() + dt.timedelta(seconds=seconds)
        make_delivery(status=status, reason=reason, due_at=at)
    assert sweep() == rung
    assert len(passed) <= turns
    assert sum(gate.rung().values()) == rung


def test_nothing_due_is_nothing_to_publish(gate):
    make_event()
    make_delivery()
    assert sweep() == 0
    assert gate.count(PUBLISH_BATCH) == 0
