"""A rule that would reach many people asks once more, and saves nothing before the yes."""

import pytest
from django.core import signing
from django.utils import timezone

from notifier.admin import going_live
from notifier.explaining import estimate
from notifier.models import Event, Subscription, Trigger
from tests.support.builders import make_audience, make_people, make_subscription, make_template, make_trigger

from .browser import filled_in, read_form, saved, submit, text_of
from .outcomes.test_delivery_actions import answer

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

TRIGGERS = "/admin/notifier/trigger/"


@pytest.fixture(autouse=True)
def many(settings):
    """More people than may be reached without a question."""
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": 5}
    make_people(6)


def page_of(trigger):
    return f"{TRIGGERS}{trigger.pk}/change/"


def state():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Trigger, Subscription, Subscription.audiences.through)
    ]


CHANGES = [
    # how the trigger is, what a person changes on its page, whether that asks
    ({"enabled": False}, {"enabled": "on"}, True),
    ({"shadow": True}, {"shadow": None}, True),
    ({"shadow": True, "enabled": False}, {"enabled": "on"}, False),  # it stays in the shadow
    ({}, {"subscriptions-0-channels": ["email", "sms"]}, True),
    ({}, {"name": "Another name"}, False),
    ({}, {"enabled": None}, False),
    ({}, {"shadow": "on"}, False),
]


@pytest.mark.parametrize(("values", "changes", "asks"), CHANGES)
def test_what_goes_live_to_many_asks_and_saves_nothing_before(admin_client, values, changes, asks):
    contents = {"email": {"subject": ".", "text": "."}, "sms": {"text": "."}}
    trigger = make_trigger(contents=contents, **values)
    before = state()
    response = submit(admin_client, page_of(trigger), changes)
    if not asks:
        assert saved(response)
        return
    page = text_of(response)
    assert f"One event of “{trigger.name}” goes to 7 people." in page
    assert "Nothing was recorded for it yet." in page
    assert state() == before
    assert "was changed successfully" in text_of(answer(admin_client, response))
    assert state() != before
    assert estimate.sends(Trigger.objects.get())


def test_an_audience_that_is_added_asks(admin_client):
    trigger = make_trigger(audiences=[make_audience(addresses="email: ops@example.com")])
    everyone = make_audience(everyone=True)
    response = submit(admin_client, page_of(trigger), {"subscriptions-0-audiences": [str(everyone.pk)]})
    assert "goes to 7 people" in text_of(response)


def test_a_new_trigger_asks_and_is_made_once_after_the_yes(admin_client):
    template, everyone = make_template(), make_audience(everyone=True)
    changes = {
        "name": "Sale", "enabled": "on", "verb": "post_save", "model": "demo.post",
        "subscriptions-0-template": str(template.pk), "subscriptions-0-channels": ["email"],
        "subscriptions-0-audiences": [str(everyone.pk)], "subscriptions-0-enabled": "on",
    }  # fmt: skip
    response = submit(admin_client, f"{TRIGGERS}add/", changes)
    assert "One event of “Sale” goes to 7 people." in text_of(response)
    assert not Trigger.objects.exists()
    answer(admin_client, response)
    assert Trigger.objects.get().subscriptions.get().audiences.get() == everyone


def test_few_people_are_reached_without_a_question(admin_client, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": 7}
    assert saved(submit(admin_client, page_of(make_trigger(enabled=False)), {"enabled": "on"}))


FORGED = {
    "as it was given": (lambda said: said, True),
    "of a few more people": (lambda said: said | {"people": 6.5}, True),  # who have joined since
    "of far fewer people": (lambda said: said | {"people": 5}, False),
    "of somebody else": (lambda said: said | {"user": "0"}, False),
    "of another trigger": (lambda said: said | {"name": "Other"}, False),
    "of other audiences": (lambda said: said | {"sends": [["email", "Others"]]}, False),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_yes_is_for_what_was_asked(admin_client, admin_user, kind):
    change, is_taken = FORGED[kind]
    audience = make_audience(everyone=True)
    trigger = make_trigger(enabled=False, audiences=[audience])
    said = change(
        {"user": str(admin_user.pk), "name": trigger.name, "people": 7, "sends": [["email", audience.name]]}
    )
    token = signing.dumps(said, salt=going_live.SALT)
    values = filled_in(read_form(admin_client, page_of(trigger)), {"enabled": "on", going_live.ANSWER: token})
    assert admin_client.post(page_of(trigger), values).status_code == (302 if is_taken else 200)
    assert Trigger.objects.get().enabled == is_taken


@pytest.mark.parametrize("token", ["", "yes", "yes:yes:yes"])
def test_a_yes_that_was_not_signed_is_none(admin_client, token):
    trigger = make_trigger(enabled=False)
    assert (
        submit(admin_client, page_of(trigger), {"enabled": "on", going_live.ANSWER: token}).status_code == 200
    )
    assert not Trigger.objects.get().enabled


ESTIMATE = "In the last 7 days this would have sent 14 by email."


def test_a_trigger_in_shadow_shows_what_it_would_have_sent(admin_client):
    trigger = make_trigger(shadow=True)
    assert "Nothing was recorded for it yet." in text_of(admin_client.get(page_of(trigger)))
    for _ in range(2):
        record(trigger)
    page = text_of(admin_client.get(page_of(trigger)))
    assert ESTIMATE in page
    assert "That is for 2 events, with the audiences and templates of now." in page
    trigger.shadow = False
    trigger.save()
    assert ESTIMATE not in text_of(admin_client.get(page_of(trigger)))


def record(trigger):
    Event.objects.create(
        trigger=trigger, verb="post_save", data={}, status="shadow", created_at=timezone.now()
    )


def test_the_question_tells_what_the_rule_would_have_sent_as_it_would_be(admin_client):
    trigger = make_trigger(shadow=True)
    record(trigger)
    subscription = make_subscription(
        trigger, contents={"sms": {"text": "."}}, channels=["sms"], enabled=False
    )
    subscription.audiences.set([make_audience(addresses="sms: +44 7400 123401")])
    page = text_of(submit(admin_client, page_of(trigger), {"shadow": None, "subscriptions-1-enabled": "on"}))
    assert "this would have sent 7 by email, 1 by sms" in page


WORDS = [
    # events, exact, channel → messages, pieces, micros; the first sentence
    (0, True, {}, "In the last 7 days nothing happened that it would have sent."),
    (3, True, {}, "In the last 7 days there were 3 events, and nobody whom it would have reached."),
    (1, True, {"email": (4312, 4312, 0)}, "In the last 7 days this would have sent 4,312 by email."),
    (
        9,
        False,
        {"sms": (88, 102, 700_000), "email": (4312, 4312, 431_200), "twitter": (12, 12, 60_000)},
        "In the last 7 days this would have sent about 4,312 by email, 88 by sms (102 parts), "
        "12 by twitter, about $1.19.",
    ),
]


@pytest.mark.parametrize(("events", "is_exact", "channels", "words"), WORDS)
def test_an_estimate_is_told_in_a_sentence(events, is_exact, channels, words):
    found = estimate.Estimate(events=events, is_exact=is_exact)
    for name, (messages, pieces, cost) in channels.items():
        found.channels[name] = estimate.ChannelEstimate(messages=messages, pieces=pieces, cost_micros=cost)
    assert str(going_live.describe(found)[0]) == words
