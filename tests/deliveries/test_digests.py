"""Several events of one subscription and person become one message, once, and all of them end alike."""

import datetime as dt
from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from notifier import deliveries, emit
from notifier.deliveries import digests, gathering, holding
from notifier.deliveries.composing import compose_messages
from notifier.events.index import index
from notifier.exceptions import EmitError, Rejected, TryAgain
from notifier.explaining import preview
from notifier.models import Delivery, Event, Pause, Preferences, TemplateContent
from project.demo.models import Post
from tests.support.builders import make_subscription, make_template, make_trigger, make_user
from tests.support.flowing import (
    AT_MOST_ONCE,
    POLICY,
    another,
    by_channel,
    fan_out,
    flowing_event,
    let_flow,
    make_category,
    send,
    sweep,
)
from tests.support.patience import in_threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]


def gathered(*titles, **values):
    """Deliveries that wait for one person's digest, in the order of their titles."""
    event = flowing_event(digest_minutes=60, **values)
    Event.objects.update(data={"title": titles[0]})
    fan_out(event, *(another(event, title) for title in titles[1:]))
    return list(Delivery.objects.order_by("pk"))


def outcomes():
    return Counter(Delivery.objects.values_list("status", "reason"))


def test_events_of_an_hour_go_as_one_message_the_oldest_first_and_end_as_sent_with_one_id():
    made = gathered("one", "two", "three")
    assert outcomes() == {("waiting", "digest"): 3}
    # The first has opened the window; the others have joined it.
    assert len({each.due_at for each in made}) == 1
    assert sweep() == []
    let_flow(minutes=61)
    [(channel, pk)] = sweep()
    [message] = send(pk)
    assert (channel, message.subject, message.text) == ("email", "three", "[one][two][three] three")
    rows = Delivery.objects.order_by("pk")
    assert [(each.status, each.provider_id, each.attempts) for each in rows] == [
        ("sent", "provider’s id", 1)
    ] * 3
    assert [each.detail for each in rows] == [f"In one message with #{made[2].pk}."] * 2 + [""]
    assert sweep() == []


def test_each_person_channel_and_subscription_has_a_digest_of_its_own():
    ada, bo = make_user(), make_user()
    gathered("one", "two", users=[ada, bo], channels=("email", "inbox"))
    fan_out(flowing_event(users=[ada], digest_minutes=60))
    let_flow(minutes=61)
    rung = sweep()
    assert Counter(channel for channel, _ in rung) == {"email": 3, "inbox": 4}
    messages = send(*[pk for channel, pk in rung if channel == "email"])
    assert sorted(message.text for message in messages) == [
        "[first] first",
        "[one][two] two",
        "[one][two] two",
    ]


def test_one_alone_is_a_digest_of_one():
    [delivery] = gathered("one")
    let_flow(minutes=61)
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[one] one"]
    assert delivery.digest


def test_without_a_digest_a_template_lists_the_one_event():
    fan_out(flowing_event())
    assert [message.text for message in send(Delivery.objects.get())] == ["[first] first"]


ANSWERS = [
    # what the provider says, and how all of them end
    (Rejected("refused"), POLICY, ("failed", "refused")),
    (TryAgain("busy", after_seconds=60), POLICY, ("waiting", "busy")),
    (TryAgain("busy", after_seconds=60), AT_MOST_ONCE, ("waiting", "busy")),
]


@pytest.mark.parametrize(("answer", "policy", "expected"), ANSWERS)
def test_all_of_a_digest_wait_or_fail_together(answer, policy, expected):
    gathered("one", "two", "three")
    let_flow(minutes=61)
    send(*[pk for _, pk in sweep()], answer=answer, policy=policy)
    assert outcomes() == {expected: 3}
    if expected[0] == "waiting":
        let_flow(minutes=61)
        assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[one][two][three] three"]


def test_a_function_that_dies_with_a_digest_loses_and_doubles_nothing():
    gathered("one", "two")
    let_flow(minutes=61)
    works = deliveries.claim_deliveries([pk for _, pk in sweep()], channel="email", lease_seconds=900)
    assert len(works) == 2
    let_flow(minutes=16)
    rung = sweep()
    assert [message.text for message in send(*[pk for _, pk in rung])] == ["[one][two] two"]
    # What the dead one would store comes too late.
    deliveries.record_answers([(work, "late") for work in works], POLICY)
    assert set(Delivery.objects.values_list("provider_id", flat=True)) == {"provider’s id"}


def test_all_of_a_digest_are_unknown_if_the_provider_was_being_called_when_its_function_died():
    gathered("one", "two")
    let_flow(minutes=61)
    works = deliveries.claim_deliveries([pk for _, pk in sweep()], channel="email", lease_seconds=900)
    [(work, _)], _ = compose_messages(works)
    assert deliveries.mark_sending([work])
    let_flow(minutes=16)
    assert sweep() == []
    assert outcomes() == {("unknown", "crashed"): 2}


def test_what_is_given_back_is_given_back_whole():
    gathered("one", "two")
    let_flow(minutes=61)
    [(work, _)], _ = compose_messages(
        deliveries.claim_deliveries([pk for _, pk in sweep()], channel="email", lease_seconds=900)
    )
    deliveries.release([work])
    assert set(Delivery.objects.values_list("status", "attempts")) == {("queued", 0)}


def test_a_digest_is_bounded_and_the_rest_follows(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_EVENTS", 2)
    gathered("one", "two", "three")
    let_flow(minutes=61)
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[one][two] two"]
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[three] three"]


def test_what_has_expired_is_left_out_of_the_digest():
    made = gathered("one", "two")
    Delivery.objects.filter(pk=made[0].pk).update(expires_at=timezone.now())
    let_flow(minutes=61)
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[two] two"]
    assert outcomes() == {("skipped", "expired"): 1, ("sent", ""): 1}


def test_a_digest_that_is_paused_is_held_and_goes_whole_afterwards():
    gathered("one", "two")
    let_flow(minutes=61)
    pause = Pause.objects.create(scope="channel:email")
    assert send(*[pk for _, pk in sweep()]) == []
    pause.delete()
    holding.release_deliveries()
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[one][two] two"]


def test_one_that_is_taken_back_is_not_in_it():
    made = gathered("one", "two")
    deliveries.cancel([made[0].pk])
    let_flow(minutes=61)
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[two] two"]


# What a person has chosen

BERLIN = "Europe/Berlin"
CHOICES = [
    # what the person has chosen, the category, the subscription's own digest, when it goes (minutes from now;
    # None is at once)
    ("hourly", "news", None, 60),
    ("hourly", "security", None, None),  # too important to wait
    ("hourly", None, None, None),  # nobody was asked about it
    ("", "news", None, None),
    ("", "news", 30, 30),
    ("hourly", "news", 30, 60),  # the person comes before the rule
]


@pytest.mark.parametrize(("wanted", "category", "minutes", "expected"), CHOICES)
def test_it_goes_when_the_person_wants_it(wanted, category, minutes, expected):
    user = make_user()
    Preferences.objects.create(user=user, digest=wanted)
    about = category and make_category(mandatory=category == "security")
    fan_out(flowing_event(users=[user], category=about, digest_minutes=minutes))
    found = Delivery.objects.get()
    assert found.digest == (expected is not None)
    if expected:
        assert round((found.due_at - found.created_at).total_seconds() / 60) == expected


MORNINGS = [
    # now (UTC), the time zone, the next 08:00 there (UTC)
    ("2026-01-10T06:59", BERLIN, "2026-01-10T07:00"),
    ("2026-01-10T07:00", BERLIN, "2026-01-11T07:00"),  # it is 08:00: tomorrow's
    ("2026-03-28T12:00", BERLIN, "2026-03-29T06:00"),  # the clocks go forward that night
    ("2026-10-24T12:00", BERLIN, "2026-10-25T07:00"),  # and back
    ("2026-01-10T12:00", "Pacific/Auckland", "2026-01-10T19:00"),  # already tomorrow there
    ("2026-01-10T07:59", "", "2026-01-10T08:00"),  # the site's
    ("2026-01-10T07:59", "Nowhere/Land", "2026-01-10T08:00"),
]


@pytest.mark.parametrize(("now", "zone", "expected"), MORNINGS)
def test_once_a_day_is_in_the_morning_where_the_person_is(now, zone, expected):
    now, expected = (dt.datetime.fromisoformat(time).replace(tzinfo=dt.UTC) for time in (now, expected))
    assert digests.next_morning(zone, now) == expected


# Races


def test_functions_that_are_rung_for_different_events_of_a_digest_send_it_once():
    made = gathered(*(f"{number}" for number in range(12)))
    Delivery.objects.update(status="queued", due_at=timezone.now() + dt.timedelta(hours=1))
    claimed = []
    jobs = [
        lambda pk=each.pk: claimed.append(
            len(deliveries.claim_deliveries([pk], channel="email", lease_seconds=900))
        )
        for each in made
    ]
    in_threads(*jobs)
    assert sorted(claimed) == [0] * 11 + [12]


def test_fan_outs_at_once_that_open_two_windows_still_make_one_message():
    event = flowing_event(digest_minutes=60)
    events = [event, *(another(event, f"{number}") for number in range(4))]
    in_threads(*(lambda each=each: fan_out(each) for each in events))
    let_flow(minutes=59)
    first = Delivery.objects.order_by("due_at").first()
    Delivery.objects.filter(pk=first.pk).update(due_at=timezone.now())
    [(_, pk)] = sweep()
    assert len(send(pk)) == 1
    assert outcomes() == {("sent", ""): 5}


# Templates


LISTING = "{% for event in events %}{{ event.instance.title }};{% endfor %}"


def digesting_trigger(text=LISTING):
    trigger = make_trigger(subscribe=False)
    make_subscription(trigger, contents={"email": {"subject": "News", "text": text}}, digest_minutes=60)
    return trigger


def test_an_event_stores_what_its_template_reads_of_each_event():
    digesting_trigger()
    make_user()
    Post.objects.create(title="One")
    assert Event.objects.get().data["instance"]["title"] == "One"
    Post.objects.create(title="Two")
    fan_out(*Event.objects.all())
    let_flow(minutes=61)
    assert {message.text for message in send(*[pk for _, pk in sweep()])} == {"One;Two;"}


REFUSED = [
    ("{% for event in events %}{{ event.instance.colour }}{% endfor %}", "instance.colour"),
    ("{% for event in events %}{{ event.weather }}{% endfor %}", "weather"),
    ("{{ events.title }}", "events is a list"),
    ("{% for event in events %}{{ event.user.first_name }}{% endfor %}", "Write user, without the event"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_events_cannot_give_is_refused_when_the_template_is_saved(text, words):
    trigger = make_trigger()
    content = TemplateContent(template=make_template(), channel="email", text=text)
    with pytest.raises(ValidationError, match=words):
        content.check_against(trigger)


def test_a_preview_shows_a_digest_of_recent_events():
    trigger = digesting_trigger()
    content = trigger.subscriptions.get().template.contents.get()
    assert preview.preview(content).parts["text"].count(";") == 2
    for title in ("One", "Two", "Three", "Four"):
        Post.objects.create(title=title)
    newest = Event.objects.order_by("-pk").first()
    assert preview.preview(content, event=newest).parts["text"] == "Two;Three;Four;"


# Schedules

NAIVE = dt.datetime(2030, 1, 1, 12)
LATER = dt.datetime(2099, 1, 1, 12, tzinfo=dt.UTC)
WRONG = [
    ({"at": NAIVE}, "at has no time zone.*make_aware"),
    ({"expires": NAIVE}, "expires has no time zone"),
    ({"at": "2030-01-01"}, "at is str"),
    ({"expires": 60}, "expires is int.*timedelta"),
    ({"at": LATER, "expires": LATER}, "expire before it is sent"),
]


@pytest.mark.parametrize(("times", "words"), WRONG)
def test_times_that_mean_nothing_are_refused_with_what_to_write(times, words):
    make_trigger()
    with pytest.raises(EmitError, match=words):
        emit("post_save", instance=Post.objects.create(title="One"), created=True, **times)


HOUR = dt.timedelta(hours=1)
TIMES = [
    # what emit is told, minutes of the trigger (delay, expiry) → minutes from now until it starts, and
    # expires
    ({}, (None, None), (None, None)),
    ({"at": HOUR}, (None, None), (60, None)),
    ({"at": -HOUR}, (None, None), (None, None)),  # past: at once
    ({"at": -HOUR}, (30, None), (None, None)),  # and no delay on top
    ({"expires": dt.timedelta(minutes=10)}, (None, None), (None, 10)),
    ({"at": HOUR, "expires": dt.timedelta(minutes=10)}, (None, None), (60, 70)),
    ({}, (30, 20), (30, 50)),
    ({"at": HOUR}, (30, 20), (60, 80)),  # the caller knows better
]


@pytest.mark.parametrize(("told", "minutes", "expected"), TIMES)
def test_an_event_starts_and_expires_as_its_caller_says_or_else_its_trigger(told, minutes, expected):
    post = Post.objects.create(title="One")
    make_trigger(delay_minutes=minutes[0], expires_minutes=minutes[1])
    index.refresh(force=True)
    now = timezone.now()
    told = {name: now + value if name == "at" else value for name, value in told.items()}
    [event] = emit("post_save", instance=post, created=True, **told)
    found = [
        time and round((time - now).total_seconds() / 60) for time in (event.starts_at, event.expires_at)
    ]
    assert tuple(found) == expected
    assert event.due_at == event.starts_at or event.starts_at is None


def test_a_scheduled_event_can_be_taken_back():
    event = flowing_event()
    Event.objects.update(starts_at=LATER, due_at=LATER)
    assert deliveries.cancel_events([event.pk]) == 1
    fan_out(event)
    assert by_channel() == {}


def test_no_retry_comes_after_the_expiry():
    event = flowing_event()
    Event.objects.update(expires_at=timezone.now() + dt.timedelta(minutes=5))
    fan_out(event)
    send(Delivery.objects.get(), answer=TryAgain("busy", after_seconds=600))
    found = Delivery.objects.get()
    assert (found.status, found.reason, found.due_at) == ("skipped", "expired", None)
    assert "busy" in found.detail
