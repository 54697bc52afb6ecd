"""“Set up a notification”: one page makes trigger, template, audience and subscription, all or nothing, and
says in words what it does.
"""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.db.models.signals import post_save
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifier.admin.setup import insertables, words
from notifier.models import Audience, Event, Subscription, Template, TemplateContent, Trigger
from notifier.rules import audiences
from notifier.templating.compiler import compile_part
from project.demo.models import FlashSale, Post
from tests.admin.browser import filled_in, form_values, saved, text_of
from tests.support.builders import make_audience, make_template, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

SETUP, FACTS = "/admin/notifier/trigger/setup/", "/admin/notifier/trigger/setup/facts/"
MAIL = {
    "channels": ["email"],
    "email_subject": "{{ instance.title }}",
    "email_body": "<p>Hello {{ user.first_name }}</p>",
}
SALE = {"when": "post_save:created", "model": "demo.flashsale"} | MAIL
MODELS = [Trigger, Template, TemplateContent, Audience, Subscription]
SET_UP = ("add_trigger", "add_subscription", "add_template", "add_audience", "view_template", "view_audience")


def set_up(client, values):
    """Send the page's form as a browser does, with ``values``."""
    page = text_of(client.get(SETUP))
    return client.post(SETUP, filled_in(form_values(page, "setup_form"), values))


def errors_of(response):
    assert response.status_code == 200, "It was accepted."
    return {field: list(texts) for field, texts in response.context["form"].errors.items()}


def facts_of(client, values):
    return client.post(FACTS, filled_in(form_values(text_of(client.get(SETUP)), "setup_form"), values)).json()


# What comes of it


@pytest.mark.django_db(transaction=True)
def test_a_flash_sale_is_set_up_on_one_page_and_sent(admin_client, cloud, pump):
    get_user_model().objects.update(email="")
    make_user(first_name="Ada", email="ada@example.com")
    values = SALE | {
        "channels": ["email", "sms"],
        "sms_text": "{{ instance.title }}!",
        "condition": "instance.discount_percent > 0",
    }
    assert saved(set_up(admin_client, values))
    FlashSale.objects.create(
        title="Linen", discount_percent=30, ends_at="2030-01-31T22:00Z", url="https://shop.example.com/"
    )
    pump.drain()
    assert [(message.recipient, message.subject, message.text) for message in cloud.outbox()] == [
        ("ada@example.com", "Linen", "Hello Ada")
    ]


def test_each_row_is_named_after_what_it_does_and_written_into_the_log(admin_client, admin_user):
    assert saved(set_up(admin_client, SALE))
    trigger, template, audience = Trigger.objects.get(), Template.objects.get(), Audience.objects.get()
    assert (trigger.name, template.name, audience.name) == (
        "A Flash sale is created",
        "a-flash-sale-is-created",
        "Everyone",
    )
    assert (trigger.verb, trigger.on, trigger.enabled, trigger.shadow) == (
        "post_save",
        "created",
        True,
        False,
    )
    logged = {
        (entry.user, entry.content_type.model, entry.object_repr, entry.is_addition())
        for entry in LogEntry.objects.all()
    }
    assert logged == {
        (admin_user, row._meta.model_name, str(row), True)
        for row in (trigger, template, audience, Subscription.objects.get())
    }


def test_a_second_one_gets_names_of_its_own_and_the_same_everyone(admin_client):
    for _ in range(2):
        assert saved(set_up(admin_client, SALE))
    assert set(Trigger.objects.values_list("name", flat=True)) == {
        "A Flash sale is created",
        "A Flash sale is created 2",
    }
    assert Template.objects.count() == 2
    assert Audience.objects.count() == 1


def test_what_comes_next_is_said_and_only_tried_means_that_nothing_is_sent(admin_client):
    response = set_up(admin_client, SALE | {"shadow": "on"})
    assert saved(response)
    page = text_of(admin_client.get(response.url))
    assert f"/admin/notifier/trigger/{Trigger.objects.get().pk}/change/" == response.url
    assert "only tried for now" in page
    assert f"/admin/notifier/template/{Template.objects.get().pk}/change/" in page
    assert Trigger.objects.get().shadow


@pytest.mark.parametrize(
    ("written", "column"),
    [("<p>Hello</p>", "html"), ("Hello,\nAda <3 you", "text")],  # which is no HTML
)
def test_a_body_is_html_or_plain_text_as_it_looks(admin_client, written, column):
    assert saved(set_up(admin_client, SALE | {"email_body": written}))
    assert getattr(TemplateContent.objects.get(), column) == written


@pytest.mark.parametrize(
    ("values", "sources"),
    [
        ({"whom": "everyone"}, {"everyone": True}),
        ({"whom": "paths", "paths": "email: instance.url"}, {"paths": "email: instance.url"}),
        (
            {"whom": "addresses", "addresses": "email: ops@example.com"},
            {"addresses": "email: ops@example.com"},
        ),
        # What was typed before somebody chose something else counts for nothing.
        ({"whom": "everyone", "addresses": "nonsense", "paths": "..."}, {"everyone": True}),
    ],
)
def test_whom_becomes_an_audience(admin_client, values, sources):
    assert saved(set_up(admin_client, SALE | values))
    audience = Audience.objects.get()
    kept = {name: getattr(audience, name) for name in ("everyone", "paths", "addresses")}
    assert kept == {"everyone": False, "paths": "", "addresses": ""} | sources


def test_groups_and_people_become_an_audience(admin_client):
    group, person = Group.objects.create(name="Editors"), make_user()
    assert saved(set_up(admin_client, SALE | {"whom": "groups", "groups": [group.pk]}))
    assert saved(set_up(admin_client, SALE | {"whom": "users", "users": [person.pk]}))
    first, second = Audience.objects.order_by("pk")
    assert (list(first.groups.all()), list(second.users.all())) == ([group], [person])


def test_a_template_and_an_audience_that_are_there_are_used(admin_client):
    template, audience = (
        make_template({"email": {"text": "{{ instance.title }}"}}),
        make_audience(paths="email: instance.url"),
    )
    values = {"what": "choose", "template": template.pk, "whom": "audience", "audience": audience.pk}
    assert saved(set_up(admin_client, SALE | values))
    subscription = Subscription.objects.get()
    assert (subscription.template, list(subscription.audiences.all())) == (template, [audience])
    assert (Template.objects.count(), Audience.objects.count()) == (1, 1)


# What is refused


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"model": ""}, "model", "Choose what it must happen to."),
        ({"when": "no_such:any"}, "when", "not one of the available choices"),
        ({"channels": []}, "channels", "Choose at least one channel."),
        ({"email_subject": ""}, "email_subject", "Write a subject."),
        ({"email_body": ""}, "email_body", "Write a text"),
        (
            {"email_subject": "{{ instance.colour }}"},
            "email_subject",
            "flash sale has nothing called “colour”",
        ),
        ({"email_body": "<p>{{ movie.title }}</p>"}, "email_body", "the signal post_save has no “movie”"),
        ({"email_body": "{% load static %}"}, "email_body", "load"),
        ({"what": "choose"}, "template", "Choose a template."),
        ({"whom": "groups"}, "groups", "Choose at least one group."),
        ({"whom": "users"}, "users", "Choose at least one person."),
        ({"whom": "audience"}, "audience", "Choose an audience."),
        ({"whom": "paths"}, "paths", "Write at least one name"),
        ({"whom": "paths", "paths": "instance.owner"}, "paths", "flash sale has nothing called “owner”"),
        ({"whom": "addresses", "addresses": "ops@example.com"}, "addresses", "write the channel first"),
        ({"name": "x" * 101}, "name", "at most 100 characters"),
    ],
)
def test_what_cannot_work_is_said_at_its_field_and_nothing_is_saved(admin_client, changes, field, text):
    found = errors_of(set_up(admin_client, SALE | changes))
    assert list(found) == [field]
    assert text in found[field][0]
    assert not any(model.objects.exists() for model in MODELS)


def test_everything_that_is_wrong_is_said_at_once(admin_client):
    wrong = {
        "email_subject": "{{ instance.a }}",
        "email_body": "{{ instance.b }}",
        "channels": ["email", "sms"],
        "whom": "groups",
    }
    assert set(errors_of(set_up(admin_client, SALE | wrong))) == {
        "email_subject",
        "email_body",
        "sms_text",
        "groups",
    }


def test_a_chosen_template_and_audience_are_checked_against_what_happens(admin_client):
    template, audience = (
        make_template({"email": {"text": "{{ instance.body }}"}}),
        make_audience(paths="instance.owner"),
    )
    values = {"what": "choose", "template": template.pk, "whom": "audience", "audience": audience.pk}
    found = errors_of(set_up(admin_client, SALE | values))
    assert "flash sale has nothing called “body”" in found["template"][0]
    assert "flash sale has nothing called “owner”" in found["audience"][0]


def test_a_name_that_is_taken_is_refused(admin_client):
    assert saved(set_up(admin_client, SALE | {"name": "Sales"}))
    assert errors_of(set_up(admin_client, SALE | {"name": "Sales"})) == {
        "name": ["Trigger with this Name already exists."]
    }


def test_a_failure_half_way_leaves_nothing(admin_client, monkeypatch):
    def fail(**_signal):
        raise ZeroDivisionError

    # A project whose requests are no transactions.
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", False)
    post_save.connect(fail, sender=Subscription)
    try:
        with pytest.raises(ZeroDivisionError):
            set_up(admin_client, SALE)
    finally:
        post_save.disconnect(fail, sender=Subscription)
    assert not any(model.objects.exists() for model in MODELS)
    assert not LogEntry.objects.exists()


def test_more_people_than_the_setting_are_asked_about_once_more(admin_client, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": 2}
    for _ in range(2):
        make_user()
    asked = set_up(admin_client, SALE)
    assert "One event of “A Flash sale is created” goes to 3 people." in text_of(asked)
    assert not any(model.objects.exists() for model in MODELS)
    again = {name: value for name, value in asked.context["again"]}
    # Who goes back finds what was typed.
    assert form_values(text_of(admin_client.post(SETUP, again | {"change": "yes"})), "setup_form")[
        "model"
    ] == ["demo.flashsale"]
    assert saved(admin_client.post(SETUP, again | {asked.context["token_name"]: asked.context["token"]}))
    assert saved(set_up(admin_client, SALE | {"shadow": "on"}))


# Who may


@pytest.mark.parametrize("missing", ["add_trigger", "add_subscription"])
def test_somebody_who_may_not_add_rules_may_not_set_one_up(client_with, missing):
    client = client_with(*(name for name in SET_UP if name != missing))
    for answer in client.get(SETUP), client.post(SETUP, SALE), client.post(FACTS, SALE):
        assert answer.status_code == 403
    assert "Set up" not in client.get("/admin/").content.decode()


def test_somebody_who_may_only_use_what_is_there_is_offered_nothing_else(client_with):
    template, audience = make_template({"email": {"text": "."}}), make_audience(everyone=True)
    client = client_with("add_trigger", "add_subscription", "view_template", "view_audience")
    form = client.get(SETUP).context["form"]
    assert [[value for value, _ in form.fields[name].choices] for name in ("what", "whom")] == [
        ["choose"],
        ["audience"],
    ]
    values = SALE | {"template": template.pk, "audience": audience.pk}
    assert set(errors_of(client.post(SETUP, values | {"what": "write", "whom": "everyone"}))) >= {
        "what",
        "whom",
    }
    assert saved(client.post(SETUP, values | {"what": "choose", "whom": "audience"}))


def test_people_and_groups_are_offered_to_those_who_may_look_at_them(client_with, admin_client):
    def offered(client):
        return {value for value, _ in client.get(SETUP).context["form"].fields["whom"].choices}

    assert offered(admin_client) >= {"groups", "users"}
    assert offered(client_with(*SET_UP)).isdisjoint({"groups", "users"})


def test_it_is_a_post_with_the_pages_token(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(SETUP, SALE).status_code == 403
    assert client.get(FACTS).status_code == 405


# What the page says


@pytest.mark.parametrize(
    ("values", "summary"),
    [
        (SALE, "When a Flash sale is created, e-mail all active users (1 person today)."),
        (
            SALE | {"condition": "instance.discount_percent > 20", "channels": ["sms", "email"]},
            "When a Flash sale is created and its discount percent is over 20, e-mail and text "
            "all active users (1 person today).",
        ),
        (
            SALE | {"whom": "paths", "paths": "instance.owner"},
            "When a Flash sale is created, e-mail its owner.",
        ),
        (
            SALE | {"whom": "addresses", "addresses": "email: ops@example.com"},
            "When a Flash sale is created, e-mail ops@example.com (1 person today).",
        ),
        (SALE | {"whom": "groups"}, "When a Flash sale is created, e-mail nobody yet."),
        (SALE | {"channels": []}, "When a Flash sale is created, nothing is sent yet."),
        ({"model": ""}, "When something is created, e-mail all active users (1 person today)."),
    ],
)
def test_the_sentence_follows_what_is_typed(admin_client, values, summary):
    assert facts_of(admin_client, values)["summary"] == summary


def test_the_people_are_counted_as_they_are_today_and_each_once(admin_client):
    groups = [Group.objects.create(name=name) for name in ("Editors", "Sellers")]
    ada, bo, ivy = (make_user(username=name, is_active=name != "ivy") for name in ("ada", "bo", "ivy"))
    for person, theirs in ((ada, groups), (bo, groups[:1]), (ivy, groups)):
        person.groups.set(theirs)
    values = SALE | {"whom": "groups", "groups": [group.pk for group in groups]}
    assert facts_of(admin_client, values)["summary"].endswith(
        "e-mail the group Editors and the group Sellers (2 people today)."
    )
    audience = make_audience(users=[ada, ivy], groups=groups)
    chosen = facts_of(admin_client, SALE | {"whom": "audience", "audience": audience.pk})
    assert chosen["summary"].endswith("(2 people today).")


def test_no_more_people_are_counted_than_anybody_reads(admin_client, monkeypatch):
    monkeypatch.setattr(words, "MOST_COUNTED", 2)
    for _ in range(5):
        make_user()
    with CaptureQueriesContext(connection) as captured:
        assert facts_of(admin_client, SALE)["summary"].endswith("(more than 2 people today).")
    counts = [
        query["sql"] for query in captured if "COUNT(*)" in query["sql"] and "auth_user" in query["sql"]
    ]
    assert counts
    assert all("LIMIT 3" in sql for sql in counts)


@pytest.mark.parametrize(
    ("when", "model"),
    [
        ("post_save:created", "demo.flashsale"),
        ("post_save:any", "shop.order"),
        ("post_delete:any", "shop.parcel"),
        ("m2m_changed:any", "demo.movie"),
        ("user_logged_in:any", ""),
        ("notify_audiences:any", "demo.movie"),
    ],
)
def test_the_texts_to_start_from_and_every_name_that_is_offered_can_be_saved(admin_client, when, model):
    found = facts_of(admin_client, {"when": when, "model": model})
    start, chips = found["start"], found["chips"]
    assert all(
        compile_part(source, html=part == "body").paths for part, source in start.items() if "{{" in source
    )
    offered = " ".join(name for _words, name in chips["texts"])
    people = [path for _words, path in chips["paths"]]
    values = {"when": when, "model": model, "channels": ["email", "sms"], "sms_text": offered}
    values |= {"email_subject": start["subject"], "email_body": start["body"]}
    values |= {"whom": "paths", "paths": "\n".join(people)} if people else {}
    assert saved(set_up(admin_client, values))


def test_the_people_that_an_object_names_are_found_also_one_relation_away():
    assert insertables.for_audiences(Trigger(verb="post_save", model="shop.order")) == [
        ("Contact email", "email: instance.contact_email"),
        ("Owner", "instance.owner"),
        ("Watchers", "instance.watchers"),
    ]
    found = [
        path for _words, path in insertables.for_audiences(Trigger(verb="post_save", model="shop.parcel"))
    ]
    assert "instance.order.owner" in found
    assert ("Audiences", "movie.audiences") in insertables.for_audiences(
        Trigger(verb="notify_audiences", model="demo.movie")
    )


def test_what_a_thing_was_before_is_offered_for_changes_alone():
    def offered(on):
        return [
            text
            for _words, text in insertables.for_conditions(
                Trigger(verb="post_save", model="demo.post", on=on)
            )
        ]

    assert "previous.title != instance.title" in offered("updated")
    assert not [text for text in offered("created") if "previous" in text]


def test_functions_of_the_project_can_be_chosen(admin_client, monkeypatch):
    monkeypatch.setattr(audiences, "_callables", {"nearby": lambda event: []})
    assert saved(set_up(admin_client, SALE | {"whom": "callables", "callables": ["nearby"]}))
    assert Audience.objects.get().callables == ["nearby"]


# The way there


def test_an_empty_database_leads_to_it_from_the_first_page_and_the_list(admin_client):
    assert admin_client.get("/admin/").url == SETUP
    assert "Nothing is sent yet" in text_of(admin_client.get("/admin/notifier/trigger/"))
    assert saved(set_up(admin_client, SALE))
    assert admin_client.get("/admin/").url == "/admin/notifier/overview/"
    assert "Nothing is sent yet" not in text_of(admin_client.get("/admin/notifier/trigger/"))


def test_who_may_neither_set_up_nor_see_what_was_sent_gets_the_plain_first_page(client_with):
    assert "Site administration" in text_of(client_with("view_template").get("/admin/"))


def test_what_is_set_up_is_live_at_once(admin_client):
    assert saved(set_up(admin_client, SALE | {"model": "demo.post"}))
    Post.objects.create(title="First")
    assert Event.objects.count() == 1
