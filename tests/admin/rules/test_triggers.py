"""Triggers in the admin, with their subscriptions on the same page: set up by a person, live at once, refused
where they cannot work.
"""

import datetime as dt
import re

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from notifier.channels import registry
from notifier.channels.registry import channel_names
from notifier.models import Audience, Event, RuleCount, Subscription, Template, Trigger
from project.demo.models import FlashSale, Post
from tests.admin.browser import errors_in, read_form, saved, submit, text_of
from tests.support.builders import make_audience, make_subscription, make_template, make_trigger
from tests.support.observing import register

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

ADD, LIST = "/admin/notifier/trigger/add/", "/admin/notifier/trigger/"
POSTS = {"name": "Posts", "verb": "post_save", "model": "demo.post"}
# What the form of a new flash sale sends.
SALE = {
    "title": "Linen",
    "discount_percent": 30,
    "url": "https://shop.example.com/",
    "ends_at_0": "2030-01-31",
    "ends_at_1": "22:00",
}


def page_of(trigger):
    return f"/admin/notifier/trigger/{trigger.pk}/change/"


def subscription(*, number=0, template, channels=("email",), audiences=()):
    """The values of one subscription in the trigger's form."""
    audiences = audiences or [make_audience(everyone=True)]
    return {
        f"subscriptions-{number}-template": str(template.pk),
        f"subscriptions-{number}-channels": list(channels),
        f"subscriptions-{number}-audiences": [str(audience.pk) for audience in audiences],
    }


# The whole thing


@pytest.mark.django_db(transaction=True)
def test_a_flash_sale_is_set_up_in_the_admin_alone_and_sent(admin_client, admin_user, cloud, pump):
    get_user_model().objects.filter(pk=admin_user.pk).update(email="")

    password = {"password1": "linen-and-wool", "password2": "linen-and-wool"}
    assert saved(submit(admin_client, "/admin/auth/user/add/", {"username": "ada", **password}))
    ada = get_user_model().objects.get(username="ada")
    assert saved(
        submit(
            admin_client,
            f"/admin/auth/user/{ada.pk}/change/",
            {"first_name": "Ada", "email": "ada@example.com"},
        )
    )
    assert saved(
        submit(
            admin_client,
            "/admin/notifier/contactpoint/add/",
            {"user": ada.pk, "channel": "sms", "address": "+447400123401"},
        )
    )

    assert saved(
        submit(admin_client, "/admin/notifier/audience/add/", {"name": "Everyone", "everyone": "on"})
    )
    contents = {
        "contents-TOTAL_FORMS": "2",
        "contents-0-channel": "email",
        "contents-0-subject": "{{ instance.title }}: {{ instance.discount_percent }}% off",
        "contents-0-html": "<p>Hello {{ user.first_name }}, <a href='{{ instance.url }}'>come in</a></p>",
        "contents-1-channel": "sms",
        "contents-1-text": "{{ instance.title }}, {{ user.first_name }}!",
    }
    assert saved(submit(admin_client, "/admin/notifier/template/add/", {"name": "flash_sale", **contents}))
    rule = subscription(
        template=Template.objects.get(),
        channels=["email", "sms"],
        audiences=[Audience.objects.get(name="Everyone")],
    )
    assert saved(
        submit(
            admin_client,
            ADD,
            {"name": "Sales", "verb": "post_save", "model": "demo.flashsale", "on": "created", **rule},
        )
    )

    assert saved(submit(admin_client, "/admin/demo/flashsale/add/", SALE))
    pump.drain()

    sent = {(message.channel, message.recipient, message.subject, message.text) for message in cloud.outbox()}
    assert sent == {
        ("email", "ada@example.com", "Linen: 30% off", "Hello Ada, come in (https://shop.example.com/)"),
        ("sms", "+447400123401", "", "Linen, Ada!"),
    }


def test_a_change_in_the_admin_is_live_at_once(admin_client):
    trigger = make_trigger()
    Post.objects.create(title="First")
    assert saved(submit(admin_client, page_of(trigger), {"enabled": None}))
    Post.objects.create(title="Second")
    assert saved(submit(admin_client, page_of(trigger), {"enabled": "on", "model": "demo.flashsale"}))
    Post.objects.create(title="Third")
    assert Event.objects.count() == 1


# The form


def test_a_new_trigger_and_its_subscriptions_are_saved_in_one_go(admin_client):
    first, second = make_template(), make_template()
    values = subscription(number=0, template=first) | subscription(number=1, template=second)
    assert saved(submit(admin_client, ADD, POSTS | values | {"subscriptions-TOTAL_FORMS": "2"}))
    assert list(Subscription.objects.values_list("trigger__name", "template")) == [
        ("Posts", first.pk),
        ("Posts", second.pk),
    ]


def test_a_form_that_is_sent_back_unchanged_changes_nothing(admin_client):
    trigger = make_trigger(
        on="created",
        actor_model="auth.user",
        contents={"email": {"text": "a"}, "sms": {"text": "b"}},
        channels=["sms"],
    )
    before = (Trigger.objects.values().get(), Subscription.objects.values().get())
    assert saved(submit(admin_client, page_of(trigger), {}))
    assert (Trigger.objects.values().get(), Subscription.objects.values().get()) == before


def test_the_order_of_the_channels_and_times_with_their_units_are_kept_and_can_be_changed(admin_client):
    both = {"email": {"text": "a"}, "sms": {"text": "b"}}
    trigger = make_trigger(subscribe=False, delay_minutes=90)
    make_subscription(trigger, contents=both, channels=["sms", "email"], order="first", digest_minutes=120)
    before = (Trigger.objects.values().get(), Subscription.objects.values().get())
    assert saved(submit(admin_client, page_of(trigger), {}))
    assert (Trigger.objects.values().get(), Subscription.objects.values().get()) == before
    # Checked boxes are sent in the order of the page.
    changed = {
        "subscriptions-0-channels": ["email", "sms"],
        "subscriptions-0-throttle_number": "3",
        "subscriptions-0-throttle_minutes_0": "1",
        "subscriptions-0-throttle_minutes_1": "days",
        "delay_minutes_0": "",
    }
    assert saved(submit(admin_client, page_of(trigger), changed))
    subscription = Subscription.objects.get()
    assert (subscription.channels, subscription.throttle_number, subscription.throttle_minutes) == (
        ["email", "sms"],
        3,
        1440,
    )
    assert Trigger.objects.get().delay_minutes is None
    assert "only the newest would be shown" in text_of(admin_client.get(LIST))


def test_a_trigger_without_a_subscription_is_saved_and_says_that_nothing_is_sent(admin_client):
    response = submit(admin_client, ADD, POSTS)
    assert saved(response)
    assert "no subscription that is switched on" in text_of(admin_client.get(LIST))


def test_a_trigger_with_a_subscription_says_no_such_thing(admin_client):
    assert saved(submit(admin_client, ADD, POSTS | subscription(template=make_template())))
    assert "no subscription" not in text_of(admin_client.get(LIST))


def test_signals_of_the_project_can_be_chosen_and_those_of_django_are_explained(admin_client):
    register("rules_test_signal")
    page = text_of(admin_client.get(ADD))
    assert "post_save: it was saved" in page
    own = page.partition('<optgroup label="This project">')[2].partition("</optgroup>")[0]
    assert 'value="rules_test_signal"' in own
    assert "post_" not in own
    assert "request_" not in own


def test_a_channel_of_another_app_can_be_chosen_as_soon_as_it_is_registered(admin_client, monkeypatch):
    monkeypatch.setattr(registry, "_registered", set())
    assert 'value="pigeon"' not in text_of(admin_client.get(ADD))
    registry.register_channel("pigeon")
    assert 'value="pigeon"' in text_of(admin_client.get(ADD))
    assert saved(
        submit(
            admin_client,
            ADD,
            POSTS | subscription(template=make_template({"pigeon": {"text": "Coo"}}), channels=["pigeon"]),
        )
    )


def test_the_notifiers_own_tables_cannot_trigger_anything(admin_client):
    assert 'value="notifier.' not in text_of(admin_client.get(ADD))


# What is refused, and where the form says so


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"model": ""}, "model", "The signal post_save needs a model."),
        ({"verb": "no_such"}, "verb", "no_such is not one of the available choices"),
        ({"model": "demo.nothing"}, "model", "demo.nothing is not one of the available choices"),
        ({"object_pk": "seven"}, "object_pk", "must be an integer"),
        ({"actor_pk": "1"}, "actor_pk", "A primary key needs its model."),
        ({"name": ""}, "name", "required"),
    ],
)
def test_a_trigger_that_cannot_fire_is_refused_at_its_field(admin_client, changes, field, text):
    response = submit(admin_client, ADD, POSTS | changes)
    assert list(errors_in(response)) == [field]
    assert text in errors_in(response)[field][0]
    assert not Trigger.objects.exists()


@pytest.mark.parametrize("is_new", [True, False])
def test_an_unknown_channel_is_refused(admin_client, is_new):
    path = ADD if is_new else page_of(make_trigger(name="Posts"))
    values = subscription(template=make_template(), channels=["email", "fax"])
    text = f"No such channel: fax. There are: {', '.join(channel_names())}."
    assert errors_in(submit(admin_client, path, POSTS | values)) == {"subscriptions-0-channels": [text]}


def test_a_subscription_without_a_channel_is_refused(admin_client):
    response = submit(admin_client, ADD, POSTS | subscription(template=make_template(), channels=[]))
    assert errors_in(response) == {"subscriptions-0-channels": ["Choose at least one channel."]}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_template_without_a_content_for_a_channel_is_refused(admin_client, is_new):
    template = make_template()
    path = ADD if is_new else page_of(make_trigger(name="Posts"))
    response = submit(
        admin_client, path, POSTS | subscription(template=template, channels=["email", "sms", "twitter"])
    )
    assert errors_in(response) == {
        "subscriptions-0-template": [f"The template “{template}” has no content for: sms, twitter."]
    }


@pytest.mark.parametrize("is_new", [True, False])
def test_a_path_that_the_triggers_model_lacks_is_pointed_at(admin_client, is_new):
    template = make_template({"email": {"subject": "Sale", "html": "<p>{{ instance.discount_percent }}</p>"}})
    trigger = None if is_new else make_trigger(name="Posts", subscribe=False)
    values = {"subscriptions-TOTAL_FORMS": "1"} | subscription(template=template)
    response = submit(admin_client, ADD if is_new else page_of(trigger), POSTS | values)
    [text] = errors_in(response)["subscriptions-0-template"]
    assert text.startswith(
        "email, html: “instance.discount_percent”: post has nothing called “discount_percent”"
    )
    assert not Subscription.objects.exists()


def test_a_trigger_cannot_be_turned_to_a_model_that_its_templates_do_not_fit(admin_client):
    contents = {"email": {"text": "{{ instance.discount_percent }}"}}
    trigger = make_trigger(model="demo.flashsale", contents=contents)
    response = submit(admin_client, page_of(trigger), {"model": "demo.post"})
    assert list(errors_in(response)) == ["subscriptions-0-template"]
    assert Trigger.objects.get().model == "demo.flashsale"


def test_a_new_subscription_is_checked_against_the_trigger_as_it_is_typed_now(admin_client):
    trigger = make_trigger(subscribe=False)
    template = make_template({"email": {"text": "{{ instance.discount_percent }}"}})
    values = {"subscriptions-TOTAL_FORMS": "1"} | subscription(template=template)
    assert saved(submit(admin_client, page_of(trigger), {"model": "demo.flashsale", **values}))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("instance.owner", "post has nothing called “owner”"),
        ("movie.audiences", "the signal post_save has no “movie”"),
        ("user.email", "“user” is who receives it"),
    ],
)
def test_an_audience_that_names_what_the_event_lacks_is_refused(admin_client, path, text):
    audience = make_audience(paths=path)
    response = submit(admin_client, ADD, POSTS | subscription(template=make_template(), audiences=[audience]))
    [found] = errors_in(response)["subscriptions-0-audiences"]
    assert found.startswith(f"{audience}: “{path}”")
    assert text in found


def test_an_audience_may_name_a_relation_to_many_people(admin_client):
    values = subscription(
        template=make_template(), audiences=[make_audience(paths="instance.audiences\nemail: instance.title")]
    )
    assert saved(submit(admin_client, ADD, POSTS | {"model": "demo.movie"} | values))


# The list


def test_the_list_says_when_and_what_and_to_whom(admin_client):
    everyone = make_audience(everyone=True)
    trigger = make_trigger(on="created", model="demo.flashsale", audiences=[everyone])
    make_subscription(trigger, audiences=[], enabled=False)
    page = text_of(admin_client.get(LIST))
    first, second = trigger.subscriptions.all()
    assert "Flash sale is created" in page
    template = '<a href="/admin/notifier/template/{0.pk}/change/">{0}</a>'
    audience = f'<a href="/admin/notifier/audience/{everyone.pk}/change/">{everyone}</a>'
    assert f"{template.format(first.template)} → email → {audience}" in page
    assert f"{template.format(second.template)} → email → – (off)" in page
    assert f'href="/admin/notifier/event/?trigger__id__exact={trigger.pk}"' in page


def test_the_list_takes_as_many_queries_for_thirty_triggers_as_for_three(queries_of):
    for _ in range(3):
        make_trigger()
    few = queries_of(LIST)
    for _ in range(27):
        make_trigger()
    assert queries_of(LIST) == few


def test_the_form_takes_no_query_more_for_each_template_or_user(queries_of):
    trigger = make_trigger()
    few = queries_of(page_of(trigger))
    for _ in range(10):
        make_template()
        make_audience()
    assert queries_of(page_of(trigger)) == few


def test_a_trigger_that_was_deleted_takes_its_subscriptions_along_and_leaves_its_events(admin_client):
    trigger = make_trigger()
    Post.objects.create(title="First")
    assert (
        admin_client.post(f"/admin/notifier/trigger/{trigger.pk}/delete/", {"post": "yes"}).status_code == 302
    )
    assert not Subscription.objects.exists()
    assert Event.objects.count() == 1


def test_somebody_who_may_only_look_sees_the_trigger_and_cannot_change_it(client_with):
    trigger = make_trigger()
    client = client_with("view_trigger", "view_subscription")
    assert trigger.name in text_of(client.get(page_of(trigger)))
    assert (
        client.post(page_of(trigger), read_form(client, page_of(trigger)) | {"name": "Mine"}).status_code
        == 403
    )


def test_flash_sales_have_nothing_to_do_with_the_triggers_of_posts(admin_client):
    make_trigger()
    assert saved(submit(admin_client, "/admin/demo/flashsale/add/", SALE))
    assert FlashSale.objects.count() == 1
    assert not Event.objects.exists()


# What it has sent


def test_its_page_says_what_each_subscription_sent_of_late_and_ever(admin_client, queries_of):
    trigger = make_trigger()
    assert "Nothing was counted yet" in text_of(admin_client.get(page_of(trigger)))
    few = queries_of(page_of(trigger))
    subscription = trigger.subscriptions.get()
    now = timezone.now()
    for days, status, number, of in (
        (0, "sent", 1204, subscription.pk),
        (0, "unknown", 2, subscription.pk),
        (20, "cancelled", 3, subscription.pk),
        (400, "sent", 5, subscription.pk),
        (0, "sent", 7, 999),
    ):
        RuleCount.objects.create(
            hour=now - dt.timedelta(days=days), trigger_id=trigger.pk, subscription_id=of, channel="email",
            status=status, number=number,
        )  # fmt: skip
    page = text_of(admin_client.get(page_of(trigger)))
    table = re.search(r'<table class="notifier-counts">.*?</table>', page, re.S).group()
    words = " ".join(re.sub(r"<[^>]+>", " ", table).split())
    said = "1,204 sent 2 failed 1,204 sent 3 skipped 2 failed 1,209 sent 3 skipped 2 failed"
    assert f"{subscription.template} E-mail {said}" in words
    assert "Subscription 999, deleted since E-mail 7 sent" in words
    assert queries_of(page_of(trigger)) == few
