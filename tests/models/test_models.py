"""A form says what is wrong with a rule and where, and a change of a rule keeps what was sent by it."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from notifier.exceptions import TemplateRefused
from notifier.models import (
    Audience,
    ContactPoint,
    ContentVersion,
    Delivery,
    Event,
    RulesVersion,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.rules.audiences import register_audience
from project.demo.models import Post
from tests.support.builders import make_audience, make_subscription, make_template, make_trigger, make_user
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def problems_of(row):
    """What the row's form says: field → its messages as one text."""
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    return {field: " ".join(messages) for field, messages in refused.value.message_dict.items()}


def make_parts(**parts):
    return {"email": {"subject": "News", "text": "Hello"} | parts}


SUBSCRIPTIONS = [
    # its channels, the template's contents, the field that is wrong, what it says
    ([], make_parts(), "channels", "Choose at least one channel."),
    ("email", make_parts(), "channels", "Choose at least one channel."),  # not a list
    (["email", "fax"], make_parts(), "channels", "No such channel: fax. There are: .*email.*sms"),
    (["email", "sms"], make_parts(), "template", "The template “template-.*” has no content for: sms."),
    (
        ["email"],
        make_parts(text="{{ instance.titel }}"),
        "template",
        "email, text: “instance.titel”: post has nothing called “titel”",
    ),
    (
        ["email"],
        make_parts(subject="{{ movie.title }}"),
        "template",
        "email, subject: “movie.title”: the signal post_save has no “movie”",
    ),
    (
        ["email"],
        make_parts(html="<p>{{ instance.delete }}</p>"),
        "template",
        "email, html: “instance.delete”",
    ),
]


@pytest.mark.parametrize(("channels", "contents", "field", "message"), SUBSCRIPTIONS)
def test_a_subscription_that_cannot_work_is_refused_where_it_is_wrong(channels, contents, field, message):
    trigger = make_trigger(subscribe=False)
    found = problems_of(Subscription(trigger=trigger, template=make_template(contents), channels=channels))
    assert list(found) == [field]
    assert re.search(message, found[field])


def test_a_subscription_is_checked_against_a_trigger_that_is_not_saved_yet():
    # The admin's page has both in one form.
    template = make_template(make_parts(text="{{ instance.titel }}"))
    subscription = Subscription(
        trigger=Trigger(verb="post_save", model="demo.post"), template=template, channels=["email"]
    )
    with pytest.raises(ValidationError) as refused:
        subscription.clean()
    assert "“instance.titel”" in refused.value.message_dict["template"][0]
    # Nor is its absence an error of its own.
    Subscription(template=template, channels=["email"]).clean()


def test_a_subscription_that_can_work_is_taken():
    parts = {
        "text": (
            "{{ instance.title }} {{ verb }} {{ user.first_name }} {{ action_object }} {{ target "
            "}} {{ actor_object }}"
        )
    }
    template = make_template({"email": parts, "sms": {"text": "{{ movie.titel }}"}})
    # What is wrong with the SMS does not matter to who sends mail.
    Subscription(trigger=make_trigger(subscribe=False), template=template, channels=["email"]).full_clean()


AUDIENCES = [
    # its sources, the field that is wrong, what it says
    ({"paths": "instance..owner"}, "paths", "“instance..owner” is not a path. Write names with dots"),
    ({"paths": "instance.owner\nall of them"}, "paths", "“all of them” is not a path."),
    ({"paths": "instance.__class__"}, "paths", "“instance.__class__” is not a path."),
    ({"paths": "instance.owner()"}, "paths", "is not a path"),
    ({"paths": "fax: instance.owner"}, "paths", "there is no channel “fax”. There are: .*email"),
    ({"paths": "email:"}, "paths", "“email:” is not a path."),
    ({"paths": "instance.owner.password"}, "paths", "“password” may be a secret"),
    ({"paths": "instance.api_token"}, "paths", "“api_token” may be a secret"),
    (
        {"addresses": "ops@example.com"},
        "addresses",
        "“ops@example.com”: write the channel first, as in “email: ops@example.com”",
    ),
    ({"addresses": "fax: +491"}, "addresses", "write the channel first"),
    ({"addresses": "email:"}, "addresses", "write the channel first"),
    ({"callables": ["gone", "never was"]}, "callables", "Not registered: gone, never was."),
]


@pytest.mark.parametrize(("sources", "field", "message"), AUDIENCES)
def test_an_audience_that_cannot_work_is_refused_where_it_is_wrong(sources, field, message):
    found = problems_of(Audience(name="Some", **sources))
    assert list(found) == [field]
    assert re.search(message, found[field])


def test_an_audience_says_everything_that_is_wrong_at_once():
    found = problems_of(
        Audience(name="Some", paths="a..b\nfax: c", addresses="nobody\nnothing", callables=["gone"])
    )
    assert set(found) == {"paths", "addresses", "callables"}
    assert "a..b" in found["paths"]
    assert "fax" in found["paths"]


def test_an_audience_that_can_work_is_taken():
    register_audience("people who are there", lambda event: [])
    Audience(
        name="All", everyone=True, callables=["people who are there"],
        paths=(
            "instance.owner\n\n email : "
            "instance.contact_email \nmovie.audiences\nto"
            ), addresses="email: a@example.com\nsms:+491",
    ).full_clean()  # fmt: skip


CONTENTS = [
    # its parts, the field that is wrong, what it says
    ({}, "text", "Write a text or an HTML body."),
    ({"text": " ", "html": "\n"}, "text", "Write a text or an HTML body."),
    ({"text": "fine", "subject": "{{ a b }}"}, "subject", "Could not parse"),
    ({"text": "one\ntwo {% if %}"}, "text", "Line 2"),
    ({"html": "<p>\n\n{% for %}</p>"}, "html", "Line 3"),
    ({"text": "{% load static %}"}, "text", "Line 1: There is no tag “load” here."),
    ({"text": "{{ user.password }}"}, "text", "“password” may be a secret"),
    ({"text": "{{ instance..title }}"}, "text", "two dots with nothing between them"),
]


@pytest.mark.parametrize(("parts", "field", "message"), CONTENTS)
def test_a_content_that_cannot_be_rendered_is_refused_where_it_is_wrong(parts, field, message):
    content = TemplateContent(template=Template.objects.create(name="some"), channel="email", **parts)
    found = problems_of(content)
    assert list(found) == [field]
    assert re.search(message, found[field])


def test_a_content_is_checked_against_each_trigger_that_uses_it():
    template = make_template(make_parts())
    Subscription.objects.create(trigger=make_trigger(subscribe=False), template=template, channels=["email"])
    content = template.contents.get()
    content.html = "{{ instance.title }}"
    content.full_clean()
    content.html = "{{ instance.titel }}"
    assert "“instance.titel”: post has nothing called “titel”" in problems_of(content)["html"]
    content.html = "{{ user.frist_name }}"
    assert "“user.frist_name”: user has nothing called “frist_name”" in problems_of(content)["html"]
    # A channel that the subscription does not use is nobody's trouble.
    TemplateContent(template=template, channel="sms", text="{{ instance.titel }}").full_clean()


@pytest.mark.parametrize(
    "parts", [{"text": "{% if %}"}, {"html": "{% load static %}"}, {"subject": "{{ user.password }}"}]
)
def test_code_cannot_save_a_content_that_cannot_be_rendered(parts):
    template = Template.objects.create(name="some")
    with pytest.raises(TemplateRefused):
        TemplateContent.objects.create(template=template, channel="email", **parts)
    assert not TemplateContent.objects.exists()
    assert not ContentVersion.objects.exists()


def test_each_change_of_a_content_is_a_version_and_versions_never_change():
    content = make_template(make_parts(text="First")).contents.get()
    content.save()
    content.text = "Second"
    content.save()
    content.subject = "Other"
    content.save()
    versions = ContentVersion.objects.order_by("number").values_list("number", "subject", "text")
    assert list(versions) == [(1, "News", "First"), (2, "News", "Second"), (3, "Other", "Second")]
    assert TemplateContent.objects.get().version.number == 3


def test_an_event_is_sent_by_the_version_of_its_moment():
    make_trigger(contents=make_parts(text="First"), audiences=[make_audience(users=[make_user()])])
    content = TemplateContent.objects.get()
    for text in "Second", "Third":
        Post.objects.create(title="Linen")
        content.text = text
        content.save()
    planned = [step["contents"]["email"][""] for event in Event.objects.order_by("pk") for step in event.plan]
    assert [ContentVersion.objects.get(pk=pk).text for pk in planned] == ["First", "Second"]


def test_a_template_in_use_cannot_be_deleted_and_its_trigger_can():
    trigger = make_trigger()
    with pytest.raises(ProtectedError):
        Template.objects.get().delete()
    Post.objects.create(title="Linen")
    trigger.delete()
    Template.objects.get().delete()
    # What it recorded stays on record.
    assert Event.objects.get().verb == "post_save"


def test_a_user_can_be_deleted_without_a_search_in_what_was_sent():
    ada = make_user()
    audience = make_audience(users=[ada])
    ContactPoint.objects.create(user=ada, channel="sms", address="+491")
    with statements() as found:
        ada.delete()
    assert not [
        statement for statement in found if "notifier_delivery" in statement or "notifier_event" in statement
    ]
    assert (audience.users.count(), ContactPoint.objects.count()) == (0, 0)


def duplicate_content():
    template = make_template()
    TemplateContent.objects.create(template=template, channel="email", text="Again")


def duplicate_contact_point():
    ada = make_user()
    for address in "+491", "+492":
        ContactPoint.objects.create(user=ada, channel="sms", address=address)


def duplicate_trigger():
    for _ in range(2):
        make_trigger(name="The same", subscribe=False)


@pytest.mark.parametrize("duplicate", [duplicate_content, duplicate_contact_point, duplicate_trigger])
def test_what_must_be_one_is_one_in_the_database(duplicate):
    with pytest.raises(IntegrityError), transaction.atomic():
        duplicate()


CHANGES = [
    # what somebody does to a rule, by every way that Django has
    lambda trigger: trigger.save(),
    lambda trigger: trigger.delete(),
    lambda trigger: Trigger.objects.update(enabled=False),
    lambda trigger: Trigger.objects.all().delete(),
    lambda trigger: Trigger.objects.bulk_create([Trigger(name="New", verb="post_save", model="demo.post")]),
    lambda trigger: Trigger.objects.bulk_update([trigger], ["target"]),
    lambda trigger: trigger.subscriptions.update(enabled=False),
    lambda trigger: trigger.subscriptions.get().delete(),
    lambda trigger: make_subscription(trigger),
    lambda trigger: trigger.subscriptions.get().audiences.clear(),
    lambda trigger: trigger.subscriptions.get().audiences.get().save(),
    lambda trigger: Audience.objects.update(paths="instance.owner"),
    lambda trigger: Audience.objects.get().delete(),
    lambda trigger: trigger.subscriptions.get().template.contents.get().save(),
    lambda trigger: TemplateContent.objects.get().delete(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_way_to_change_a_rule_tells_the_running_processes(change):
    trigger = make_trigger()
    before = RulesVersion.objects.get().token
    change(trigger)
    assert RulesVersion.objects.get().token != before


def test_rows_say_what_they_are():
    trigger = make_trigger(name="Posts", audiences=[])
    subscription = trigger.subscriptions.get()
    content = subscription.template.contents.get()
    ada = make_user(username="ada")
    event = Event(pk=7, verb="post_save", action_object="demo.post:4")
    for row, expected in (
        (trigger, "Posts"),
        (subscription, f"Posts → {subscription.template.name} → email"),
        (content, f"{subscription.template.name} · email"),
        (content.version, f"{subscription.template.name} · email v1"),
        (make_audience(), Audience.objects.get().name),
        # Neither the address nor whose it is.
        (ContactPoint(pk=9, user=ada, channel="sms"), "#9 sms"),
        (event, "#7 post_save demo.post:4"),
        # Never the address.
        (Delivery(pk=8, channel="sms", address="+491"), "#8 sms"),
    ):
        assert str(row) == expected
