"""Why somebody did, or did not, get it: a row for each step that can decide, and nothing that is not on
record.
"""

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from notifier import deliveries
from notifier.channels.recipient import Recipient
from notifier.deliveries import fanout
from notifier.exceptions import UnknownPerson, UnknownSubject
from notifier.explaining import Outcome, explain, explain_period, find_person, find_subject, person_of
from notifier.explaining.people import Person
from notifier.models import OF_NO_RULE, ContactPoint, Delivery, Event, Pause, Subscription, Template, Trigger
from project.demo.models import Movie, Post, Profile
from tests.app.models import Order
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger, make_user

pytestmark = pytest.mark.django_db

Status = Delivery.Status
NOW = timezone.now()
BOTH = {"email": {"subject": "Hi", "text": "Hi"}, "sms": {"text": "Hi"}}


@pytest.fixture
def ann():
    return make_user(username="ann", first_name="Ann", last_name="Lee", email="ann@example.com")


def fanned_out(**values):
    event = make_event(**values)
    fanout.fan_out(event.pk, lease_seconds=900)
    event.refresh_from_db()
    return event


def to_ann(ann, **values):
    """A delivery to Ann, of an event whose audience she is in."""
    delivery = make_delivery(recipient=f"user:{ann.pk}", address="ann@example.com", **values)
    return delivery.event


def in_a_group(ann):
    group = Group.objects.create(name="Staff")
    ann.groups.add(group)
    return [make_audience(groups=[group])]


# Each makes an event, and returns it. The name says what it is about.


def vetoed(ann):
    return make_event(status=Event.Status.VETOED, reason="Not in August.", due_at=None)


def in_shadow(ann):
    return make_event(status=Event.Status.SHADOW, due_at=None)


def failed(ann):
    return make_event(status=Event.Status.FAILED, reason="Its templates read too much.", due_at=None)


def without_subscription(ann):
    return make_event(plan=[], status=Event.Status.DONE)


def unwritten(ann):
    make_trigger(channels=["email", "sms"])
    Post.objects.create(title="Linen")
    event = Event.objects.get()
    event.plan[0]["contents"] = {}
    event.save()
    return event


def trigger_is_gone(ann):
    event = to_ann(ann, status=Status.SENT, provider_id="ses-1", finished_at=NOW)
    Trigger.objects.all().delete()
    return event


def event_held(ann):
    event = make_event(status=Event.Status.HELD)
    Pause.objects.create(scope=f"trigger:{event.trigger_id}", reason="Stocktaking", paused_by="eve")
    return event


def event_cancelled(ann):
    return make_event(status=Event.Status.CANCELLED, due_at=None)


def event_held_after_she_got_it(ann):
    event = to_ann(ann, status=Status.SENT, provider_id="ses-1", finished_at=NOW)
    Event.objects.update(status=Event.Status.HELD)
    Pause.objects.create(scope="everything")
    event.refresh_from_db()
    return event


def a_test_of_hers(ann):
    version = make_event().trigger.subscriptions.get().template.contents.get().version
    queued = {
        "channel": "email",
        "address": "ann@example.com",
        "language": "",
        "version": version,
        "data": {},
        "about": "",
    }
    deliveries.queue_test(ann, **queued)
    return Event.objects.get(trigger=OF_NO_RULE)


def a_test_of_somebody_else(ann):
    a_test_of_hers(ann)
    Delivery.objects.update(recipient="user:0", address="eve@example.com")
    return Event.objects.get(trigger=OF_NO_RULE)


def subscription_off(ann):
    event = make_event()
    Subscription.objects.all().update(enabled=False)
    fanout.fan_out(event.pk, lease_seconds=900)
    return Event.objects.get()


def subscription_gone(ann):
    event = make_event(status=Event.Status.DONE)
    Subscription.objects.all().delete()
    return event


def subscription_gone_after_others_got_it(ann):
    event = make_delivery(status=Status.SENT).event
    Subscription.objects.all().delete()
    return event


def not_in_audience(ann):
    return fanned_out(audiences=[make_audience(users=[make_user()], paths="instance.owner")])


def joined_later(ann):
    audience = make_audience(users=[make_user()])
    event = fanned_out(audiences=[audience])
    audience.users.add(ann)
    return event


def inactive_and_everyone(ann):
    ann.is_active = False
    ann.save()
    return fanned_out()


def left_meanwhile(ann):
    return to_ann(ann, status="skipped", reason="user_deleted")


def inactive(ann):
    ann.is_active = False
    ann.save()
    return fanned_out(audiences=in_a_group(ann))


def not_fanned_out(ann):
    return make_event()


def not_fanned_out_and_paused(ann):
    Pause.objects.create(scope="everything")
    return make_event()


def cut_off(ann):
    return make_delivery(event=make_event(status=Event.Status.FAILED, reason="Given up after a day.")).event


def no_address(ann):
    ann.email = ""
    ann.save()
    return fanned_out()


def unverified(ann):
    ContactPoint.objects.create(user=ann, channel="email", address="new@example.com", verified=False)
    return fanned_out()


def same_address(ann):
    return fanned_out(audiences=[make_audience(addresses="email: ann@example.com")])


def opted_out(ann):
    return to_ann(ann, status=Status.SKIPPED, reason="opted_out")


def bad_address(ann):
    return to_ann(ann, status=Status.SKIPPED, reason="invalid_address", detail="Not a mail address.")


def unheard_of(ann):
    return to_ann(ann, status=Status.SKIPPED, reason="quiet_hours", detail="Until 8:00.")


def cancelled(ann):
    return to_ann(ann, status=Status.CANCELLED)


def held(ann):
    Pause.objects.create(scope="channel:email", paused_by="eve")
    return to_ann(ann, status=Status.HELD, due_at=None)


def released(ann):
    return to_ann(ann, status=Status.HELD, due_at=None)


def queued_and_paused(ann):
    Pause.objects.create(scope="everything")
    return to_ann(ann, status=Status.QUEUED)


def template_failed(ann):
    return to_ann(ann, status=Status.FAILED, reason="template_failed", detail="More than 10000 rounds.")


def template_gone(ann):
    event = to_ann(ann, status=Status.FAILED, reason="template_deleted")
    Subscription.objects.all().delete()
    Template.objects.all().delete()
    return event


def queued(ann):
    return to_ann(ann, status=Status.QUEUED)


def claimed(ann):
    return to_ann(ann, status=Status.CLAIMED, attempts=1)


def waiting(ann):
    due = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
    return to_ann(ann, status=Status.WAITING, reason="throttled", detail="Slower.", attempts=2, due_at=due)


def sending(ann):
    return to_ann(ann, status=Status.SENDING, attempts=1)


def unknown(ann):
    return to_ann(ann, status=Status.UNKNOWN, reason="crashed")


def refused(ann):
    return to_ann(ann, status=Status.FAILED, reason="message_rejected", detail="Address blacklisted.")


def given_up(ann):
    return to_ann(ann, status=Status.FAILED, reason="gave_up", detail="After 9 attempts. The last: throttled")


def sent(ann):
    finished = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    return to_ann(
        ann, status=Status.SENT, provider_id="ses-1", finished_at=finished, attempts=2, language="de"
    )


@pytest.mark.parametrize(
    ("make", "outcome", "title", "words"),
    [
        (vetoed, Outcome.NOT, "Middleware", "Not in August."),
        (in_shadow, Outcome.NOT, "Shadow mode", "sends nothing"),
        (failed, Outcome.NOT, "Event", "Its templates read too much."),
        (without_subscription, Outcome.NOT, "What to send", "no subscription that was switched on"),
        (unwritten, Outcome.NOT, "Channel", "had no content for SMS"),
        (trigger_is_gone, Outcome.GOT, "Provider", "ses-1"),  # what was sent stays on record
        (event_held, Outcome.WAITS, "Pause", "paused by eve since"),
        (event_cancelled, Outcome.NOT, "Finding recipients", "a person took the event back"),
        (event_held_after_she_got_it, Outcome.GOT, "Provider", "ses-1"),  # cut off, then paused
        (a_test_of_hers, Outcome.WAITS, "Queue", "on its way"),
        (a_test_of_somebody_else, Outcome.NOT, "Trigger", "an editor sent to themselves alone"),
        (subscription_off, Outcome.NOT, "Subscription", "is switched off, and it sent nothing"),
        (subscription_gone, Outcome.NOT, "Subscription", "has been deleted, and it sent nothing"),
        (subscription_gone_after_others_got_it, Outcome.OFF_RECORD, "Subscription", "not on record any more"),
        (
            not_in_audience,
            Outcome.NOT,
            "Audience",
            "Looked at: users chosen by name, whom instance.owner named.",
        ),
        (joined_later, Outcome.OFF_RECORD, "Audience", "was not when the recipients were found"),
        (inactive_and_everyone, Outcome.NOT, "Audience", "all active users. The account is not active."),
        (inactive, Outcome.NOT, "Account", "the account was not active"),
        (left_meanwhile, Outcome.NOT, "Account", "the account had been deleted"),
        (not_fanned_out, Outcome.WAITS, "Finding recipients", "still being found"),
        (not_fanned_out_and_paused, Outcome.WAITS, "Finding recipients", "everything is paused"),
        (cut_off, Outcome.NOT, "Event", "Given up after a day."),
        (no_address, Outcome.NOT, "Address", "there was no address for e-mail"),
        (unverified, Outcome.NOT, "Verified", "was not verified"),
        (same_address, Outcome.WAITS, "Queue", "on its way"),
        (opted_out, Outcome.NOT, "Opting out", "has opted out"),
        (bad_address, Outcome.NOT, "Opting out", "Not a mail address."),
        # A reason that only a channel knows
        (unheard_of, Outcome.NOT, "Opting out", "quiet hours. Until 8:00."),
        (cancelled, Outcome.NOT, "Cancelled", "a person took it back"),
        (held, Outcome.WAITS, "Paused", "the channel email is paused by eve"),
        (released, Outcome.WAITS, "Paused", "goes on as soon as it is released"),
        (queued_and_paused, Outcome.WAITS, "Paused", "everything is paused"),
        (
            template_failed,
            Outcome.NOT,
            "Template",
            "version 1, failed: rendering it stopped. More than 10000 rounds.",
        ),
        (template_gone, Outcome.NOT, "Template", "its version is not there any more"),
        (queued, Outcome.WAITS, "Queue", "on its way"),
        (claimed, Outcome.WAITS, "Queue", "a function is working on it"),
        (
            waiting,
            Outcome.WAITS,
            "Queue",
            "4 May 2031, 03:02:01 UTC, after 2 attempts: the provider asked for more time. Slower.",
        ),
        (sending, Outcome.WAITS, "Provider", "is being called"),
        (unknown, Outcome.DOUBT, "Provider", "answer is not known"),
        (refused, Outcome.NOT, "Provider", "the provider refused the message. Address blacklisted."),
        (given_up, Outcome.NOT, "Provider", "After 9 attempts."),
        (
            sent,
            Outcome.GOT,
            "Provider",
            "took it at 2 Jan 2030, 03:04:05 UTC as ses-1, in de. That was attempt 2.",
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_step_that_decided_is_named(ann, make, outcome, title, words):
    event = make(ann)
    [answer] = explain(person_of(ann), event)
    assert (answer.outcome, answer.deciding.title) == (outcome, title)
    assert words in answer.sentence
    assert answer.sentence.startswith(f"Ann Lee {outcome}")
    states = [step.state for step in answer.steps]
    assert states == sorted(states, key=["ok", "decided", "open"].index)
    assert states.count("decided") == 1


# About an object: as it would be now.


def nothing_amiss(ann, trigger):
    pass


def trigger_off(ann, trigger):
    trigger.enabled = False
    trigger.save()


def another_instance(ann, trigger):
    trigger.object_pk = "999999"
    trigger.save()


def shadowed(ann, trigger):
    trigger.shadow = True
    trigger.save()


def an_actor_is_asked_for(ann, trigger):
    trigger.actor_model = "auth.user"
    trigger.save()


def nothing_to_send(ann, trigger):
    trigger.subscriptions.all().delete()


def switched_off(ann, trigger):
    trigger.subscriptions.update(enabled=False)


def no_content(ann, trigger):
    trigger.subscriptions.get().template.contents.all().delete()


def somebody_else(ann, trigger):
    trigger.subscriptions.get().audiences.set([make_audience(users=[make_user()])])


def account_inactive(ann, trigger):
    trigger.subscriptions.get().audiences.set(in_a_group(ann))
    ann.is_active = False
    ann.save()


def address_missing(ann, trigger):
    ann.email = ""
    ann.save()


def address_unverified(ann, trigger):
    ContactPoint.objects.create(user=ann, channel="email", address="new@example.com", verified=False)


def channel_paused(ann, trigger):
    Pause.objects.create(scope="channel:email")


def address_named(ann, trigger):
    trigger.subscriptions.get().audiences.set([make_audience(addresses="email: ann@example.com")])


@pytest.mark.parametrize(
    ("change", "outcome", "title", "words"),
    [
        (nothing_amiss, Outcome.WOULD, "Sending", "all is in order"),
        (trigger_off, Outcome.WOULD_NOT, "Trigger", "is switched off"),
        (another_instance, Outcome.WOULD_NOT, "Object", "only for demo.post:999999"),
        (shadowed, Outcome.WOULD_NOT, "Shadow mode", "send nothing"),
        (an_actor_is_asked_for, Outcome.MIGHT, "Sending", "who does it"),
        (nothing_to_send, Outcome.WOULD_NOT, "What to send", "no subscription"),
        (switched_off, Outcome.WOULD_NOT, "Subscription", "is switched off"),
        (no_content, Outcome.WOULD_NOT, "Channel", "no content for email"),
        (somebody_else, Outcome.WOULD_NOT, "Audience", "Looked at: users chosen by name."),
        (account_inactive, Outcome.WOULD_NOT, "Account", "not active"),
        (address_missing, Outcome.WOULD_NOT, "Address", "no address for e-mail"),
        (address_unverified, Outcome.WOULD_NOT, "Address", "not verified"),
        (channel_paused, Outcome.WOULD_NOT, "Paused", "the channel email is paused"),
        (address_named, Outcome.WOULD, "Sending", "all is in order"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_would_come_of_an_object_is_foreseen(ann, change, outcome, title, words):
    post = Post.objects.create(title="Linen")
    trigger = make_trigger(on="created")
    change(ann, trigger)
    ann.refresh_from_db()
    [answer] = explain(person_of(ann), post)
    assert (answer.outcome, answer.deciding.title) == (outcome, title)
    assert words in answer.sentence
    assert not Event.objects.exists()


def test_what_is_foreseen_is_what_then_happens(ann):
    """The address rules are told twice, here and in the fan-out; this holds them together."""
    group = Group.objects.create(name="All")
    people = [make_user(email=""), make_user(is_active=False), make_user(), make_user(), make_user(), ann]
    ContactPoint.objects.create(user=people[2], channel="email", address="x@example.com", verified=False)
    ContactPoint.objects.create(user=people[3], channel="email", address="  y@example.com ")
    Profile.objects.create(user=people[4], phone="+44 7400 123401")
    for user in people[:-1]:
        user.groups.add(group)
    trigger = make_trigger(
        contents=BOTH, channels=["email", "sms"], audiences=[make_audience(groups=[group])]
    )
    post = Post.objects.create(title="Linen")
    foreseen = {
        (user.pk, answer.channel): (answer.outcome == Outcome.WOULD, answer.steps)
        for user in people
        for answer in explain(person_of(user), post)
    }
    fanout.fan_out(Event.objects.get(trigger=trigger).pk, lease_seconds=900)
    found = {
        (int(Recipient.parse(row.recipient).user_key), row.channel): row.status == Status.QUEUED
        for row in Delivery.objects.all()
    }
    assert {key: would for key, (would, _) in foreseen.items()} == {
        (ann.pk, "email"): False,
        (ann.pk, "sms"): False,
    } | found


def test_a_signal_of_the_projects_own_is_tested_too(ann):

    make_trigger(
        verb="notify_audiences",
        model="demo.movie",
        audiences=[make_audience(paths="movie.audiences")],
        contents={"email": {"text": "Hi"}},
    )
    movie = Movie.objects.create(title="The Third Man")
    [answer] = explain(person_of(ann), movie)
    assert answer.deciding.title == "Audience"
    movie.audiences.add(ann)
    [answer] = explain(person_of(ann), movie)
    assert answer.outcome == Outcome.WOULD


def test_an_object_that_no_trigger_is_about_has_no_answer(ann):
    make_trigger()
    assert explain(person_of(ann), Order.objects.create(number="1")) == []


# Whom and what.


def test_an_event_that_was_cut_off_tells_of_those_it_came_to(ann):
    event = make_event(contents=BOTH, status=Event.Status.FAILED, reason="Given up after a day.")
    make_delivery(event=event, recipient=f"user:{ann.pk}", status=Status.SENT, finished_at=NOW)
    found = explain(person_of(ann), event)
    assert [(answer.channel, answer.outcome) for answer in found] == [
        ("email", Outcome.GOT),
        ("sms", Outcome.NOT),
    ]
    assert found[1].deciding.title == "Finding recipients"


def test_each_channel_of_each_subscription_has_its_answer(ann):
    event = make_event(contents=BOTH)
    fanout.fan_out(event.pk, lease_seconds=900)
    found = explain(person_of(ann), event)
    assert [(answer.channel, answer.outcome) for answer in found] == [
        ("email", Outcome.WAITS),
        ("sms", Outcome.NOT),
    ]
    [one] = explain(person_of(ann), event, "sms")
    assert one.sentence == "Ann Lee did not get it by SMS: there was no address for SMS."
    [other] = explain(person_of(ann), event, "twitter")
    assert other.deciding.title == "Channel"


def test_a_plain_address_that_somebody_else_has_got_it_by_is_told_so(ann):
    audience = make_audience(users=[ann], addresses="email: ann@example.com")
    event = fanned_out(audiences=[audience])
    [answer] = explain(
        Person(key="address:ann@example.com", name="ann@example.com", address="ann@example.com"), event
    )
    assert any(f"as the user {ann.pk}" in step.text for step in answer.steps)
    assert Delivery.objects.count() == 1


def test_a_plain_address_and_a_user_who_is_gone_are_explained(ann):
    event = fanned_out(audiences=[make_audience(addresses="email: ops@example.com", users=[ann])])
    Delivery.objects.update(status=Status.SENT, finished_at=NOW)
    [answer] = explain(find_person("ops@example.com"), event)
    assert answer.outcome == Outcome.GOT
    key = f"user:{ann.pk}"
    ann.delete()
    [answer] = explain(find_person(key), event)
    assert answer.outcome == Outcome.GOT
    assert answer.sentence.startswith("The user ")


def test_people_are_found_by_whatever_is_known_of_them(ann):
    Profile.objects.create(user=ann, phone="+44 7400 123401")
    ContactPoint.objects.create(user=ann, channel="twitter", address="@ann")
    for text in (
        "ann",
        str(ann.pk),
        f"user:{ann.pk}",
        "ann@example.com",
        "ANN@example.com",
        "+44 7400 123401",
        "@ann",
        " ann ",
    ):
        assert find_person(text).user == ann, text
    for text in "nobody@example.com", "+44 7400 000000", "address:nobody@example.com":
        person = find_person(text)
        assert (person.user, person.address) == (None, text.removeprefix("address:"))
    for text in "nobody", "", "999999999999999999999999", "\x00":
        with pytest.raises(UnknownPerson, match="Nobody is called"):
            find_person(text)
    make_user(username="ann2", email="ann@example.com")
    with pytest.raises(UnknownPerson, match="2 people have this address.*: ann, ann2"):
        find_person("ann@example.com")


@pytest.mark.parametrize(
    "text", ["999999", "9" * 30, "x", "", "demo.nothing:1", "demo.post:x", "demo.post:999999", "demo.post:"]
)
def test_what_is_neither_an_event_nor_an_object_is_said_so(text):
    with pytest.raises(UnknownSubject, match="There is no"):
        find_subject(text)


def test_an_event_and_an_object_are_found():
    event, post = make_event(), Post.objects.create(title="Linen")
    assert find_subject(f" #{event.pk}") == find_subject(str(event.pk)) == event
    assert find_subject(f"demo.post:{post.pk}") == post


# A period.


def test_a_period_tells_of_each_event_and_of_what_was_sent_late(ann, monkeypatch):
    day = dt.timedelta(days=1)
    old = make_event(created_at=NOW - 9 * day, status=Event.Status.DONE)
    make_delivery(event=old, recipient=f"user:{ann.pk}", created_at=NOW, status=Status.SENT, finished_at=NOW)
    other = make_event(created_at=NOW - 2 * day, status=Event.Status.VETOED)
    make_event(created_at=NOW - 30 * day)
    found, more = explain_period(person_of(ann), NOW - 7 * day, NOW + day)
    assert [(event.pk, [answer.outcome for answer in answers]) for event, answers in found] == [
        (other.pk, [Outcome.NOT]),
        (old.pk, [Outcome.GOT]),
    ]
    assert not more
    monkeypatch.setattr("notifier.explaining.MOST_EVENTS", 1)
    found, more = explain_period(person_of(ann), NOW - 7 * day, NOW + day)
    assert [event.pk for event, _ in found] == [other.pk]
    assert more


# What it costs.


def test_an_explanation_takes_as_many_statements_for_a_crowd_as_for_one(ann, django_assert_max_num_queries):
    event = make_event(audiences=[make_audience(everyone=True)])
    fanout.fan_out(event.pk, lease_seconds=900)

    def statements():
        with django_assert_max_num_queries(30) as captured:
            explain(person_of(ann), event)
        return len(captured)

    few = statements()
    for _ in range(40):
        make_delivery(event=event)
    assert statements() == few


def test_whoever_is_not_a_recipient_costs_no_walk_through_the_audience(ann, django_assert_max_num_queries):
    event = make_event(
        audiences=[make_audience(users=[make_user() for _ in range(5)])], status=Event.Status.DONE
    )
    with django_assert_max_num_queries(30) as captured:
        explain(person_of(ann), event)
    asked = [query["sql"] for query in captured if 'FROM "auth_user"' in query["sql"]]
    assert asked
    assert all("LIMIT 1" in sql for sql in asked)
