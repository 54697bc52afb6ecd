"""Templates in the admin: what cannot be rendered is refused, at its field and line."""

import pytest

from notifier.models import ContentVersion, Template, TemplateContent
from tests.admin.browser import errors_in, saved, submit, text_of
from tests.support.builders import make_event, make_template, make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

ADD, LIST = "/admin/notifier/template/add/", "/admin/notifier/template/"
DOUBLE = "There is another content for email in this language. Choose another language, or delete one."
MAIL = {"name": "mail", "contents-0-channel": "email", "contents-0-text": "Hello"}


def page_of(template):
    return f"/admin/notifier/template/{template.pk}/change/"


def template_of(trigger):
    return trigger.subscriptions.get().template


# What is refused, and where the form says so


@pytest.mark.parametrize(
    ("part", "source", "text"),
    [
        ("subject", "{% if instance %}Hello", "Line 1: The tag “if” is not closed. Add {% endif %}."),
        ("text", "Hello\n{{ instance.title|shout }}", "Line 2: There is no filter “shout” here."),
        ("text", "{% include 'secrets.txt' %}", "Line 1: There is no tag “include” here."),
        ("html", "<p>\n<b>\n{% endif %}", "Line 3: There is no tag “endif” here."),
        ("text", "x" * 70_000, "longer than 65,536 bytes"),
    ],
)
def test_a_template_with_a_syntax_error_is_refused_at_its_field_and_line(admin_client, part, source, text):
    response = submit(admin_client, ADD, MAIL | {f"contents-0-{part}": source})
    [field] = errors_in(response)
    assert field == f"contents-0-{part}"
    assert text in errors_in(response)[field][0]
    assert not Template.objects.exists()


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_a_path_that_a_triggers_model_lacks_is_pointed_at(admin_client, part):
    trigger = make_trigger()
    template = template_of(trigger)
    response = submit(admin_client, page_of(template), {f"contents-0-{part}": "{{ instance.titel }}"})
    [text] = errors_in(response)[f"contents-0-{part}"]
    assert text.startswith(
        "“instance.titel”: post has nothing called “titel” that can be stored. There is: body, id, title."
    )
    assert text.endswith(f"(Trigger “{trigger}”.)")
    assert ContentVersion.objects.count() == 1


def test_a_template_that_no_trigger_sends_may_name_anything(admin_client):
    assert saved(submit(admin_client, ADD, MAIL | {"contents-0-text": "{{ instance.titel }}"}))


def test_a_second_content_for_a_channel_is_refused(admin_client):
    second = {"contents-TOTAL_FORMS": "2", "contents-1-channel": "email", "contents-1-text": "Hello again"}
    response = submit(admin_client, ADD, MAIL | second)
    assert errors_in(response) == {"contents-1-channel": [DOUBLE]}
    assert not Template.objects.exists()


def test_a_content_cannot_take_the_channel_of_another(admin_client):
    template = make_template({"email": {"text": "a"}, "sms": {"text": "b"}})
    response = submit(admin_client, page_of(template), {"contents-1-channel": "email"})
    assert DOUBLE in errors_in(response)["contents-1-channel"]


def test_an_unknown_channel_is_refused(admin_client):
    response = submit(admin_client, ADD, MAIL | {"contents-0-channel": "fax"})
    assert errors_in(response) == {"contents-0-channel": ["No such channel: fax."]}


def test_a_content_without_a_body_is_refused(admin_client):
    response = submit(admin_client, ADD, MAIL | {"contents-0-subject": "Hello", "contents-0-text": ""})
    assert errors_in(response) == {"contents-0-text": ["Write a text or an HTML body."]}


@pytest.mark.parametrize("changes", [{"contents-1-DELETE": "on"}, {"contents-1-channel": "twitter"}])
def test_a_content_that_a_trigger_sends_cannot_be_taken_away(admin_client, changes):
    trigger = make_trigger(contents={"email": {"text": "a"}, "sms": {"text": "b"}}, channels=["email", "sms"])
    response = submit(admin_client, page_of(template_of(trigger)), changes)
    [text] = errors_in(response)["contents"]
    assert text.startswith(f"The trigger “{trigger}” sends this template by sms.")
    assert TemplateContent.objects.filter(channel="sms").exists()


def test_a_template_that_a_trigger_sends_cannot_be_deleted(admin_client):
    template = template_of(make_trigger())
    admin_client.post(f"/admin/notifier/template/{template.pk}/delete/", {"post": "yes"})
    assert Template.objects.filter(pk=template.pk).exists()


# What is saved


def test_a_change_adds_a_version_and_a_form_sent_back_unchanged_adds_none(admin_client):
    source = "\n<p>\n  {{ instance.title }} &amp; more\n</p>\n"
    template = make_template({"email": {"subject": "{{ instance }}", "text": "Hello\n", "html": source}})
    assert saved(submit(admin_client, page_of(template), {}))
    assert list(ContentVersion.objects.values_list("number", "html")) == [(1, source)]
    assert saved(submit(admin_client, page_of(template), {"contents-0-subject": "New: {{ instance }}"}))
    assert list(ContentVersion.objects.values_list("number", "subject")) == [
        (2, "New: {{ instance }}"),
        (1, "{{ instance }}"),
    ]


def test_a_content_and_a_template_that_nothing_sends_any_more_can_be_deleted(admin_client):
    template = make_template({"email": {"text": "a"}, "sms": {"text": "b"}})
    assert saved(submit(admin_client, page_of(template), {"contents-1-DELETE": "on"}))
    assert [content.channel for content in template.contents.all()] == ["email"]
    assert (
        admin_client.post(f"/admin/notifier/template/{template.pk}/delete/", {"post": "yes"}).status_code
        == 302
    )
    assert not Template.objects.exists()


# What the page tells


def test_the_page_lists_the_names_that_may_be_written(admin_client):
    page = text_of(admin_client.get(page_of(template_of(make_trigger(model="shop.customer")))))
    assert "<code>{{ user.first_name }}</code>" in page
    assert "<code>{{ instance.first_name }}</code>" in page
    assert "password" not in page.partition("fieldset")[2]
    movie = make_trigger(
        verb="notify_audiences", model="demo.movie", contents={"email": {"text": "{{ movie.title }}"}}
    )
    assert "<code>{{ movie }}</code>" in text_of(admin_client.get(page_of(template_of(movie))))


def test_every_name_that_the_page_lists_can_be_saved(admin_client):
    template = template_of(make_trigger(model="shop.order"))
    page = text_of(admin_client.get(page_of(template)))
    names = [part.partition("</code>")[0] for part in page.split("<code>")[1:]]
    assert len(names) > 8
    assert saved(submit(admin_client, page_of(template), {"contents-0-text": " ".join(names)}))


def test_a_page_without_a_trigger_says_where_the_names_will_come_from(admin_client):
    assert "Once a trigger sends this template" in text_of(admin_client.get(ADD))


def test_the_list_shows_channels_and_triggers(admin_client):
    trigger = make_trigger(contents={"email": {"text": "a"}, "sms": {"text": "b"}})
    page = text_of(admin_client.get(LIST))
    assert "email, sms" in page
    assert f'<a href="/admin/notifier/trigger/{trigger.pk}/change/">{trigger}</a>' in page


def test_the_list_takes_as_many_queries_for_thirty_templates_as_for_three(queries_of):
    for _ in range(3):
        make_event()
    few = queries_of(LIST)
    for _ in range(27):
        make_event()
    assert queries_of(LIST) == few
