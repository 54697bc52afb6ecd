"""The editor's preview and “Send to me”: what is typed, as it would arrive; nothing is saved, and nobody else
gets anything.
"""

import html
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client

from notifier.models import ContactPoint, ContentVersion, Delivery, Event, Template, TemplateContent
from tests.admin.browser import errors_in, read_form, saved, submit, text_of
from tests.support.builders import make_event, make_template, make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

PREVIEW, SEND = "/admin/notifier/template/preview/", "/admin/notifier/template/send-to-me/"
ADD, LIST = "/admin/notifier/template/add/", "/admin/notifier/template/"
MAIL = {
    "channel": "email",
    "subject": "Hi {{ user.first_name }}",
    "text": "Hello {{ user.first_name }}",
    "html": "",
}


def page_of(template):
    return f"/admin/notifier/template/{template.pk}/change/"


def template_of(event):
    return event.trigger.subscriptions.get().template


def previewed(client, **typed):
    response = client.post(PREVIEW, MAIL | typed)
    assert response.status_code == 200
    return response.json()


@pytest.fixture
def editor(client_with):
    """The client of somebody who may edit templates and see events, and nothing else."""
    client = client_with("change_template", "view_event", "view_delivery", "view_recipients")
    get_user_model().objects.filter(pk=client.session["_auth_user_id"]).update(
        first_name="Robin", email="robin@example.com"
    )
    return client


# The preview


def test_a_mail_is_shown_with_its_sender_its_subject_and_the_editor_as_its_reader(editor):
    found = previewed(editor)
    shown = {
        name: found[name] for name in ("look", "sender", "recipient", "subject", "text", "errors", "frame")
    }
    assert shown == {
        "look": "mail", "sender": "Notifier <notifier@example.com>", "recipient": "robin@example.com",
        "subject": "Hi Robin", "text": "Hello Robin", "errors": [], "frame": "",
    }  # fmt: skip
    assert found["cost"] == "about $0.10 for 1,000 people"


@pytest.mark.parametrize(
    ("channel", "person", "recipient"),
    [
        ("email", "sample", "ada@example.com"),
        ("sms", "sample", "+44 7700 900123"),
        ("sms", "me", ""),  # the editor has no phone, and nobody else's is shown
        ("twitter", "sample", ""),  # for everybody
    ],
)
def test_the_address_that_is_shown_fits_the_channel(editor, channel, person, recipient):
    assert previewed(editor, channel=channel, person=person, subject="")["recipient"] == recipient


def test_the_html_stands_in_a_frame_that_loads_nothing_and_leads_nowhere(editor):
    source = "<script>parent.x</script><img src='https://a.example/pixel'>{{ user.first_name }}"
    found = previewed(editor, html=source)["frame"]
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', found)[1])
    assert found.index("Content-Security-Policy") < found.index("<script>")
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert "script-src" not in policy
    assert found.endswith("Robin")
    shown = previewed(editor, html=source, images="1")["frame"]
    assert "img-src data: https: http:;" in shown


def test_the_frame_of_the_page_allows_neither_scripts_nor_this_sites_origin(editor):
    page = text_of(editor.get(page_of(make_template())))
    [frame] = re.findall(r"<iframe[^>]*>", page)
    assert re.search(r'\ssandbox(=""|\s|>)', frame)
    assert "allow" not in frame


def test_an_sms_is_shown_in_its_parts_with_what_it_costs(editor):
    found = previewed(editor, channel="sms", text="…" + "x" * 80)
    assert (found["look"], found["pieces"]) == ("phone", ["…" + "x" * 66, "x" * 14])
    assert (found["count"], found["cost"]) == (
        "81 of 134 UCS-2 characters, 2 parts",
        "about $80.00 for 1,000 people",
    )
    assert [problem["part"] for problem in found["warnings"]] == ["text", "text"]


def test_a_post_is_shown_with_its_count_and_price(editor):
    found = previewed(editor, channel="twitter", text="See https://shop.example.com")
    assert (found["look"], found["public"]) == ("post", True)
    assert (found["count"], found["cost"]) == ("27 of 280 characters as X counts them", "about $0.200")


ERRORS = [
    # what is typed, the part, words of the error, its line
    ({"text": "a\nb\n{% if %}"}, "text", "Line 3", 3),
    ({"html": "<p>\n{{ x|shout }}"}, "html", "There is no filter “shout” here.", 2),
    ({"subject": "{% if x %}"}, "subject", "is not closed", 1),
    ({"text": "{{ user.password }}"}, "text", "may be a secret", 1),
    ({"text": "x" * 70_000}, "text", "65,536 bytes", None),
]


@pytest.mark.parametrize(("typed", "part", "words", "line"), ERRORS)
def test_an_error_is_at_its_part_and_line(editor, typed, part, words, line):
    [error] = previewed(editor, **typed)["errors"]
    assert (error["part"], error["line"]) == (part, line)
    assert words in error["text"]


def test_a_preview_from_an_event_shows_that_event_and_says_what_it_does_not_hold(editor):
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Linen"}}
    )
    typed = {
        "template": template_of(event).pk,
        "event": event.pk,
        "text": "{{ instance.title }}: {{ instance.body }}",
    }
    found = previewed(editor, **typed)
    assert found["text"] == "Linen: Body"
    assert "instance.body" in found["note"]


def test_the_page_offers_the_last_events_and_an_example(editor):
    event = make_event(action_object="demo.flashsale:7")
    page = text_of(editor.get(page_of(template_of(event))))
    assert re.search(rf'<option value="{event.pk}">[^<]* · Flash sale 7</option>', page)
    assert '<option value="">A made-up example</option>' in page


def test_an_event_of_another_template_is_not_shown(editor):
    other = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Not for you"}}
    )
    found = previewed(editor, template=make_template().pk, event=other.pk, text="{{ instance.title }}")
    assert found["text"] == "Title"


# An event's page hides its data from these
@pytest.mark.parametrize("permissions", [(), ("view_event",), ("view_recipients",)])
def test_who_may_not_see_events_data_previews_with_an_example(client_with, permissions):
    client = client_with("change_template", *permissions)
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Not for you"}}
    )
    template = template_of(event)
    assert (
        previewed(client, template=template.pk, event=event.pk, text="{{ instance.title }}")["text"]
        == "Example post"
    )
    assert f'<option value="{event.pk}">' not in text_of(client.get(page_of(template)))


def test_who_may_only_view_previews_what_is_saved(client_with):
    client = client_with("view_template")
    content = make_template({"email": {"text": "As it is saved"}}).contents.get()
    response = client.post(PREVIEW, {"template": content.template_id, "content": content.pk})
    assert response.json()["text"] == "As it is saved"
    assert client.post(SEND, MAIL).status_code == 403
    assert "Send to me" not in text_of(client.get(page_of(content.template)))


@pytest.mark.parametrize("url", [PREVIEW, SEND])
def test_both_are_posted_with_a_token_by_those_who_may(url, client_with, editor):
    assert editor.get(url).status_code == 405
    assert client_with("view_trigger").post(url, MAIL).status_code == 403
    assert Client().post(url, MAIL).status_code == 302
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(get_user_model().objects.get(pk=editor.session["_auth_user_id"]))
    assert guarded.post(url, MAIL).status_code == 403


def test_a_preview_stores_nothing(editor):
    template = make_template()
    previewed(editor, template=template.pk, content=template.contents.get().pk, html="<p>New</p>")
    assert (ContentVersion.objects.count(), TemplateContent.objects.count(), Event.objects.count()) == (
        1,
        1,
        0,
    )
    assert not LogEntry.objects.exists()


NONSENSE = [
    {"channel": "fax"},
    {"channel": ""},
    {"template": "x"},
    {"event": "9" * 30},
    {"content": "-1"},
]


@pytest.mark.parametrize("typed", NONSENSE)
def test_nonsense_in_the_request_is_no_error_of_the_server(editor, typed):
    assert previewed(editor, **typed)["errors"] == []


def test_what_no_column_holds_is_an_error_in_words(editor):
    (error,) = previewed(editor, text="\0")["errors"]
    assert (error["part"], error["text"]) == ("text", "There is a character in it that no database can hold.")


# Send to me


@pytest.mark.django_db(transaction=True)
def test_what_is_typed_goes_to_the_editor_alone_by_the_real_way(cloud, pump, editor):
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Linen"}}
    )
    content = template_of(event).contents.get()
    typed = MAIL | {
        "template": content.template_id,
        "event": event.pk,
        "html": "<p>{{ instance.title }}, {{ user.first_name }}</p>",
    }
    answer = editor.post(SEND, typed).json()
    delivery = Delivery.objects.get()
    url = f"/admin/notifier/delivery/{delivery.pk}/change/"
    assert answer == {"sent": True, "text": "On its way to robin@example.com.", "url": url}
    assert (delivery.recipient, delivery.status) == (f"user:{editor.session['_auth_user_id']}", "queued")
    pump.drain()
    [mail] = cloud.outbox()
    assert (mail.recipient, mail.subject, mail.html.strip()) == (
        "robin@example.com",
        "[Test] Hi Robin",
        "<p>Linen, Robin</p>",
    )


def test_a_test_changes_nothing_that_is_live_and_is_told_from_the_others(editor):
    template = make_template()
    content = template.contents.get()
    editor.post(SEND, MAIL | {"template": template.pk, "content": content.pk})
    delivery, event = Delivery.objects.get(), Event.objects.get()
    assert (delivery.is_test, event.is_test, event.status, event.due_at) == (True, True, "done", None)
    content.refresh_from_db()
    assert (content.version.number, content.versions.count()) == (1, 1)
    assert delivery.version.content is None
    content.text = "The next version"
    content.save()
    assert content.version.number == 2
    [entry] = LogEntry.objects.all()
    assert (entry.object_id, entry.get_change_message()) == (
        str(template.pk),
        f"Sent to themselves as a test: email, delivery {delivery.pk}.",
    )


def test_lists_and_pages_say_that_it_is_a_test(admin_client, editor):
    editor.post(SEND, MAIL)
    delivery = Delivery.objects.get()
    assert "email, a test" in text_of(admin_client.get("/admin/notifier/delivery/"))
    assert "a test that an editor sent to themselves" in text_of(admin_client.get("/admin/notifier/event/"))
    assert "A test: what its editor sent to themselves." in text_of(
        admin_client.get(f"/admin/notifier/delivery/{delivery.pk}/change/")
    )
    assert admin_client.get(f"/admin/notifier/event/{delivery.event_id}/change/").status_code == 200


def test_a_test_can_be_sent_before_the_template_is_first_saved(client_with):
    client = client_with("add_template")
    get_user_model().objects.filter(pk=client.session["_auth_user_id"]).update(email="new@example.com")
    assert client.post(SEND, MAIL).json()["sent"]
    assert not Template.objects.exists()


REFUSED = [
    # what is typed, words of the answer
    ({"channel": "twitter"}, "public"),
    ({"channel": "sms"}, "You have no address on sms."),
    ({"text": "{% if %}"}, "Mend the error first: Line 1"),
    ({"channel": ""}, "no address"),
]


@pytest.mark.parametrize(("typed", "words"), REFUSED)
def test_what_cannot_be_sent_is_refused_with_a_sentence_and_leaves_nothing(editor, typed, words):
    answer = editor.post(SEND, MAIL | typed).json()
    assert not answer["sent"]
    assert words in answer["text"]
    assert not Delivery.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_post_is_not_sent_even_where_somebody_entered_an_account_as_their_own(editor):
    ContactPoint.objects.create(user_id=editor.session["_auth_user_id"], channel="twitter", address="@robin")
    assert not editor.post(SEND, MAIL | {"channel": "twitter"}).json()["sent"]


# Lint at save


def test_what_a_channel_would_always_refuse_stops_the_save_at_its_field(admin_client):
    typed = {"name": "x", "contents-0-channel": "sms", "contents-0-text": "x" * 1601}
    assert errors_in(submit(admin_client, ADD, typed)) == {
        "contents-0-text": ["1601 characters: Amazon SNS takes 1600."]
    }


def test_warnings_do_not_stop_the_save_and_stand_beside_their_fields_afterwards(admin_client):
    typed = {
        "name": "x",
        "contents-0-channel": "email",
        "contents-0-subject": "",
        "contents-0-html": "<img src='http://a.example/x'>",
    }
    response = submit(admin_client, ADD, typed)
    assert saved(response)
    template = Template.objects.get()
    listed = text_of(admin_client.get(LIST))
    assert f'Saved, with 5 warnings beside their fields: <a href="{page_of(template)}">x</a>' in listed
    page = text_of(admin_client.get(page_of(template))).partition('id="contents-empty"')[0]
    shown = dict(re.findall(r'data-warnings="(\w+)" aria-live="polite">(.*?)</ul>', page, re.DOTALL))
    assert "(no subject)" in shown["subject"]
    assert all(words in html.unescape(shown["html"]) for words in ("unsubscribe", "alt=", "https://"))
    assert "no words" in shown["text"]
    assert not shown["channel"]


def test_a_template_without_warnings_is_saved_without_a_word(admin_client):
    typed = {
        "name": "x",
        "contents-0-channel": "email",
        "contents-0-subject": "Hi",
        "contents-0-text": "Hello",
    }
    assert saved(submit(admin_client, ADD, typed))
    assert "warning beside" not in text_of(admin_client.get(LIST))


def test_a_content_for_each_language_of_a_channel(admin_client):
    typed = {
        "name": "x", "contents-TOTAL_FORMS": "2", "contents-0-channel": "email", "contents-0-text": "Hello",
        "contents-1-channel": "email", "contents-1-language": "de", "contents-1-text": "Hallo",
    }  # fmt: skip
    assert saved(submit(admin_client, ADD, typed))
    assert sorted(TemplateContent.objects.values_list("channel", "language")) == [
        ("email", ""),
        ("email", "de"),
    ]


def test_a_language_that_the_site_has_dropped_can_stay(admin_client):
    template = make_template({"email": {"text": "nuqneH", "subject": "x", "language": "tlh"}})
    assert read_form(admin_client, page_of(template))["contents-0-language"] == ["tlh"]
    assert saved(submit(admin_client, page_of(template), {}))


def test_the_editors_page_takes_as_many_queries_for_ten_events_as_for_one(queries_of):
    event = make_event()
    path = page_of(template_of(event))
    one = queries_of(path)
    for _ in range(9):
        event.pk = None
        event.save(force_insert=True)
    assert queries_of(path) == one


def test_a_page_of_a_template_that_many_triggers_send_names_each_once(admin_client):
    trigger = make_trigger()
    page = text_of(admin_client.get(page_of(trigger.subscriptions.get().template)))
    assert page.count(f">{trigger}</a>") == 1
