"""A trigger in shadow records and explains and sends nothing; and what it would have sent is counted as the
fan-out would count.
"""

import datetime as dt

import pytest
from django.utils import timezone

from notifier.explaining import estimate
from notifier.models import ContactPoint, Delivery, Event, Trigger
from project.demo.models import Post
from tests.support.builders import make_audience, make_people, make_subscription, make_trigger, make_user
from tests.support.functions import let_time_pass, sweep

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_trigger_in_shadow_records_what_it_would_send_and_sends_nothing(cloud, pump):
    make_user()
    trigger = make_trigger(shadow=True)
    Post.objects.create(title="Linen")
    event = Event.objects.get()
    assert (event.status, event.due_at, list(event.data)) == ("shadow", None, ["instance"])
    assert event.plan[0]["subscription"] == trigger.subscriptions.get().pk
    assert estimate.would_send(event) == {"email": 1}
    let_time_pass()
    assert (sweep(), pump.drain()) == (0, 0)
    # Switched live, it sends what happens from now on, and never what happened in shadow.
    Trigger.objects.update(shadow=False)
    Post.objects.create(title="Wool")
    let_time_pass()
    sweep()
    pump.drain()
    assert [message.subject for message in cloud.outbox()] == ["Wool"]


def record(trigger, number=1, **values):
    now = timezone.now()
    step = {
        "subscription": trigger.subscriptions.first().pk,
        "contents": {},
        "recipients": values.pop("recipients", []),
    }
    defaults = {
        "verb": "post_save",
        "data": {"title": "T"},
        "plan": [step],
        "created_at": now,
        "status": "shadow",
    }
    Event.objects.bulk_create(Event(trigger=trigger, **(defaults | values)) for _ in range(number))


def totals(found):
    return {
        name: (each.messages, each.pieces, each.cost_micros) for name, each in sorted(found.channels.items())
    }


@pytest.fixture
def toy(settings):
    """Channels of a package of their own: a pigeon carries seven characters at a time, for a cent each."""
    settings.NOTIFIER = settings.NOTIFIER | {
        "CHANNELS_PACKAGE": "tests.toy_channels",
        "ADDRESSES": {"pigeon": "last_name", "mail": "email"},
    }


def test_messages_parts_and_cost_are_those_of_the_people_who_can_be_reached(toy):
    lofts = [make_user(last_name=name) for name in ("North loft", "South loft", "")]
    make_user(last_name="East loft", is_active=False)
    ContactPoint.objects.create(user=lofts[1], channel="pigeon", address="x", verified=False)
    audience = make_audience(everyone=True, addresses="pigeon: West loft\nmail: ops@example.com")
    contents = {"pigeon": {"text": "{{ title }} for {{ user.last_name }}."}, "mail": {"text": "{{ title }}"}}
    trigger = make_trigger(contents=contents, channels=["pigeon", "mail"], audiences=[audience])
    record(trigger, 3, data={"title": "Seeds and corn"})
    found = estimate.estimate(trigger)
    assert (found.events, found.is_exact) == (3, True)
    # "Seeds and corn for ." takes three flights; one loft and the plain address, three times.
    assert totals(found) == {"mail": (12, 12, 0), "pigeon": (6, 18, 18 * 10_000)}


WHICH = [
    # events, what the estimate counts
    ({"status": "done"}, 1),
    ({"status": "shadow"}, 1),
    ({"status": "held"}, 1),
    ({"status": "failed"}, 0),
    ({"status": "vetoed"}, 0),
    ({"created_at": timezone.now() - dt.timedelta(days=8)}, 0),
    ({"created_at": timezone.now() - dt.timedelta(days=6)}, 1),
]


@pytest.mark.parametrize(("values", "counted"), WHICH)
def test_the_events_of_the_last_week_count_that_would_have_been_sent(values, counted):
    make_user()
    trigger = make_trigger()
    record(trigger, **values)
    assert estimate.estimate(trigger).events == counted


def test_of_many_events_some_are_looked_at_and_stand_for_all(django_assert_max_num_queries):
    ann, bo = make_user(), make_user()
    trigger = make_trigger(audiences=[make_audience(paths="instance.author")])
    record(trigger, 100, recipients=[{"users": [ann.pk]}])
    record(trigger, 100, recipients=[{"users": [ann.pk, bo.pk]}])
    with django_assert_max_num_queries(20):
        found = estimate.estimate(trigger)
    assert (found.events, found.is_exact) == (200, False)
    assert found.channels["email"].messages == 300


def test_an_audience_that_all_events_share_is_counted_once(django_assert_max_num_queries):
    make_people(50)
    trigger = make_trigger()
    record(trigger, 30)
    with django_assert_max_num_queries(12) as queries:
        assert estimate.estimate(trigger).channels["email"].messages == 30 * 50
    assert not Delivery.objects.exists()
    assert sum("COUNT" in each["sql"] and "auth_user" in each["sql"] for each in queries) == 1


def test_what_cannot_be_rendered_is_counted_all_the_same(toy):
    make_user()
    trigger = make_trigger(contents={"mail": {"text": "{{ title.short }}"}}, channels=["mail"])
    record(trigger, data={})
    assert totals(estimate.estimate(trigger)) == {"mail": (1, 1, 0)}


REACHED = [
    # audience, whether something has happened yet; how many, whether there may be more
    ({"everyone": True}, False, 3, False),
    ({"everyone": True, "addresses": "email: a@example.com\nemail: b@example.com"}, False, 5, False),
    ({"paths": "instance.author"}, False, 0, True),
    ({"paths": "instance.author"}, True, 1, False),
    ({"everyone": True, "paths": "instance.author"}, True, 3, False),  # the author is one of all
]


@pytest.mark.parametrize(("sources", "has_event", "number", "at_least"), REACHED)
def test_people_that_one_event_reaches_are_counted_before_it_happens(sources, has_event, number, at_least):
    people = [make_user() for _ in range(3)]
    trigger = make_trigger(audiences=[make_audience(**sources)])
    if has_event:
        record(trigger, recipients=[{"users": [people[0].pk]}])
    assert estimate.people_reached(trigger) == (number, at_least)


def test_only_what_is_on_and_out_of_the_shadow_is_sent():
    trigger = make_trigger()
    [audience] = trigger.subscriptions.get().audiences.all()
    make_subscription(trigger, enabled=False, audiences=[make_audience()])
    assert estimate.sends(trigger) == {("email", audience.name)}
    for values in {"enabled": False}, {"enabled": True, "shadow": True}:
        Trigger.objects.update(**values)
        assert estimate.sends(trigger) == set()
