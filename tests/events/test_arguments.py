"""What a firing's arguments are: of which type, what they are called, which of them it is about."""

import datetime as dt
import uuid

import pytest
from django import forms
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import RequestFactory

from notifier import emit, emit_bulk
from notifier.events.index import index
from notifier.exceptions import EmitError
from notifier.models import Event
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Movie
from tests.app.models import Customer, Line, Order, Parcel
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import recorded, registering

pytestmark = pytest.mark.one_database
register = registering


class View:
    """No data."""


def make_rule(text="{{ order.number }}", **options):
    return make_trigger(**{"verb": "shipped", "model": "", "contents": {"email": {"text": text}}} | options)


@pytest.mark.django_db
def test_an_argument_of_another_type_fails_the_events_that_read_it_and_no_other(register):
    shipped = register("shipped", {"order": Order, "note": str})
    make_rule(name="reads it")
    make_rule("{{ note }}", name="does not")
    # An audience leaves out what leads nowhere, and tells the others.
    make_rule(
        "", name="names it", contents={"email": {"text": "x"}}, audiences=[make_audience(paths="order.owner")]
    )
    shipped.send(sender=None, order="17", note="late")
    found = dict(Event.objects.values_list("trigger__name", "reason"))
    words = "The signal shipped brought str as its argument order, and is registered with Order."
    assert found == {"reads it": words, "does not": "", "names it": ""}


@pytest.mark.django_db
def test_a_condition_on_an_argument_of_another_type_does_not_hold_and_says_why(register, caplog):
    shipped = register("asked_about", {"order": Order})
    make_rule(verb="asked_about", name="asks", condition="not order.total")
    make_rule("x", verb="asked_about", name="does not ask")
    shipped.send(sender=None, order="17 Main Street")
    (event,) = Event.objects.all()
    assert "brought str as its argument order" in event.explanation[1]["because"]
    assert "brought str as its argument order" in caplog.text
    assert "Main Street" not in caplog.text


@pytest.mark.django_db
def test_what_middleware_puts_in_its_place_is_its_own_affair(register, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"MIDDLEWARE": [f"{__name__}.put_a_dict"]}
    shipped = register("shipped", {"order": Order})
    make_rule()
    shipped.send(sender=None, order=Order(number="17"))
    assert Event.objects.get().data == {"order": {"number": "18"}}


def put_a_dict(record):
    def middleware(recording):
        recording.context["order"] = {"number": "18"}
        return record(recording)

    return middleware


@pytest.mark.django_db
def test_emit_refuses_an_argument_of_another_type(register):
    register("shipped", {"order": Order, "user": User, "target": Customer}, object="order")
    make_rule()
    for wrong in (
        {"order": Movie()},
        {"order": Order(), "target": "x"},
        {"order": Order(), "signal_user": 7},
        {"instance": Movie()},
    ):
        with pytest.raises(EmitError, match="as its argument (order|target|user), and is registered with"):
            emit("shipped", **wrong)
    with pytest.raises(EmitError, match="objects of Movie. The signal shipped is registered with Order"):
        emit_bulk(Movie.objects.all(), verb="shipped")
    assert len(emit("shipped", order=Order(number="17"), user=make_user())) == 1


DEAD_ENDS = [
    # args, what a template says, what is sent, the names that led nowhere
    (["order"], "{{ order.nonsense }}{{ order.number }}", {"order": Order(number="1")}, ["order.nonsense"]),
    (["order"], "{{ order.owner.nonsense }}", {"order": Order(owner=User())}, ["order.owner.nonsense"]),
    (["order"], "{{ order.customer.nonsense }}", {"order": Order()}, []),  # there is no customer
    (["order"], "{{ order.number }}{{ order.placed_at }}", {"order": Order()}, []),  # blank, and None
    (["order"], "{{ order.number }}", {"order": None}, []),
    (["order"], "{{ order.number }}", {}, ["order"]),  # the signal does not bring it
    (["order"], "{{ order.number }}", {"order": {"nr": 7}}, ["order.number"]),
    (["order"], "{{ order.number }}", {"order": {"number": None}}, []),
    (["order"], "{{ order.a.b }}", {"order": {"a": {"c": 1}}}, ["order.a.b"]),
    (["order"], "{{ order.number }}", {"order": "17"}, ["order.number"]),
    (["order"], "{{ order }}", {"order": "17"}, []),
    (["order"], "{{ order }}", {"order": View()}, ["order"]),  # no data
    (["order"], "{{ order }}", {"order": lambda: "17"}, ["order"]),
    (["order"], "{% for a in order %}{{ a.x }}{% endfor %}", {"order": [{"x": 1}, {"y": 2}]}, ["order.*.x"]),
    (["order"], "{% for a in order %}{{ a.x }}{% endfor %}", {"order": []}, []),
    (["order"], "{{ order.0.number }}{{ order.number }}", {"order": [Order()]}, ["order.number"]),
    ([], "{{ target.nonsense }}{{ target.title }}", {"target": Movie(title="x")}, ["target.nonsense"]),
    ([], "{{ target.title }}", {}, []),
    ({"order": Order}, "{{ order.number }}", {"order": Order()}, []),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("args", "text", "sent", "names"), DEAD_ENDS)
def test_an_event_names_the_paths_that_led_nowhere(register, args, text, sent, names):
    shipped = register("shipped", args)
    make_rule(text)
    shipped.send(sender=None, **sent)
    assert (Event.objects.get().dead_ends or []) == names


@pytest.mark.django_db
def test_what_a_document_of_an_object_leaves_out_is_no_dead_end(register):
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.details.coupon.code }}"}})
    Parcel.objects.create(label="x", details={"other": 1})
    assert Event.objects.get().dead_ends is None


@pytest.mark.django_db
def test_a_request_is_not_stored_whatever_it_is_called(register):
    asked = register("asked", ["asked_by"])
    make_rule("{{ asked_by }}{{ asked_by.path }}", verb="asked")
    asked.send(sender=View, asked_by=RequestFactory().get("/confirm/s3cret-key/"))
    event = Event.objects.get()
    assert event.dead_ends == ["asked_by"]
    assert "s3cret" not in str(event.data)


# What others' signals send: allauth and oscar a user, django-fsm a target, activity streams a verb.
@pytest.mark.django_db
@pytest.mark.parametrize("typed", [True, False])
def test_a_signal_of_another_app_may_call_its_arguments_as_templates_do(register, typed):
    kinds = {
        "user": User,
        "verb": str,
        "target": str,
        "events": int,
        "unsubscribe_url": str,
        "action_object": Movie,
    }
    signed_up = register("signed_up", kinds if typed else list(kinds))
    reader, ada = make_user(username="reader"), make_user(username="ada")
    make_rule(
        "{{ user.username }} {{ signal_user.username }} {{ verb }} {{ signal_verb }} {{ target }} "
        "{{ signal_events }} {{ signal_unsubscribe_url }} {{ action_object.title }} "
        "{{ actor_object.username }}",
        verb="signed_up", model="demo.movie", target="done", audiences=[make_audience(users=[reader])],
    )  # fmt: skip
    sent = {
        "user": ada,
        "verb": "likes",
        "target": "done",
        "events": 7,
        "unsubscribe_url": "/u",
        "action_object": Movie.objects.create(title="Stalker"),
    }
    with capture_notifications() as messages:
        signed_up.send(sender=None, **sent)
    assert_notified(messages, reader, containing="reader ada signed_up likes done 7 /u Stalker ada")
    names = {"verb": "signal_verb", "target": "target"}
    again = {names.get(name, name): value for name, value in sent.items()}
    assert len(emit("signed_up", **again)) == 1
    assert Event.objects.first().data == Event.objects.last().data


OBJECTS = [
    # what is registered, what is sent, what the event is about
    ({"args": {"order": Order}, "object": "order"}, lambda order: {"order": order}),
    ({"args": ["order"], "object": "order"}, lambda order: {"order": order}),
    ({"args": ["verb"], "object": "verb"}, lambda order: {"verb": order}),
    (
        {"args": ["order"], "object": "order"},
        lambda order: {"order": order, "instance": Movie(), "action_object": 7},
    ),
    ({"args": ["order"], "object": "order"}, lambda order: {"action_object": order}),  # not brought
]


@pytest.mark.django_db
@pytest.mark.parametrize(("options", "sent"), OBJECTS)
def test_a_trigger_finds_its_object_by_the_argument_that_says_which(register, options, sent):
    shipped = register("shipped", **options)
    mine, other = Order.objects.create(number="1"), Order.objects.create(number="2")
    make_rule("x", name="all", model="shop.order")
    make_rule("x", name="one", model="shop.order", object_pk=str(mine.pk))
    make_rule("x", name="none", model="demo.movie")
    for order in (mine, other):
        shipped.send(sender=View, **sent(order))
    assert sorted(Event.objects.values_list("trigger__name", "action_object")) == sorted([
        ("all", f"shop.order:{mine.pk}"), ("all", f"shop.order:{other.pk}"), ("one", f"shop.order:{mine.pk}"),
    ])  # fmt: skip


@pytest.mark.django_db
def test_matching_by_an_argument_asks_no_database(register, django_assert_num_queries):
    shipped = register("shipped", {"order": Order, "buyer": User}, object="order", actor="buyer")
    make_rule("x", model="shop.order", object_pk=str(uuid.uuid4()), actor_model="auth.user")
    index.refresh(now=True)
    with django_assert_num_queries(0):
        shipped.send(sender=None, order=Order(), buyer=User(pk=4))


@pytest.mark.django_db
def test_who_did_it_and_for_what_may_be_arguments_of_the_signal(register):
    sold = register("sold", {"buyer": User, "shop": Group}, actor="buyer", target="shop")
    ada, shop = make_user(username="ada"), Group.objects.create(name="Linen")
    make_rule(
        "{{ actor_object.username }} {{ target.name }}", verb="sold", actor_model="auth.user",
        actor_pk=str(ada.pk), target="Linen",
    )  # fmt: skip
    sold.send(sender=None, buyer=ada, shop=shop)
    sold.send(sender=None, buyer=make_user(), shop=shop)
    sold.send(sender=None, buyer=None, shop=shop)
    event = Event.objects.get()
    assert (event.actor, event.data["target"]["name"]) == (f"auth.user:{ada.pk}", "Linen")


@pytest.mark.django_db
def test_emit_knows_which_argument_the_object_is(register):
    register("shipped", {"order": Order}, object="order")
    make_rule("{{ order.number }}{{ action_object.number }}", model="shop.order")
    orders = [Order.objects.create(number=number) for number in "123"]
    assert len(emit("shipped", instance=orders[0])) == 1
    assert len(emit("shipped", order=orders[0])) == 1
    assert emit_bulk(Order.objects.all(), verb="shipped") == 3
    assert emit_bulk(orders, verb="shipped", argument="order") == 3
    assert {event.data["order"]["number"] for event in Event.objects.all()} == {"1", "2", "3"}
    assert {verb for verb, _ in recorded()} == {"shipped"}


NAMES = [
    # an argument of a signal of the project's own that means something else in Django's
    {"using": "credit card"},
    {"using": Movie()},
    {"raw": True},
    {"created": dt.date(2026, 1, 1)},
    {"pk_set": 3},
    {"instance": None},
    {"action": "x", "pk_set": {1}, "instance": Movie()},
    {"deleting": True},
    {"model": View},
]


@pytest.mark.django_db
@pytest.mark.parametrize("sent", NAMES, ids=str)
def test_an_argument_may_be_called_as_one_of_djangos(register, sent):
    shipped = register("shipped", list(sent))
    make_rule(" ".join(f"{{{{ {name} }}}}" for name in sent), on="created")
    shipped.send(sender=None, **sent)
    assert Event.objects.get().status == "recorded"


@pytest.mark.django_db
def test_a_queryset_is_looped_over_and_so_is_its_all(register):
    shipped = register("shipped", {"lines": QuerySet[Line]})
    make_rule("{% for each in lines %}{{ each.name }}{% endfor %}", name="itself")
    make_rule("{% for each in lines.all %}{{ each.name }}{% endfor %}", name="its all")
    order = Order.objects.create()
    Line.objects.create(order=order, name="Linen")
    shipped.send(sender=None, lines=Line.objects.filter(order=order)[:5])
    found = {event.trigger.name: event.data["lines"] for event in Event.objects.all()}
    assert found["itself"][0]["name"] == found["its all"]["all"][0]["name"] == "Linen"


@pytest.mark.django_db
def test_an_object_of_another_type_is_no_event_and_the_log_says_so(register, caplog):
    shipped = register("lost", {"order": Order}, object="order")
    trigger = make_rule("x", verb="lost", model="shop.order")
    shipped.send(sender=None, order="17 Main Street")
    assert recorded() == []
    assert f"The trigger {trigger.pk} does not match: The signal lost brought str" in caplog.text
    assert "Main Street" not in caplog.text


class Search(forms.Form):
    word = forms.CharField(initial="s3cret")


@pytest.mark.django_db
@pytest.mark.parametrize("thing", [HttpResponse("s3cret"), View(), Search(), print, object()])
def test_what_is_no_data_is_not_stored(register, thing):
    shipped = register("shipped", ["thing", "inside"])
    make_rule("{{ thing }}{{ inside.thing }}")
    shipped.send(sender=None, thing=thing, inside={"thing": thing})
    assert Event.objects.get().data == {"thing": None, "inside": {"thing": None}}
    assert Event.objects.get().dead_ends == ["thing"]
