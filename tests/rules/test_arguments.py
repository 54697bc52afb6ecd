"""What a signal's arguments are: types that rules are checked by, names that templates read, what is found by
them.
"""

import datetime as dt
import decimal
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from notifier.exceptions import NotifierError, SignalRegistrationError, UnreadablePath
from notifier.explaining import preview, samples
from notifier.models import Audience, Subscription, Template, Trigger
from notifier.rules import arguments, conditions, offers, roots, signals
from notifier.rules.condition_types import check_comparisons
from project.demo.models import Movie
from tests.app.models import Company, Customer, Order
from tests.support.builders import make_trigger
from tests.support.observing import registering

pytestmark = pytest.mark.one_database
register = registering


TYPES = [
    # what is written as the type, what it is called in words
    (Order, "Order"),
    ("shop.Order", "Order"),
    ("auth.User", "User"),
    (Order | None, "Order"),
    (list[Order], "a list, each Order"),
    (list["shop.Order"], "a list, each Order"),  # noqa: F821  # no type of Python's
    (QuerySet[Order], "a list"),  # Django keeps nothing of what stands in the brackets
    (tuple[Order, ...], "a list, each Order"),
    (tuple[Order, int], "a list"),
    (list, "a list"),
    (QuerySet, "a list"),
    (set[str], "a list, each text"),
    (dict, "a dict"),
    (dict[str, int], "a dict"),
    (str, "text"),
    (Order.Status, "text"),
    (bool, "True or False"),
    (int, "a whole number"),
    (decimal.Decimal, "a decimal number"),
    (dt.datetime, "a date with a time"),
    (dt.date, "a date"),
    (uuid.UUID, "a UUID"),
]


@pytest.mark.parametrize(("given", "words"), TYPES)
def test_a_type_is_a_model_or_plain_data_or_a_list_of_one(given, words):
    assert str(arguments.declared("shipped", "it", given)) == words


@pytest.mark.parametrize("given", [None, object, Any])
def test_what_nobody_checks_has_no_type(given):
    assert arguments.declared("shipped", "it", given) is None


class View:
    """No data."""


WRONG = [
    # args, what else is registered, what the error says
    ({"order": "shop.Ordr"}, {}, "argument order is 'shop.Ordr'. There is no such model"),
    ({"order": "Order"}, {}, "There is no such model. Write “app_label.Model”"),
    ({"order": View}, {}, "argument order is View. It is no data"),
    ({"order": View()}, {}, "Write a model"),
    ({"order": 7}, {}, "argument order is 7. Write a model"),
    ({"order": print}, {}, "Write a model"),
    ({"order": Order | Movie}, {}, "one type only"),
    ({"orders": list[View]}, {}, "argument orders is View. It is no data"),
    ({"request": HttpRequest}, {}, "A request is no data, so no event holds it: leave it out"),
    ({"asked": HttpRequest}, {}, "A request is no data"),
    (["request"], {}, "An HttpRequest is no data, so no event holds it: leave it out"),
    ({"order": Order}, {"object": "ordr"}, "has no argument 'ordr' in its args. It has: order"),
    ({"total": int}, {"object": "total"}, "is about its argument total, which is a whole number"),
    ({"order": Order}, {"actor": "who"}, "has no argument 'who'"),
    (["user", "signal_user"], {}, "signal_user, which is what templates read its argument user by"),
    (["not a name"], {}, "'not a name', which no template can name"),
    ([7], {}, "7, which no template can name"),
    (["_order"], {}, "'_order', which no template can name"),
    (7, {}, "are int"),
    (b"order", {}, "are bytes"),
]


@pytest.mark.parametrize(("args", "options", "words"), WRONG)
def test_a_declaration_that_is_wrong_is_refused_with_words(args, options, words):
    with pytest.raises(SignalRegistrationError, match=words.replace("(", r"\(")):
        signals.register_signal("wrongly", Signal(), args, **options)
    assert signals.get("wrongly") is None


ARGS = {
    "order": Order, "orders": list[Order], "found": QuerySet[Order], "reason": str, "number": int,
    "details": dict, "anything": object, "target": Customer, "user": User,
}  # fmt: skip
REFUSED = [
    # what a template says, what is said of it
    ("{{ order.nonsense }}", "“order.nonsense”: order has nothing called “nonsense”"),
    ("{{ order.customer.nonsense }}", "“order.customer.nonsense”"),
    ("{{ order.lines.name }}", "write order.lines.all"),
    ("{% for line in order.lines.all %}{{ line.nonsense }}{% endfor %}", "nonsense"),
    ("{{ orders.number }}", "orders is a list. Write {% for each in orders %}"),
    ("{{ orders.all.0.number }}", "orders is a list"),
    ("{% for each in orders %}{{ each.nonsense }}{% endfor %}", "nonsense"),
    ("{{ orders.0.nonsense }}", "nonsense"),
    ("{% for each in orders.all %}{{ each.number }}{% endfor %}", "orders is a list"),
    ("{{ reason.title }}", "reason is text, which has no “title”. Write reason|title."),
    ("{{ number.real }}", "number is a number, which has no “real”. Write number alone"),
    ("{{ target.nonsense }}", "“target.nonsense”"),
    ("{{ signal_user.nonsense }}", "“signal_user.nonsense”"),
    ("{{ signal_user.password }}", "may be a secret"),
    ("{{ nothing }}", "It has: action_object, actor_object, anything, details, found, number"),
]
TAKEN = [
    "{{ order.number }} {{ order.customer.first_name }} {{ order }} {{ order.get_status_display }}",
    "{% for each in orders %}{{ each.number }}{% endfor %}{{ orders|length }}{{ orders.0.number }}",
    "{% for each in found %}{{ each.number }}{% endfor %}{% for one in found.all %}{{ one }}{% endfor %}",
    "{{ reason }}{{ number }}{{ details.a.b }}{% for key, value in details %}{{ key }}{% endfor %}",
    "{{ anything.nonsense }}",
    "{{ target.first_name }} {{ signal_user.username }} {{ user.username }}",
    "{% for event in events %}{{ event.order.number }}{% endfor %}",
]


def check(text, trigger, *, provided=True):
    content = Template(name="x").contents.model(channel="email", text=text, template=Template(name="x"))
    offers.check_paths(content.compile().paths, trigger, provided=provided)


@pytest.mark.parametrize(("text", "words"), REFUSED)
@pytest.mark.parametrize("place", ["{}", "{{% for event in events %}}{}{{% endfor %}}"])
def test_a_name_that_leads_nowhere_is_refused_as_of_an_instance(register, text, words, place):
    register("shipped", ARGS)
    if place != "{}" and "{% for" not in text:
        text = place.format(text.replace("{{ ", "{{ event."))
    with pytest.raises(Exception, match=re.escape(words.split("“")[-1].rstrip("”")[:30])):
        check(text, Trigger(verb="shipped"))


@pytest.mark.parametrize("text", TAKEN)
def test_a_name_that_leads_somewhere_is_taken(register, text):
    register("shipped", ARGS)
    check(text, Trigger(verb="shipped"))


CONDITIONS = [
    # a condition, what is said of it or nothing
    ("order.nonsense == 1", "nonsense"),
    ("order.total > 100", ""),
    ('order.total > "100"', "“order.total” is a number"),
    ('order.status == "shipped"', 'is one of: "new", "paid"'),
    ("order == 7", "“order” is an object"),
    ('reason == "late"', ""),
    ("reason == 7", "“reason” is text"),
    ("number > 7", ""),
    ('number == "7"', "“number” is a whole number".replace("a whole number", "a number")),
    ("orders|length > 2", ""),
    ("orders > 2", "a list"),
    ("signal_user.is_staff", ""),
    ("user.is_staff", "the person who receives"),
    ("details.a == 1", ""),
    ("anything.at.most == 1", ""),
]


@pytest.mark.parametrize(("condition", "words"), CONDITIONS)
def test_a_condition_is_checked_by_the_types(register, condition, words):
    register("shipped", ARGS)
    trigger = Trigger(verb="shipped")

    def check_condition():
        check_comparisons(conditions.check_condition(condition, trigger), trigger)

    if not words:
        return check_condition()
    with pytest.raises(Exception, match=words):
        check_condition()


PATHS = [
    ("order.owner", ""),
    ("order.nonsense", "nonsense"),
    ("email: order.contact_email", ""),
    ("reason.x", "text"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "words"), PATHS)
def test_a_path_of_an_audience_is_checked_by_the_types(register, path, words):
    register("shipped", ARGS)
    problems = Audience(name="x", paths=path).problems_with(Trigger(verb="shipped"))
    assert bool(words) == bool(problems)
    assert words in "".join(problems)


VALUES = [
    # the declared type, a value, whether it is of it
    (Order, None, True),
    (Order, Movie(), False),
    (Order, "17", False),
    (Customer, Company(), True),
    (Company, Customer(), False),
    (User, SimpleLazyObject(lambda: User(username="ada")), True),
    (User, SimpleLazyObject(lambda: None), True),
    (str, gettext_lazy("late"), True),
    (str, 7, False),
    (Order.Status, Order.Status.PAID, True),
    (Order.Status, "paid", True),
    (float, 7, True),
    (decimal.Decimal, 7, True),
    (int, 7.5, False),
    (int, "7", False),
    (dict, {}, True),
    (dict, [], False),
    (list[Order], [], True),
    (list[Order], (), True),
    (list[Order], Order.objects.none(), True),
    (list, {}, False),
    (list, "abc", False),
    (dt.date, dt.datetime(2026, 1, 1), True),
    (dt.datetime, dt.date(2026, 1, 1), False),
]


@pytest.mark.parametrize(("kind", "value", "fits"), VALUES)
def test_what_is_of_a_type(kind, value, fits):
    assert arguments.declared("shipped", "it", kind).accepts(value) == fits


def test_who_writes_the_signals_own_name_is_told_the_other(register):
    register("liked", ["verb"])
    register("signed_up", {"user": User})
    with pytest.raises(UnreadablePath, match="signal_user"):
        check("{{ member.username }}", Trigger(verb="signed_up"))


@pytest.mark.django_db
def test_a_trigger_that_can_never_match_is_refused(register):
    register("shipped", {"order": Order, "buyer": User, "customer": Customer}, object="order", actor="buyer")
    register("joined", {"customer": Customer}, object="customer")
    wrong = Trigger(name="x", verb="shipped", model="demo.movie")
    with pytest.raises(ValidationError, match="registered with Order as its order, which is never Movie"):
        wrong.full_clean()
    with pytest.raises(ValidationError, match="registered with User as its buyer, which is never Movie"):
        Trigger(name="x", verb="shipped", actor_model="demo.movie").full_clean()
    Trigger(name="x", verb="shipped", model="shop.order", actor_model="auth.user").full_clean()
    # A narrower model narrows what may be read of it, too.
    narrow = Trigger(name="x", verb="joined", model="shop.company", condition='customer.trade_name == "x"')
    narrow.full_clean()
    narrow.model = "shop.customer"
    with pytest.raises(ValidationError, match="trade_name"):
        narrow.full_clean()


@pytest.mark.django_db
def test_the_editor_says_what_nobody_checks(register):
    register("shipped", {"order": Order, "anything": object, "user": object})
    text = "{{ order.number }} {{ anything.nonsense }} {{ signal_user.x }} {{ anything }}"
    trigger = make_trigger(verb="shipped", model="", contents={"email": {"text": text}})
    assert roots.unchecked(trigger) == ["anything", "signal_user"]
    content = Template.objects.get().contents.get()
    errors, warnings = preview.lint(content)
    assert not errors
    how = "Register the signal shipped with its type, as in args="
    assert [each.text for each in warnings if "Not checked" in each.text] == [
        f'Not checked: anything.nonsense. {how}{{"anything": Model}}.',
        f'Not checked: signal_user.x. {how}{{"user": Model}}.',
    ]


def test_sample_data_is_of_the_types(register):
    register("shipped", ARGS)
    tree = {
        "order": {"number": {"": {}}, "status": {"": {}}, "owner": {"email": {"": {}}}},
        "orders": {"*": {"total": {"": {}}}}, "found": {"all": {"*": {"name": {"": {}}}}},
        "number": {"": {}}, "target": {"first_name": {"": {}}}, "signal_user": {"email": {"": {}}},
    }  # fmt: skip
    made = samples.sample_data(tree, Trigger(verb="shipped"))
    assert (made["order"]["status"], made["order"]["owner"]["email"]) == ("new", "ada@example.com")
    assert [each["total"] for each in made["orders"]] == [decimal.Decimal("49.90")] * 2
    assert [each["name"] for each in made["found"]["all"]] == ["Name"] * 2
    assert (made["number"], made["signal_user"]["email"]) == (30, "ada@example.com")


@pytest.mark.django_db
def test_a_subscription_is_checked_by_the_types(register):
    register("shipped", {"order": Order})
    contents = {"email": {"text": "{{ order.nonsense }}"}}
    trigger = make_trigger(verb="shipped", model="", contents=contents)
    subscription = Subscription.objects.get(trigger=trigger)
    with pytest.raises(ValidationError, match="order has nothing called “nonsense”"):
        subscription.full_clean()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ('action == "post_add" and not reverse', ""),
        ('action == "added"', '“action” is never .*It is one of: "pre_add", "post_add"'),
        ("action == 1", "“action” is text"),
        ("action.name", "“action.name”: action is text"),
        ("reverse.x == 1", "“reverse.x”"),
        ("previous.name == 1", "only a save has what was before it"),
    ],
)
def test_a_condition_on_a_relation_knows_its_actions(condition, words):
    trigger = Trigger(verb="m2m_changed", model="auth.user")

    def check_condition():
        check_comparisons(conditions.check_condition(condition, trigger), trigger)

    if not words:
        return check_condition()
    with pytest.raises(NotifierError, match=words):
        check_condition()
