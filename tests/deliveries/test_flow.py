"""At most n for a person and a period, and not again about the same object: exactly, whoever counts at the
same time.
"""

import datetime as dt
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifier.deliveries import allowances, fanout
from notifier.models import Allowance, Delivery, Event
from notifier.queue import publisher
from tests.support.builders import make_people, make_user
from tests.support.flowing import another, by_channel, fan_out, flowing_event, sweep
from tests.support.patience import in_threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]


def outcomes():
    return Counter(Delivery.objects.values_list("status", "reason"))


def end_periods():
    Allowance.objects.update(ends_at=timezone.now())


def test_what_is_beyond_the_number_of_a_period_is_skipped_and_the_next_period_begins_anew():
    event = flowing_event(throttle_number=2, throttle_minutes=60)
    fan_out(event, *(another(event) for _ in range(3)))
    assert outcomes() == {("queued", ""): 2, ("skipped", "throttled"): 2}
    assert Delivery.objects.filter(reason="throttled")[0].detail == "At most 2 in an hour."
    end_periods()
    fan_out(another(event))
    assert outcomes()["queued", ""] == 3


def test_a_period_is_not_made_longer_by_what_it_refuses():
    event = flowing_event(throttle_number=1, throttle_minutes=60)
    fan_out(event)
    end = Allowance.objects.get().ends_at
    fan_out(another(event))
    assert Allowance.objects.get().ends_at == end


def test_one_event_counts_once_however_many_channels_it_goes_by():
    event = flowing_event(channels=("email", "inbox"), throttle_number=1, throttle_minutes=60)
    fan_out(event)
    assert outcomes() == {("queued", ""): 2}
    fan_out(another(event))
    assert outcomes() == {("queued", ""): 2, ("skipped", "throttled"): 2}


def test_who_cannot_be_reached_uses_nothing_up():
    fan_out(flowing_event(users=[make_user(email="")], throttle_number=1, throttle_minutes=60))
    assert not Allowance.objects.exists()


def test_the_same_object_is_not_told_of_again_and_another_is():
    event = flowing_event(cooldown_minutes=60)
    Event.objects.update(action_object="demo.post:1")
    fan_out(event, another(event, action_object="demo.post:1"), another(event, action_object="demo.post:2"))
    assert outcomes() == {("queued", ""): 2, ("skipped", "cooldown"): 1}
    end_periods()
    fan_out(another(event, action_object="demo.post:1"))
    assert outcomes()["queued", ""] == 3


def test_what_the_throttle_refuses_begins_no_cooldown():
    event = flowing_event(cooldown_minutes=600, throttle_number=1, throttle_minutes=60)
    fan_out(event, another(event, action_object="demo.post:2"))
    assert outcomes() == {("queued", ""): 1, ("skipped", "throttled"): 1}
    end_of_throttle = Allowance.objects.filter(about="")
    end_of_throttle.update(ends_at=timezone.now())
    fan_out(another(event, action_object="demo.post:2"))
    assert outcomes()["queued", ""] == 2


def test_a_fan_out_that_is_cut_off_while_it_rings_counts_nobody_twice(monkeypatch):
    # A number that is not full yet: one that is would not be counted up, twice or not.
    event = flowing_event(users=[make_user() for _ in range(3)], throttle_number=5, throttle_minutes=60)
    with monkeypatch.context() as patched, pytest.raises(ConnectionError):

        def die(rings):
            raise ConnectionError

        patched.setattr(publisher, "publish", die)
        fanout.fan_out(event.pk, lease_seconds=900)
    assert set(Allowance.objects.values_list("number", flat=True)) == {1}
    fan_out(event)
    assert set(Allowance.objects.values_list("number", flat=True)) == {1}
    assert outcomes() == {("queued", ""): 3}


def test_a_page_that_is_rolled_back_has_counted_nobody():
    event = flowing_event(throttle_number=1, throttle_minutes=60)

    def fail(execute, statement, *rest):
        if statement.lstrip().startswith(f"INSERT INTO {Delivery._meta.db_table}"):
            raise ConnectionError
        return execute(statement, *rest)

    with connection.execute_wrapper(fail), pytest.raises(ConnectionError):
        fan_out(event)
    assert not Allowance.objects.exists()


def test_a_large_page_is_counted_by_one_statement_a_thousand_people():
    make_people(1500)
    people = [f"user:{number}" for number in range(1500)]
    with CaptureQueriesContext(connection) as captured:
        assert len(allowances.take(1, people, number=1, minutes=5)) == 1500
        assert allowances.take(1, people[::2], number=1, minutes=5) == set()
    assert len(captured) == 3


def test_the_sweep_takes_away_what_counts_no_more():
    allowances.take(1, ["user:1"], number=1, minutes=5)
    assert allowances.forget_ended() == 0
    end_periods()
    assert allowances.forget_ended() == 1
    assert not Allowance.objects.exists()


# Races


@pytest.mark.parametrize("number", [1, 3])
def test_fan_outs_at_once_give_everybody_as_many_as_are_allowed(number):
    people = [make_user() for _ in range(20)]
    event = flowing_event(users=people, throttle_number=number, throttle_minutes=60)
    events = [event, *(another(event) for _ in range(5))]
    in_threads(*(lambda each=each: fan_out(each) for each in events))
    per_person = Counter(Delivery.objects.filter(status="queued").values_list("recipient", flat=True))
    assert per_person == {f"user:{user.pk}": number for user in people}
    assert outcomes() == {("queued", ""): 20 * number, ("skipped", "throttled"): 20 * (6 - number)}


def test_fan_outs_about_one_object_at_once_tell_everybody_once():
    people = [make_user() for _ in range(20)]
    event = flowing_event(users=people, cooldown_minutes=60, throttle_number=50, throttle_minutes=60)
    Event.objects.update(action_object="demo.post:1")
    events = [event, *(another(event, action_object="demo.post:1") for _ in range(5))]
    in_threads(
        *(lambda each=each: fan_out(each) for each in events),
        lambda: [allowances.forget_ended() for _ in range(20)],
    )
    assert outcomes() == {("queued", ""): 20, ("skipped", "cooldown"): 100}
    assert set(Allowance.objects.filter(about="").values_list("number", flat=True)) == {1}


# Times


def test_a_scheduled_event_is_not_rung_for_before_its_time_and_a_ring_that_comes_too_early_does_nothing():
    event = flowing_event()
    later = timezone.now() + dt.timedelta(hours=3)
    Event.objects.update(starts_at=later, due_at=later)
    fan_out(event)
    assert (fanout.take_due(10), by_channel()) == ([], {})
    now = timezone.now()
    Event.objects.update(starts_at=now, due_at=now)
    assert fanout.take_due(10) == [event.pk]
    fan_out(event)
    assert by_channel() == {"email": "queued"}


def test_what_is_past_its_time_is_skipped_by_the_fan_out_and_by_the_claim():
    event = flowing_event()
    Event.objects.update(expires_at=timezone.now())
    fan_out(event)
    assert by_channel() == {"email": "skipped expired"}
    assert sweep() == []
