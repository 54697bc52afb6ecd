"""Rules in plain language: what the sentence says of each kind of trigger, condition, channel and
audience.
"""

import pytest
from django.contrib.auth.models import Group

from notifier.explaining import condition_words, summaries
from notifier.models import Trigger
from project.demo.models import FlashSale
from tests.app.models import Order
from tests.support.builders import make_audience, make_subscription, make_trigger, make_user
from tests.support.observing import register, registering

pytestmark = pytest.mark.one_database
register_once = registering

SALE, ORDER = {"verb": "post_save", "model": "demo.flashsale"}, {"verb": "post_save", "model": "shop.order"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (SALE | {"on": "created"}, "a Flash sale is created"),
        (SALE | {"on": "updated"}, "a Flash sale is changed"),
        (SALE, "a Flash sale is created or changed"),
        (ORDER | {"on": "created"}, "an Order is created"),  # with its article
        (SALE | {"object_pk": "7", "on": "updated"}, "the Flash sale 7 is changed"),
        (ORDER | {"verb": "post_delete"}, "an Order is deleted"),
        (ORDER | {"verb": "pre_save"}, "an Order is about to be saved"),
        (ORDER | {"verb": "pre_save", "on": "created"}, "an Order is about to be saved for the first time"),
        (ORDER | {"verb": "m2m_changed"}, "an Order is linked to something else"),
        ({"verb": "user_logged_in"}, "somebody signs in"),
        ({"verb": "notify_audiences"}, "“notify_audiences” is sent"),
        ({"verb": "notify_audiences", "model": "demo.movie"}, "“notify_audiences” is sent about a Movie"),
        (
            {"verb": "notify_audiences", "target": "tonight"},
            "“notify_audiences” is sent with the target “tonight”",
        ),
        (SALE | {"on": "created", "actor_model": "auth.user"}, "a Flash sale is created by a User"),
        (
            SALE | {"on": "created", "actor_model": "auth.user", "actor_pk": "5"},
            "a Flash sale is created by the User 5",
        ),
        ({"verb": "post_save", "on": "created"}, "something is created"),  # half typed
        (
            {"verb": "post_save", "model": "shop.gone", "on": "created"},
            "a shop.gone is created",
        ),  # whose app was taken out since
        (
            SALE | {"on": "created", "condition": "instance.discount_percent > 20"},
            "a Flash sale is created and its discount percent is over 20",
        ),
    ],
)
def test_when_in_words(values, words):
    assert summaries.describe_when(Trigger(**values)) == words


@pytest.mark.parametrize(
    ("model", "condition", "words"),
    [
        (FlashSale, "instance.discount_percent >= 20", "its discount percent is at least 20"),
        (FlashSale, "instance.discount_percent < 5.5", "its discount percent is under 5.5"),
        # An “and” that joins nothing
        (FlashSale, 'instance.title == "Linen and wool"', "its title is “Linen and wool”"),
        (FlashSale, "instance.title != 'Linen'", "its title is not “Linen”"),
        (FlashSale, '"linen" in instance.title', "its title contains “linen”"),
        (FlashSale, "instance.description", "its description is set"),
        (FlashSale, "not instance.description", "its description is not set"),
        (Order, 'instance.status == "paid"', "its status is Paid"),  # as the model calls it
        (Order, "instance.customer.first_name == 'Ada'", "its customer’s first name is “Ada”"),
        (Order, "previous.status != instance.status", "its status has changed"),
        (Order, "instance.status == previous.status", "its status has not changed"),
        (Order, 'previous.status == "new"', "its status was New order"),
        (Order, "instance.placed_at is not None", "its placed at is not empty"),
        (
            Order,
            'previous.status != instance.status and instance.status == "paid"',
            "its status has changed and its status is Paid",
        ),
        (
            Order,
            'instance.total > 100 or instance.status == "paid"',
            "its total is over 100 or its status is Paid",
        ),
        # What words would not say exactly is quoted.
        (
            Order,
            "instance.total > 1 and instance.total < 9 or created",
            "“instance.total > 1 and instance.total < 9 or created” holds",
        ),
        (Order, "instance.lines.all|length > 2", "“instance.lines.all|length > 2” holds"),
        (Order, "actor_object.is_staff", "“actor_object.is_staff” holds"),
        (Order, "previous.total < instance.total", "“previous.total < instance.total” holds"),
        (Order, "instance.total >\n  ", "“instance.total >” holds"),  # half typed
        (Order, "and and", "“and and” holds"),
        (None, "instance.total > 1", "“instance.total > 1” holds"),
    ],
)
def test_a_condition_in_words(model, condition, words):
    assert condition_words.describe(condition, model) == words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("channels", "sources", "words"),
    [
        (["email"], {"everyone": True}, "e-mail all active users"),
        (["email", "sms"], {"everyone": True}, "e-mail and text all active users"),
        (["sms"], {"paths": "instance.owner"}, "text its owner"),
        (
            ["email"],
            {"paths": "movie.audiences\nemail: instance.contact_email"},
            "e-mail the movie’s audiences and its contact email",
        ),
        (["pigeon"], {"callables": ["nearby"]}, "send by pigeon to whom “nearby” finds"),
        (
            ["twitter"],
            {"addresses": "twitter: @shop"},
            "post on X as those in “Ours”",
        ),  # who may read rules need not read addresses
        (["email"], {}, "e-mail nobody (“Ours” is empty)"),
    ],
)
def test_what_is_sent_to_whom_in_words(channels, sources, words):
    audience = make_audience(**sources)
    audience.name = "Ours"
    audience.save()
    trigger = make_trigger(on="created", channels=channels, audiences=[audience])
    assert summaries.describe_trigger(trigger) == f"When a Post is created, {words}."


@pytest.mark.django_db
def test_groups_are_named_and_chosen_people_are_not():
    audience = make_audience(users=[make_user(username="ada")], groups=[Group.objects.create(name="Editors")])
    trigger = make_trigger(on="created", audiences=[audience])
    assert (
        summaries.describe_trigger(trigger)
        == f"When a Post is created, e-mail the group Editors and those in “{audience}”."
    )


@pytest.mark.django_db
def test_several_subscriptions_are_one_sentence_and_those_that_are_off_are_not_in_it():
    trigger = make_trigger(on="created")
    make_subscription(trigger, channels=["sms"], audiences=[make_audience(paths="instance.owner")])
    make_subscription(trigger, channels=["email"], enabled=False)
    assert (
        summaries.describe_trigger(trigger)
        == "When a Post is created, e-mail all active users, and text its owner."
    )
    trigger.subscriptions.update(enabled=False)
    assert summaries.describe_trigger(Trigger.objects.get()) == "When a Post is created, nothing is sent yet."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({}, None),
        ({"enabled": False}, "It is switched off."),
        ({"shadow": True}, "It is only tried"),
        ({"verb": "gone"}, "The signal “gone” is not registered any more"),
    ],
)
def test_what_keeps_a_trigger_from_sending_is_said(values, warning):
    found = list(summaries.warnings(make_trigger(**values)))
    assert [text.startswith(warning) for text in found] == ([True] if warning else [])


def test_a_signal_of_the_projects_own_is_named():
    register("summary_test_signal")
    assert summaries.describe_when(Trigger(verb="summary_test_signal")) == "“summary_test_signal” is sent"


@pytest.mark.parametrize(
    ("condition", "warned"),
    [
        ("", True),
        ('instance.username == "ada"', True),
        ("action ==", True),  # an older release may have taken it
        ('action == "post_add"', False),
        ('instance.is_staff and action == "post_remove"', False),
    ],
)
def test_a_relation_whose_changes_would_be_told_twice_is_warned_of(condition, warned):
    found = list(summaries.relation_warnings(Trigger(verb="m2m_changed", condition=condition)))
    assert bool(found) == warned
    assert all('action == "post_add"' in text for text in found)
    assert list(summaries.relation_warnings(Trigger(verb="post_save", condition=condition))) == []


def test_what_a_condition_reads_of_an_unknown_argument_is_said(register_once):
    register_once("shipped", {"order": Order, "anything": object})
    trigger = Trigger(verb="shipped", condition="order.total > 1 and anything.nonsense and anything")
    (text,) = summaries.unchecked_warnings(trigger)
    assert text.startswith("Not checked in its condition: anything.nonsense. Register the signal shipped")
