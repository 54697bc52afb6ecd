"""The window of an earlier setting, or one that was put off, keeps nothing waiting for longer than the one of
now.
"""

import datetime as dt

import pytest
from django.utils import timezone

from notifier.deliveries import digests, holding
from notifier.exceptions import Later, TryAgain
from notifier.models import Delivery, Pause, Preferences, Subscription
from project.demo.models import Profile
from tests.support.builders import make_user
from tests.support.flowing import another, fan_out, flowing_event, let_flow, make_category, send, sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]

HOUR = dt.timedelta(hours=1)


def choose(user, digest):
    Preferences.objects.update_or_create(user=user, defaults={"digest": digest})


def put_off(user):
    """The provider has asked for six hours, when the window of an hour was over."""
    let_flow(minutes=61)
    send(*[pk for _, pk in sweep()], answer=TryAgain("throttled", after_seconds=6 * 3600))


def until_morning(user):
    """As quiet hours do it."""
    let_flow(minutes=61)
    send(*[pk for _, pk in sweep()], answer=Later("quiet_hours", due_at=timezone.now() + 9 * HOUR))


def rule(minutes):
    return lambda user: Subscription.objects.update(digest_minutes=minutes)


SOONER = [
    # what the person has chosen, the rule's minutes; what changes; minutes until the next one goes (None: at
    # once), and whether what waits goes along
    ("daily", None, lambda user: choose(user, "hourly"), 60, True),
    ("daily", None, lambda user: choose(user, ""), None, True),
    ("daily", None, lambda user: Preferences.objects.all().delete(), None, False),  # nobody knows it was so
    ("daily", 30, lambda user: choose(user, ""), 30, True),  # then the rule's own
    ("hourly", None, lambda user: choose(user, "daily"), 60, True),  # the one that is open is the sooner
    ("hourly", None, lambda user: choose(user, ""), None, True),
    ("hourly", None, lambda user: None, 60, True),
    ("", 24 * 60, rule(60), 60, True),
    ("", 24 * 60, lambda user: choose(user, "hourly"), 60, True),
    ("", 30, rule(24 * 60), 30, True),
    ("", 24 * 60, rule(None), None, True),
    ("", 60, put_off, 60, True),
    ("hourly", None, put_off, 60, True),
    ("", 60, until_morning, 60, True),  # asks then, and waits with the others
    ("hourly", None, until_morning, 60, True),
]


@pytest.mark.parametrize(("wanted", "minutes", "change", "expected", "along"), SOONER)
def test_of_an_earlier_window_and_ones_own_the_sooner_counts(
    wanted, minutes, change, expected, along, monkeypatch
):
    # Tomorrow's morning is far, whatever the hour is at which this runs.
    monkeypatch.setattr(digests, "next_morning", lambda zone, now: now + 20 * HOUR)
    ada = make_user()
    choose(ada, wanted)
    event = flowing_event(users=[ada], category=make_category(), digest_minutes=minutes)
    fan_out(event)
    change(ada)
    fan_out(another(event))
    first, found = Delivery.objects.order_by("pk")
    assert first.status == "waiting"
    goes_at = found.due_at if found.status == "waiting" else None
    assert (goes_at and round((goes_at - found.created_at).total_seconds() / 60)) == expected
    if expected:
        let_flow(minutes=expected + 1)
        assert [pk for _, pk in sweep()] in ([found.pk], [first.pk])
    assert [message.text for message in send(found)] == ["[first][next] next" if along else "[next] next"]


def test_after_a_pause_what_was_held_takes_along_what_has_come_since():
    event = flowing_event(digest_minutes=60)
    fan_out(event)
    let_flow(minutes=61)
    pause = Pause.objects.create(scope="channel:email")
    assert send(*[pk for _, pk in sweep()]) == []
    fan_out(another(event))
    pause.delete()
    holding.release_deliveries()
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[first][next] next"]


@pytest.mark.parametrize("order", ["first", "inbox_first"])
def test_at_once_counts_for_the_other_channels_as_well(order):
    ada, channels = make_user(), ("inbox", "email") if order == "inbox_first" else ("email", "sms")
    Profile.objects.create(user=ada, phone="+447400123401")
    choose(ada, "hourly")
    event = flowing_event(
        users=[ada], channels=channels, category=make_category(), order=order, wait_minutes=5
    )
    fan_out(event)
    choose(ada, "")
    fan_out(another(event))
    later = Delivery.objects.filter(channel=channels[-1]).order_by("pk").last()
    assert round((later.due_at - later.created_at).total_seconds() / 60) == 5
