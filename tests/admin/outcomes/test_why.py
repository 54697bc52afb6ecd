"""The page “Why?”: an answer in one sentence, the steps below it, and an address that can be sent to
somebody.
"""

import datetime as dt
from io import StringIO

import pytest
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from notifier.management import explain as command
from notifier.models import Delivery, Event
from notifier.templating.times import read_moment
from project.demo.models import Post
from tests.admin.browser import text_of
from tests.admin.outbox import page_of
from tests.support.builders import make_delivery, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

WHY = "/admin/notifier/event/why/"
NOW = timezone.now()


@pytest.fixture
def ann():
    return make_user(username="ann", first_name="Ann", last_name="Lee", email="")


@pytest.fixture
def event(ann):
    return make_delivery(
        recipient=f"user:{ann.pk}", address="", status="skipped", reason="no_address", attempts=0
    ).event


SENTENCE = "Ann Lee did not get it by e-mail: there was no address for e-mail."


def test_the_answer_is_one_sentence_and_its_steps_lead_to_where_they_can_be_changed(admin_client, ann, event):
    page = text_of(admin_client.get(WHY, {"person": "ann", "subject": event.pk}))
    for text in (
        SENTENCE,
        f'<a href="/admin/auth/user/{ann.pk}/change/">User</a>',
        f'<a href="/admin/notifier/trigger/{event.trigger_id}/change/">Trigger</a>',
        "There was no address for e-mail.",
        "Not reached: Verified, ",
        'value="ann"',
    ):
        assert text in page


@pytest.mark.parametrize("subject", ["#{}", "{}"])
def test_a_link_from_a_page_leads_to_the_answer(admin_client, ann, event, subject):
    delivery = event.deliveries.get()
    why = f"{WHY}?person=user%3A{ann.pk}&amp;subject={event.pk}&amp;channel=email"
    for path in page_of(delivery), page_of(event):
        assert why in text_of(admin_client.get(path))
    assert SENTENCE in text_of(admin_client.get(why.replace("&amp;", "&")))
    of_user = f"{WHY}?person=user%3A{ann.pk}"
    assert of_user in text_of(admin_client.get(f"/admin/auth/user/{ann.pk}/change/"))
    assert SENTENCE in text_of(admin_client.get(of_user))  # the last week, where nothing else is asked


def test_from_an_events_page_the_person_is_asked_for(admin_client, event):
    page = text_of(admin_client.get(WHY, {"subject": event.pk}))
    assert f'value="{event.pk}"' in page
    assert "This field is required" not in page
    assert text_of(admin_client.get(WHY))


def test_an_object_is_tested_now(admin_client, ann):
    post = Post.objects.create(title="Linen")
    trigger = make_trigger(enabled=False)
    page = text_of(admin_client.get(WHY, {"person": "ann", "subject": f"demo.post:{post.pk}"}))
    assert f"Ann Lee would not get it: the trigger “{trigger}” is switched off." in page
    assert f"/admin/notifier/event/?q=demo.post%3A{post.pk}" in page
    trigger.delete()
    page = text_of(admin_client.get(WHY, {"person": "ann", "subject": f"demo.post:{post.pk}"}))
    assert "No trigger is about this object" in page


def test_a_period_is_asked_for_by_its_days(admin_client, ann, event):
    Event.objects.update(created_at=dt.datetime(2030, 1, 31, 23, 30, tzinfo=dt.UTC))
    Delivery.objects.update(created_at=dt.datetime(2030, 1, 31, 23, 30, tzinfo=dt.UTC))
    asked = {"person": "ann", "since": "2030-01-31", "until": "2030-01-31"}
    assert SENTENCE in text_of(admin_client.get(WHY, asked))
    for other in {"until": "2030-01-30"}, {"since": "2030-02-01", "until": "2030-02-03"}:
        page = text_of(admin_client.get(WHY, asked | {"since": "2030-01-01"} | other))
        assert SENTENCE not in page
        assert "ask about the object instead" in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"person": "nobody"}, "Nobody is called “nobody”."),
        ({"person": "ann", "subject": "999999"}, "There is no event “999999”."),
        ({"person": "ann", "subject": "demo.nothing:1"}, "There is no model “demo.nothing”."),
        ({"person": "ann", "since": "yesterday"}, "“yesterday” is no day or time."),
        ({"person": "ann", "channel": "pigeon"}, "pigeon is not one of the available choices"),
        ({"person": "<script>alert(1)</script>"}, "&lt;script&gt;"),
        ({"person": "\x00"}, "person"),
    ],
)
def test_what_cannot_be_asked_so_is_said_beside_the_field(admin_client, ann, asked, words):
    page = text_of(admin_client.get(WHY, asked))
    assert words in page
    assert "<script>alert" not in page


def test_asking_changes_nothing(admin_client):
    assert admin_client.post(WHY, {"person": "ann"}).status_code == 405


def test_people_are_offered_while_somebody_types(admin_client, ann):
    for _ in range(12):
        make_user(last_name="Lee")
    assert admin_client.get(f"{WHY}people/?q=ann").json() == {"people": [{"value": "ann", "text": "Ann Lee"}]}
    assert len(admin_client.get(f"{WHY}people/?q=lee").json()["people"]) == 10
    assert admin_client.get(f"{WHY}people/?q=").json() == {"people": []}


# In a terminal.


def ask(*words):
    parser, out = CommandParser(), StringIO()
    command.add_arguments(parser)
    command.run(vars(parser.parse_args([str(word) for word in words])), out)
    return out.getvalue()


def test_the_command_writes_the_same_answer(ann, event):
    text = ask("ann", event.pk)
    assert text.startswith(SENTENCE)
    assert "→ Address: There was no address for e-mail." in text
    assert "Not reached: Verified, " in text
    assert "had email" in ask("ann", event.pk, "--channel", "sms")


def test_the_command_answers_for_a_time_and_for_an_object(ann, event):
    assert SENTENCE in ask("ann", "--since", "2020-01-01")
    assert "There was no event in this time." in ask("ann", "--until", "2020-01-01")
    assert "No trigger is about this object." in ask("ann", f"auth.user:{ann.pk}")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nobody", "1"], "Nobody is called"),
        (["ann", "999999"], "There is no event"),
        (["ann"], "Name an event or an object"),
        (["ann", "1", "--since", "2020-01-01"], "Name an event or an object"),
        (["ann", "--since", "soon"], "is no day or time"),
        (["ann", "1", "--channel", "pigeon"], "There is no channel “pigeon”"),
    ],
)
def test_the_command_says_what_cannot_be_asked_so(ann, words, problem):
    with pytest.raises(CommandError, match=problem):
        ask(*words)


@pytest.mark.parametrize(
    ("text", "end", "found"),
    [
        ("2026-01-31", False, "2026-01-31T00:00:00+00:00"),
        ("2026-01-31", True, "2026-02-01T00:00:00+00:00"),  # the day itself counts
        ("2026-01-31T08:00", True, "2026-01-31T08:00:00+00:00"),
        ("2026-01-31T08:00+02:00", False, "2026-01-31T08:00:00+02:00"),
        ("", False, None),
        (None, True, None),
    ],
)
def test_a_day_or_a_time_is_read(text, end, found):
    moment = read_moment(text, end=end)
    assert (moment and moment.isoformat()) == found


@pytest.mark.parametrize("text", ["2026-02-30", "soon", "9999-12-31", "2026-01-31T25:00"])
def test_what_is_no_time_is_said_so(text):
    with pytest.raises(ValueError, match="is no day or time"):
        read_moment(text, end=True)


def test_a_test_has_its_pages_though_its_words_are_no_templates(admin_client, rings_nowhere):
    typed = {"channel": "email", "subject": "Linen", "text": "It is there.", "html": ""}
    assert admin_client.post("/admin/notifier/template/send-to-me/", typed).json()["sent"]
    delivery = Delivery.objects.get()
    asked = {"person": delivery.recipient, "subject": delivery.event_id}
    assert "The template is to be used." in text_of(admin_client.get(WHY, asked))
    for path in page_of(delivery), page_of(delivery.event):
        assert admin_client.get(path).status_code == 200
