"""What the database refuses of one event fails that event alone, is seen, and is in no log."""

import json
import logging
from collections import Counter

import pytest
from django.db import transaction

from notifier.events.emit import emit, emit_bulk
from notifier.exceptions import EmitError
from notifier.models import Event, RulesVersion
from project.demo.models import Post
from tests.app.models import Parcel
from tests.stock.models import Bin, Item
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.marks import MARK as SECRET
from tests.support.observing import register
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

SPOIL = {"MIDDLEWARE": ["tests.support.middleware.spoil"]}
ARGUMENTS = [
    # what a signal is sent with, what its event holds
    ("report-\udcff.pdf", "report-?.pdf"),
    ("a\0b", "ab"),
    ({"a\0": 1, "\udfff": "\0"}, {"a": 1, "?": ""}),
    ([["\udfff"]], [["?"]]),
    ({"deep": [{"\0": ("\ud800",)}]}, {"deep": [{"": ["?"]}]}),
    (float("nan"), "nan"),
]


@pytest.mark.parametrize(("value", "expected"), ARGUMENTS)
def test_an_argument_is_stored_as_clean_text(value, expected, request):
    name = f"storing-{request.node.callspec.id}"
    signal = register(name, args=["value"])
    for text in "{{ value }}", "it reads nothing":
        make_trigger(verb=name, model="", contents={"email": {"text": text}})
    signal.send(sender=None, value=value)
    found = [(event.data, event.status) for event in Event.objects.all()]
    assert sorted(found, key=str) == [({"value": expected}, "recorded"), ({}, "recorded")]
    emit(name, value=value)
    assert Event.objects.count() == 4


def test_the_object_of_an_event_is_clean():
    make_trigger(model="stock.bin", verb="pre_save", subscribe=False)
    for place in "\0", "\udfff":
        emit("pre_save", instance=Bin(place=place, number=1), created=True)
    assert [event.action_object.isascii() for event in Event.objects.all()] == [True, True]


def test_who_does_it_and_to_what_end_is_clean():
    register("storing_actor", args=["x"])
    make_trigger(verb="storing_actor", model="", contents={"email": {"text": "{{ target }}"}})
    ada = make_user(username="ada")
    ada.pk = "\0\udfff"
    emit("storing_actor", actor=ada, target="\0\udfff")
    event = Event.objects.get()
    assert (event.actor, event.data["target"]) == ("auth.user:?", "?")


SPOILT = [
    # what a middleware does, the reason that people read, None where the event can be stored all the same
    ("texts", None),
    ("number", "database cannot hold"),
    ("plan", "database cannot hold"),
    ("deep", "cannot be stored as JSON"),
    ("key", "database cannot hold"),
]


def by_a_save():
    Post.objects.create(title=SECRET, body=SECRET)


def by_emit_bulk():
    Post.objects.bulk_create([Post(title=SECRET)])
    emit_bulk(Post.objects.all(), created=True)


@pytest.mark.parametrize(("name", "reason"), SPOILT)
@pytest.mark.parametrize("act", [by_a_save, by_emit_bulk])
def test_what_cannot_be_stored_fails_its_own_event_alone(name, reason, act, settings, caplog):
    settings.NOTIFIER = settings.NOTIFIER | SPOIL
    spoilt = make_trigger(name=name)
    fine = make_trigger(name="fine", audiences=[make_audience(users=[make_user()])])
    with caplog.at_level(logging.DEBUG), transaction.atomic():
        act()
        assert Post.objects.count() == 1
    found = {event.trigger_id: event for event in Event.objects.all()}
    assert found.keys() == {spoilt.pk, fine.pk}
    assert found[fine.pk].status == "recorded"
    assert found[spoilt.pk].status == ("failed" if reason else "recorded")
    assert (reason or "") in found[spoilt.pk].reason
    assert SECRET not in found[spoilt.pk].reason
    assert SECRET not in "".join(caplog.messages) + caplog.text
    if reason is None:
        assert found[spoilt.pk].data == {"c": "d?", "e": ["nan"]}
        assert len(found[spoilt.pk].action_object) == 300


@pytest.mark.django_db(transaction=True)
def test_what_was_held_back_until_it_was_saved_fails_alone_too(settings):
    settings.NOTIFIER = settings.NOTIFIER | SPOIL
    for name in "number", "fine":
        make_trigger(name=name, verb="pre_save")
    by_a_save()
    assert sorted(Event.objects.values_list("status", flat=True)) == ["failed", "recorded"]


@pytest.mark.django_db(transaction=True)
def test_of_more_than_one_statement_takes_none_is_stored_twice(settings):
    settings.NOTIFIER = settings.NOTIFIER | SPOIL
    # SQLite takes 45 rows a statement, and triggers come by their names: the last is in the second one.
    with RulesVersion.touched_once():
        for number in range(49):
            make_trigger(name=f"fine {number}")
        make_trigger(name="number")
    by_a_save()
    found = Counter(Event.objects.values_list("status", flat=True))
    assert found == {"recorded": 49, "failed": 1}


def test_a_key_that_a_failed_event_had_may_be_used_again(settings):
    make_trigger(name="plan")
    post = Post.objects.create(title=SECRET)
    Event.objects.all().delete()
    settings.NOTIFIER = settings.NOTIFIER | SPOIL
    emit("post_save", instance=post, created=True, key="once")
    settings.NOTIFIER = {name: value for name, value in settings.NOTIFIER.items() if name != "MIDDLEWARE"}
    emit("post_save", instance=post, created=True, key="once")
    assert list(Event.objects.order_by("pk").values_list("status", "key")) == [
        ("failed", None),
        ("recorded", "once"),
    ]


@pytest.mark.parametrize("key", ["\0", "a\udfff", "", "x" * 201])
def test_a_key_that_no_column_holds_is_refused(key):
    make_trigger()
    with pytest.raises(EmitError, match="A key"):
        emit("post_save", instance=Post.objects.create(title="a"), created=True, key=key)


def test_many_of_which_one_cannot_be_stored_lose_that_one_alone(settings):
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.details }}"}})
    deep = json.loads("[" * 900 + "]" * 900)
    Parcel.objects.bulk_create(Parcel(label=str(number)) for number in range(3))
    parcels = list(Parcel.objects.order_by("pk"))
    parcels[1].details = {"deep": deep}
    assert emit_bulk(parcels, created=False) == 3
    statuses = list(Event.objects.order_by("pk").values_list("status", flat=True))
    assert statuses in (["recorded", "failed", "recorded"], ["recorded"] * 3)


def test_the_usual_way_costs_no_more():
    make_trigger()
    with statements() as found:
        Post.objects.create(title="Linen")
    assert [each for each in found if each.startswith("INSERT")] == [
        "INSERT demo_post",
        "INSERT notifier_event",
    ]


FAULTS = [
    # a fault whose words hold the data
    {"contents": {"email": {"text": "{{ instance.broken }}"}}},
    {"condition": "instance.broken == 1"},
]


@pytest.mark.parametrize("values", FAULTS)
def test_the_log_has_the_trace_and_nothing_of_the_data(values, caplog):
    make_trigger(model="stock.item", **values)
    Item.objects.create(name=SECRET)
    assert "Traceback" in caplog.text
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text
