"""A trigger's condition decides on what its event stores, the same on every database, and what it cannot mean
is refused at save.
"""

import datetime as dt
import logging
import re
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation

from notifier.events import context, matching
from notifier.models import Event, Trigger
from notifier.rules import conditions, signals
from project.demo.models import Post
from tests.app.models import Company, Customer, Line, Order, Parcel
from tests.support.builders import make_trigger, make_user
from tests.support.observing import data_of_the_event, register
from tests.support.statements import statements

KEY = uuid.UUID("0f36bd71-52c2-4a0e-9c5f-3f6c1b7d2c11")
SENT_AT = dt.datetime(2026, 5, 1, 22, 30, tzinfo=dt.UTC)


def make_parcel():
    """One of each type, as code assigns them: the decimal, a number and the key are text until the database
    has them.
    """
    owner = make_user(username="ada", first_name="Ada")
    customer = Customer.objects.create(first_name="Grace")
    order = Order.objects.create(
        id=KEY, number="17", customer=customer, owner=owner, status=Order.Status.PAID, total="120.10"
    )
    order.watchers.set([owner])
    for name in "Shirt", "Sheet":
        Line.objects.create(order=order, name=name)
    return Parcel.objects.create(
        label="Linen & more", size=Parcel.Size.LARGE, weight=0.1, price="19.99", sent_at=SENT_AT,
        due_on=dt.date(2026, 5, 3), due_time=dt.time(9, 30), travel=dt.timedelta(hours=30), tracking=str(KEY),
        order=order,
        details={"color": "red", "tags": ["new", "sale"], "count": 3, "gone": None, "due": {"$t": "date",
         "v": "2026-01-31"}},
    )  # fmt: skip


def context_of(instance, *, created=True, **more):
    kwargs = {"instance": instance, "created": created, "update_fields": None, "using": "default"} | more
    return context.context_of(signals.get("post_save"), type(instance), kwargs)


def row(condition, *, model="shop.parcel", **values):
    return Trigger(
        **{"name": "Parcels", "verb": "post_save", "model": model, "condition": condition} | values
    )


RESULTS = [
    # condition, whether a trigger takes the parcel
    ('instance.label == "Linen & more"', True),
    ("instance.label == 'linen & more'", False),  # capitals count
    ('instance.label|lower == "linen & more"', True),
    ('"Linen" in instance.label', True),
    ('"Wool" not in instance.label', True),
    ("instance.label", True),  # text that is not empty
    ("instance.label|length > 11", True),
    ("instance.size == 2", True),  # a choice, in memory an enum's member
    ("instance.size > 2", False),
    ("instance.size >= 2", True),
    ('instance.get_size_display == "Large"', True),
    ("instance.size|divisibleby:2", True),
    ("instance.size|add:3 == 5", True),
    ("instance.weight == 0.1", True),
    ("instance.weight < 0.2", True),
    ("instance.price == 19.99", True),  # a decimal beside a binary fraction, which Python denies
    ("instance.price > 19.99", False),  # and Python takes for true
    ("instance.price >= 19.99", True),
    ("instance.price < 20", True),
    ("instance.price == instance.order.total", False),
    ("instance.price < instance.order.total", True),  # two fields
    ('instance.price|floatformat:1 == "20.0"', True),
    ('instance.sent_at|date:"Y-m-d" == "2026-05-01"', True),
    ('instance.sent_at|date:"Y-m-d" > "2026-12-01"', False),
    ('instance.due_on|date:"Y-m-d" < "2026-06-01"', True),
    ('instance.due_on|date:"F" == "May"', True),  # in the site's language, whoever is signed in
    ('instance.sent_at|date:"H:i" == "22:30"', True),  # in the site's time zone
    ('instance.due_time|time:"H:i" < "10:00"', True),
    ("instance.sent_at and instance.travel", True),
    ("instance.sent_at == instance.sent_at", True),
    ("instance.travel == instance.travel", True),
    (f'instance.tracking|lower == "{KEY}"', True),
    ("instance.tracking == instance.order.pk", True),  # two UUIDs
    ("instance.tracking == instance.order_id", True),
    ('instance.details.color == "red"', True),
    ('"sale" in instance.details.tags', True),
    ("instance.details.tags|length == 2", True),
    ('instance.details.tags.0 == "new"', True),
    ("instance.details.count > 2", True),
    ('instance.details.count > "2"', False),  # JSON can hold anything: never, and no error
    ("instance.details.gone is None", True),
    (
        'instance.details.due|date:"Y" == "2026"',
        False,
    ),  # somebody's own data, no date of ours
    ("instance.details.never == None", True),  # what is missing is None
    ('instance.details.never != "x"', True),
    ("instance.details.never > 3", False),  # None has no order
    ("not instance.details.never > 3", True),
    ("instance.order", True),
    ('instance.order == "Order 17"', True),  # an object is what it shows
    ('instance.order.customer.first_name == "Grace"', True),  # relations
    ('instance.order.owner.get_full_name == "Ada"', True),
    ('instance.order.get_status_display == "Paid"', True),
    ("instance.order.lines.all|length == 2", True),  # lists
    ('instance.order.lines.all.1.name == "Sheet"', True),
    ("instance.order.owner in instance.order.watchers.all", True),
    ("instance.order == action_object.order", True),
    ('instance.summary == "Linen & more, Large"', True),  # what the model lists
    ("created", True),
    ("created == True", True),
    ("not created", False),
    ('verb == "post_save"', True),
    ("update_fields is None", True),
    ("actor_object", False),  # nobody is known
    ('actor_object.username == "ada"', False),
    ("target is None", True),
    ("previous is None", True),  # of a new object there was nothing
    ("previous", False),
    ("previous.size != instance.size", True),  # so it counts as a change
    ("previous.size > 1", False),
    # `not` binds before `and`, and that before `or`
    ("created or created and not created", True),
    ("not created or created and created", True),
    ("not created and created or created", True),
    ("not instance.size == 1", True),  # not (size == 1)
    ("not created and not created", False),
    ("True", True),
    ("instance.label == None", False),
    ("not " * 90 + "created", True),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("condition", "expected"), RESULTS)
def test_a_condition_is_true_or_false_in_memory_as_from_the_database_and_as_stored(condition, expected):
    trigger, parcel = row(condition), make_parcel()
    trigger.clean()
    compiled = conditions.compile_condition(condition)
    for instance in parcel, Parcel.objects.get():
        context = context_of(instance) | {"previous": None}
        assert (matching.explain_match(trigger, context, True) == "") is expected
        event = Event.objects.create(
            trigger_id=1, verb="post_save", data=compiled.freeze(context), created_at=SENT_AT
        )
        event.refresh_from_db()
        assert compiled.holds(event.data) is expected


REFUSED = [
    # condition, what the error says
    (
        "instance.titel == 1",
        "“instance.titel”: parcel has nothing called “titel” that can be stored. There is: .*label",
    ),
    ("instance.order.custmer", "“instance.order.custmer”: order has nothing called “custmer”"),
    ("invoice.total > 3", "“invoice.total”: the signal post_save has no “invoice”. It has: .*instance"),
    ('user.first_name == "Ada"', "“user” is the person who receives, and is not known yet"),
    ("instance.api_token", "“instance.api_token” cannot be used: “api_token” may be a secret."),
    ("instance.order.owner.password", "“password” may be a secret"),
    ("instance.destroy", "nothing called “destroy” that can be stored"),  # no call
    ("instance.destroy()", r"“instance.destroy\(\)”: there are no brackets here, and nothing is called."),
    ("(created)", r"“\(created\)”: there are no brackets here.*“and” binds more tightly than “or”"),
    ("instance.__class__", "may not begin with underscores"),
    ("instance._state.db", "may not begin with underscores"),
    ("instance..size", "has two dots with nothing between them"),
    (
        "instance.size > 1 %}{% debug %}{% if created",
        "“%}” has no place here. Write only what would stand between {% if and %}.",
    ),
    ("{{ instance.size }}", "“{{” has no place here"),
    ("created {# really #}", "“{#” has no place here"),
    ("created\nor created", "Write the condition on one line."),
    ("created\0", "Write the condition on one line."),
    ("{% if created %}", "“{%” has no place here"),
    ("created" + " or created" * 100, "longer than 1,000 characters"),
    ("not " * 101 + "created", "at most 100 words"),
    ("instance" + ".order" * 30, "has more than 24 parts"),
    ("instance.size = 2", "“=” is not understood here: write == instead."),
    ("created && created", "“&&” is not understood here: write and instead."),
    ("created AND created", "“AND” is not understood here: write and instead."),
    ("created == true", "“true” is not understood here: write True instead."),
    ("instance.size>2", "“instance.size>2”: leave a space before and after >."),
    ("instance.size + 1 > 2", r"“\+”: nothing is calculated here."),
    ("instance.size - 1 > 2", "“-”: nothing is calculated here."),
    ("instance.size-1 > 2", "“instance.size-1”: nothing is calculated here."),
    ("instance.size * 2 > 2", r"“\*”: nothing is calculated here."),
    ('instance.label == "Linen', "a quotation mark is missing"),
    ('_("Linen and more', "A quotation mark is missing."),
    ("instance.size > 1 and", "ends too early: something is missing after “and”."),
    ("and created", "“and” cannot stand where it stands"),
    ("created instance.size", "Before “instance.size” there is no “and”, “or” or comparison"),
    ("instance.size|nonsense", "There is no filter “nonsense” here. Allowed are: .*length"),
    ("instance.label|safe", "There is no filter “safe” here."),
    ("1 < instance.size < 5", "One “<” compares two values. Write each comparison by itself"),
    ("instance.size is 2", "“is” is for None, True and False alone. Write == instead."),
    # Comparisons that could never be true.
    (
        'instance.price == "19.99"',
        '“instance.price” is a number and "19.99" is text: .* Write the number without quotation marks.',
    ),
    ("instance.label == 5", "“instance.label” is text and “5” is a number: .* Write it in quotation marks."),
    ('created == "true"', "Write True or False, without quotation marks."),
    (
        'instance.sent_at > "2026-12-01"',
        '“instance.sent_at” is a date with a time .* instance.sent_at|date:"Y-m-d"',
    ),
    ('"2026-12-01" < instance.due_on', 'Compare its text: instance.due_on|date:"Y-m-d".'),
    ("instance.sent_at > instance.due_on", "Compare their texts, each with .date"),
    ('instance.due_time < "10:00"', 'Compare its text: instance.due_time.time:"H:i".'),
    ("instance.travel > 3600", "“instance.travel” is a duration and “3600” is a number"),
    (f'instance.tracking == "{KEY}"', "Compare its text: instance.tracking.lower."),
    ("instance.order == 17", "“instance.order” is an object and “17” is a number: .* instance.order.pk."),
    ('instance.order > "A"', "“instance.order” is an object"),
    ("instance.order.lines.all > 1", "Compare how many there are: instance.order.lines.all.length."),
    ('instance.order.lines.all|length == "2"', "Write the number without quotation marks."),
    ("instance.price|floatformat:2 > 10", "“instance.price.floatformat:2” is text and “10” is a number"),
    ("instance.size == 7", "“instance.size” is never 7. It is one of: 1, 2."),
    (
        'instance.order.status != "payed"',
        '“instance.order.status” is never "payed". It is one of: "new", "paid".',
    ),
    ('"1" in instance.size', "“instance.size” is a number, and nothing is in it."),
    ('instance.size in "1 2"', "“in” cannot compare them"),
    ("instance.order.lines", "“instance.order.lines” is a list: write instance.order.lines.all"),
    # What was before a save has columns alone.
    ("previous.order.number", "“previous.order.number”: .* the columns alone. Write previous.order_id."),
    ("previous.titel", "“previous.titel”: .* There is: .*label"),
    ('previous.size == "2"', "“previous.size” is a number"),
    ("previous.summary", "“previous.summary”: of what was before a save, there are the columns alone."),
    (
        "instance.label != previous.size",
        "“instance.label” is text and “previous.size” is a number: “!=” cannot compare them.$",
    ),
]


@pytest.mark.parametrize(("condition", "message"), REFUSED)
def test_a_condition_that_cannot_work_is_refused_with_its_word(condition, message):
    with pytest.raises(ValidationError) as refused:
        row(condition).clean()
    assert list(refused.value.message_dict) == ["condition"]
    assert re.search(message, refused.value.messages[0]), refused.value.messages[0]


def test_what_a_signal_without_a_save_has_is_said():
    with pytest.raises(ValidationError, match="“previous.size”: only a save has what was before it"):
        row("previous.size > 1", verb="post_delete").clean()
    with pytest.raises(ValidationError, match="user has nothing called “usernam”"):
        row('actor_object.usernam == "ada"', actor_model="auth.user").clean()
    # Without a model of the actor, it may be anything.
    row('actor_object.usernam == "ada"').clean()
    # A signal may have an argument of that name.
    register("price_changed", args=["previous"])
    row("previous.anything > 3", verb="price_changed", model="").clean()


@pytest.mark.django_db
def test_a_condition_decides_which_save_becomes_an_event_and_the_event_holds_what_it_read():
    make_trigger(
        model="shop.order", condition='instance.total > 100 and instance.customer.first_name == "Grace"'
    )
    grace = Customer.objects.create(first_name="Grace")
    for number, total in ("1", "80"), ("2", "100.00"), ("3", "100.01"):
        Order.objects.create(number=number, total=total, customer=grace)
    data = data_of_the_event()["instance"]
    assert (data["total"], data["customer"]["first_name"], str(data)) == (
        Decimal("100.01"),
        "Grace",
        "Order 3",
    )


@pytest.mark.django_db
def test_signed_in_people_of_other_languages_and_time_zones_change_no_condition():
    make_trigger(model="shop.parcel", subscribe=False, condition='instance.sent_at|date:"F H" == "May 22"')
    with translation.override("de"), timezone.override("Asia/Tokyo"):
        Parcel.objects.create(label="One", sent_at=SENT_AT)
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_an_event_says_why_other_triggers_of_its_model_did_not_match():
    ada = make_user(username="ada")
    values = {"model": "shop.customer", "subscribe": False}
    taken = make_trigger(name="taken", **values)
    make_trigger(name="new ones", on="created", **values)
    make_trigger(name="changed ones", on="updated", **values)
    make_trigger(name="Grace alone", condition='instance.first_name == "Grace" and not created', **values)
    make_trigger(name="one", object_pk="999", **values)
    make_trigger(name="by Ada", actor_model="auth.user", actor_pk=str(ada.pk), **values)
    make_trigger(name="Berlin", target="Berlin", **values)
    make_trigger(name="companies", model="shop.company", subscribe=False)
    make_trigger(name="off", enabled=False, **values)
    make_trigger(name="no condition any more", condition="instance.renamed > 3", **values)
    make_trigger(name="another model", subscribe=False)
    Customer.objects.create(first_name="Ada")
    event = Event.objects.get(trigger=taken)
    found = {each["name"]: each["because"] for each in event.explanation}
    assert {"trigger": taken.pk, "name": "taken", "because": ""} in event.explanation
    assert found.pop("no condition any more").startswith(
        "its condition cannot be used: “instance.renamed”: customer has nothing"
    )
    assert found == {
        "taken": "",
        "new ones": "",
        "changed ones": "only when changed",
        "Grace alone": 'condition is false: instance.first_name is "Ada", created is True',
        "one": "another instance",
        "by Ada": "no actor is known",
        "Berlin": "target is not “Berlin”",
    }


@pytest.mark.django_db
def test_a_subclass_is_explained_by_its_own_triggers_and_its_parents():
    for name, model in (
        ("customers", "shop.customer"),
        ("companies", "shop.company"),
        ("guests", "shop.guest"),
    ):
        make_trigger(
            name=name, model=model, subscribe=False, condition="not created" if name == "companies" else ""
        )
    Company.objects.create(first_name="Ada", trade_name="Linen")
    event = Event.objects.get(trigger__name="customers")
    assert [(each["name"], each["because"]) for each in event.explanation] == [
        ("customers", ""),
        ("companies", "condition is false: created is True"),
    ]


VALUES = [
    # the condition, what the explanation says of what it read
    ("not instance.label", 'instance.label is "Linen & more"'),
    ("instance.price > 20 or instance.price == 0", "instance.price is 19.99"),  # each once
    ("instance.details.never", "instance.details.never is empty"),
    ("not instance.order.lines.all", "instance.order.lines.all is a list of 2"),
    ("not instance.order", 'instance.order is "Order 17"'),
    ("not instance.details", "instance.details is several values"),
    ("not instance.sent_at", "instance.sent_at is 2026-05-01 22:30+00:00"),
    ("instance.size|add:instance.details.count == 7", "instance.size is 2, instance.details.count is 3"),
    ("False", ""),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("condition", "values"), VALUES)
def test_a_false_condition_is_explained_by_what_it_read(condition, values):
    because = matching.explain_match(row(condition), context_of(make_parcel()), True)
    assert because == (f"condition is false: {values}" if values else "condition is false")


def test_an_explanation_is_bounded():
    condition = " and ".join(f"instance.details.a{number}" for number in range(30))
    details = {f"a{number}": "x" * 5000 for number in range(29)}
    because = matching.explain_match(row(condition), context_of(Parcel(details=details)), True)
    assert because.startswith(
        f'condition is false: instance.details.a0 is "{"x" * 59}…", instance.details.a1 is'
    )
    assert len(because) < 550


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("condition", "error"),
    [("instance.broken", "ZeroDivisionError"), ("not instance.broken_query|length == 1", "Error")],
)
def test_a_condition_that_raises_does_not_match_is_logged_once_and_breaks_nothing(condition, error, caplog):
    make_trigger(name="broken", model="shop.parcel", subscribe=False, condition=condition)
    make_trigger(name="whole", model="shop.parcel", subscribe=False)
    with caplog.at_level(logging.WARNING, "notifier"), transaction.atomic():
        for label in "One", "Two":
            Parcel.objects.create(label=label)
        # The caller's transaction takes statements still.
        assert Parcel.objects.count() == 2
    assert len([record for record in caplog.records if "cannot be evaluated" in record.message]) == 1
    explanation = Event.objects.filter(trigger__name="whole").first().explanation
    assert Event.objects.count() == 2
    assert error in explanation[1]["because"]


@pytest.mark.django_db
def test_an_unusable_filter_argument_is_no_match_even_under_not():
    make_trigger(model="shop.parcel", subscribe=False, condition="not instance.size|divisibleby:0")
    Parcel.objects.create(label="One")
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_condition_costs_no_query_but_that_of_another_row_which_it_names():
    customer = Customer.objects.create(first_name="Grace")
    make_trigger(
        model="shop.order",
        subscribe=False,
        condition='instance.total > 100 and instance.status == "paid" and created',
    )
    with statements() as found:
        Order.objects.create(number="1", total="80")
    assert found == ["INSERT shop_order"]
    Trigger.objects.update(condition='instance.customer.first_name == "Ada"')
    with statements() as found:
        Order.objects.create(number="1", customer_id=customer.pk)
    assert found == ["INSERT shop_order", "SAVEPOINT", "SELECT shop_customer", "RELEASE"]


@pytest.mark.django_db
def test_when_nothing_matches_nothing_is_explained(monkeypatch, caplog):
    make_trigger(subscribe=False, condition='instance.title == "Wool"')
    monkeypatch.setattr(conditions.Condition, "describe", None)  # it would raise
    Post.objects.create(title="Linen")
    assert not Event.objects.exists()
    assert not caplog.records
