"""What a subscription says of its flow, wherever a person meets it: refused, kept in files, in words, and as
the answer to “Why?”.
"""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from notifier.exceptions import Rejected, RulesFileRefused
from notifier.explaining import explain, person_of, summaries
from notifier.models import Delivery, Event, Subscription
from notifier.rulefiles import texts
from notifier.rules import durations
from project.demo.models import Post
from tests.support.builders import make_subscription, make_trigger, make_user
from tests.support.flowing import another, fan_out, flowing_event, let_flow, send, sweep

pytestmark = [pytest.mark.one_database, pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

REFUSED = [
    # what is said, the field that is wrong, and why
    ({"throttle_number": 3}, "throttle_minutes", "Say both"),
    ({"throttle_minutes": 3}, "throttle_number", "Say both"),
    ({"cooldown_minutes": 0}, "cooldown_minutes", "from 1"),
    ({"digest_minutes": 366 * 24 * 60 + 1}, "digest_minutes", "from 1"),
    ({"order": "inbox_first"}, "order", "needs the channel"),  # it has mail alone
    ({"order": "inbox_first", "channels": ["inbox"]}, "order", "and another one"),
]


@pytest.mark.parametrize(("said", "field", "words"), REFUSED)
def test_what_cannot_be_done_is_refused_at_its_field(said, field, words):
    with pytest.raises(ValidationError) as refused:
        Subscription(**({"channels": ["email"]} | said)).clean()
    assert words in refused.value.message_dict[field][0]


FLOW = {
    "order": "first",
    "wait_minutes": 90,
    "throttle_number": 3,
    "throttle_minutes": 1440,
    "cooldown_minutes": 60,
    "digest_minutes": 30,
}


def test_a_file_of_rules_keeps_the_flow_and_the_order_of_the_channels():
    trigger = make_trigger(subscribe=False, delay_minutes=5, expires_minutes=10)
    both = {"sms": {"text": "x"}, "email": {"subject": "x", "text": "x"}}
    make_subscription(trigger, channels=["sms", "email"], contents=both, **FLOW)
    written = texts.export_text()
    assert "channels: [sms, email]" in written
    trigger.delete()
    texts.import_text(written)
    subscription = Subscription.objects.get()
    assert {name: getattr(subscription, name) for name in FLOW} == FLOW
    assert subscription.channels == ["sms", "email"]
    assert (subscription.trigger.delay_minutes, subscription.trigger.expires_minutes) == (5, 10)
    assert texts.export_text() == written
    with pytest.raises(RulesFileRefused, match="whole number"):
        texts.import_text(written.replace("delay_minutes: 5", "delay_minutes: soon"))


def test_the_flow_is_said_in_words():
    words = summaries.describe_flow(Subscription(channels=["email", "sms"], **FLOW))
    assert words == (
        "the first channel that succeeds, at most 3 in a day, not again about the same within an hour, "
        "together in one message after 30 minutes"
    )
    assert summaries.describe_flow(Subscription(channels=["email"])) == ""


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "a minute"), (90, "90 minutes"), (60, "an hour"), (120, "2 hours"), (2880, "2 days")],
)
def test_minutes_are_said_in_the_largest_unit_that_fits(minutes, words):
    assert durations.in_words(minutes) == words
    assert durations.minutes_of(*durations.split(minutes)) == minutes


def test_a_digest_whose_template_lists_no_events_is_warned_of():
    trigger = make_trigger(subscribe=False)
    plain = make_subscription(trigger, digest_minutes=30)
    listing = {"email": {"subject": "x", "text": "{% for event in events %}{{ event.verb }}{% endfor %}"}}
    good = make_subscription(trigger, contents=listing, digest_minutes=30)
    [text] = summaries.digest_warnings(plain)
    assert "only the newest would be shown" in text
    assert "{% for event in events %}" in text
    assert list(summaries.digest_warnings(good)) == []


# Why?


def why(user, event, channel="email"):
    [answer] = explain(person_of(user), event, channel)
    return f"{answer.outcome}: {answer.sentence}"


def test_why_says_what_the_flow_has_decided():
    user = make_user()
    event = flowing_event(users=[user], throttle_number=1, throttle_minutes=60)
    fan_out(event, later := another(event))
    assert "as many as the subscription allows. At most 1 in an hour." in why(user, later)
    Delivery.objects.filter(event=later).update(reason="cooldown", detail="")
    assert "the same object" in why(user, later)
    Delivery.objects.filter(event=later).update(reason="read")
    assert "read in the inbox" in why(user, later)
    Delivery.objects.filter(event=later).update(reason="throttled", status="waiting", due_at=timezone.now())
    assert "the provider asked for more time" in why(user, later)


def test_why_says_what_stands_by_and_what_is_gathered():
    user = make_user()
    event = flowing_event(channels=("email", "inbox"), users=[user], order="first", digest_minutes=60)
    fan_out(event, later := another(event))
    assert "goes with them as one message" in why(user, event)
    assert "goes only if email does not succeed" in why(user, event, "inbox")
    let_flow(minutes=61)
    send(*[pk for _, pk in sweep()])
    assert "In one message with #" in why(user, event)
    assert "got it" in why(user, later)


def test_why_says_until_when_an_event_is_scheduled():
    user = make_user()
    event = flowing_event(users=[user])
    Event.objects.update(starts_at=timezone.now() + dt.timedelta(hours=1))
    event.refresh_from_db()
    assert "it is scheduled for" in explain(person_of(user), event)[0].sentence


def test_why_foresees_that_somebody_has_had_enough():
    user = make_user()
    trigger = make_trigger(subscribe=False)
    make_subscription(trigger, throttle_number=1, throttle_minutes=60)
    post = Post.objects.create(title="One")
    [answer] = explain(person_of(user), post)
    assert "at most 1 in an hour" in " ".join(step.text for step in answer.steps)
    fan_out(Event.objects.get())
    [answer] = explain(person_of(user), post)
    assert "has had as many as the subscription allows" in answer.sentence


def test_a_failed_first_channel_leads_to_the_next_in_the_words_of_both():
    user = make_user()
    event = flowing_event(channels=("email", "inbox"), users=[user], order="first")
    fan_out(event)
    send(Delivery.objects.get(channel="email"), answer=Rejected("refused"))
    assert "on its way" in why(user, event, "inbox")
