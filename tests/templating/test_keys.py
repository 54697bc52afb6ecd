"""Keys of one column and of several: as a rule writes them, as an event stores them, and whose they are."""

import uuid

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from notifier.events.emit import emit, emit_bulk
from notifier.events.index import index
from notifier.events.matching import explain_match
from notifier.exceptions import EmitError
from notifier.explaining import find_subject
from notifier.models import Event, Trigger
from notifier.templating import keys, readable
from notifier.testing import capture_notifications
from project.demo.models import Post
from tests.app.models import Customer, Guest, Order
from tests.stock.models import Bin
from tests.support.builders import make_audience, make_subscription, make_trigger, make_user
from tests.support.observing import recorded, register

pytestmark = pytest.mark.django_db

TEXTS = [
    # how a rule may write the key ("A", 1)
    '["A", 1]',
    '["A","1"]',
    ' ["A",   1] ',
]
NO_KEYS = [
    *("A", "1", '["A"]', '["A", 1, 2]', '["A", "x"]', '["A", null]'),
    *("[]", '{"a": 1}', "('A', 1)", "[[", '["A", [1]]'),
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_trigger_of_one_object_with_a_composite_key_matches_it(text):
    trigger = Trigger(name="one", verb="post_save", model="stock.bin", object_pk=text)
    trigger.full_clean()
    trigger.save()
    for place, number in ("A", 2), ("B", 1), ("A", 1):
        Bin.objects.create(place=place, number=number)
    assert recorded() == [("post_save", 'stock.bin:["A", 1]')]


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_composite_key_is_refused_with_how_to_write_one(text):
    trigger = Trigger(name="one", verb="post_save", model="stock.bin", object_pk=text)
    with pytest.raises(ValidationError) as refused:
        trigger.full_clean()
    (message,) = refused.value.message_dict["object_pk"]
    assert "[place, number]" in message or "is no key of bin" in message or "must be an integer" in message


@pytest.mark.parametrize("text", [*NO_KEYS, "9" * 200, "[" * 200])
def test_one_trigger_that_was_not_validated_stops_no_other(text):
    make_trigger(model="stock.bin", object_pk=text)
    make_trigger(model="stock.bin", actor_model="stock.bin", actor_pk=text)
    good = make_trigger(model="stock.bin")
    Bin.objects.create(place="A", number=1)
    assert [event.trigger_id for event in Event.objects.all()] == [good.pk]


def test_a_trigger_that_cannot_be_matched_stops_no_other_and_is_seen():
    broken, good = make_trigger(), make_trigger()
    live = next(each for each in index.live("post_save") if each.pk == broken.pk)
    # As a release of another day may have left it.
    object.__setattr__(live, "actor_model", 7)
    post = Post.objects.create(title="Linen")
    event = Event.objects.get()
    assert event.trigger_id == good.pk
    seen = {each["trigger"]: each["because"] for each in event.explanation}
    assert seen == {good.pk: "", broken.pk: "it could not be matched: AttributeError"}
    context = {"instance": post, "action_object": post}
    assert explain_match(live, context, True) == seen[broken.pk]


def test_what_reads_an_object_with_a_composite_key():
    make_trigger(
        model="stock.bin",
        condition="previous and previous.amount != instance.amount",
        contents={"email": {"text": "{{ instance }} {{ instance.pk.0 }} {{ previous.amount }}"}},
        audiences=[make_audience(users=[make_user()])],
    )
    one = Bin.objects.create(place="A", number=1)
    one.amount = 5
    with capture_notifications() as sent:
        one.save()
    assert [message.text for message in sent] == ["Bin A1 A 0"]
    assert Event.objects.get().data["instance"]["pk"] == ["A", 1]
    text = Event.objects.get().action_object
    assert find_subject(text) == one
    assert readable.find_instance(Bin, '["A", 1]') == one
    assert [readable.find_instance(Bin, each) for each in NO_KEYS] == [None] * len(NO_KEYS)


def test_many_with_composite_keys_are_emitted_a_page_at_a_time(monkeypatch):
    monkeypatch.setattr("notifier.events.emit.PAGE_SIZE", 2)
    make_trigger(model="stock.bin")
    Bin.objects.bulk_create(Bin(place=place, number=number) for place in "AB" for number in range(3))
    for _ in range(2):
        emit_bulk(Bin.objects.all(), created=False, key="{pk}")
    assert Event.objects.count() == 6
    assert '["A", 0]' in Event.objects.values_list("key", flat=True)
    emit("post_save", instance=Bin.objects.first(), created=False)
    assert emit_bulk(list(Bin.objects.all()), created=False) == 6


def test_the_admin_answers_for_what_has_a_composite_key(admin_client):
    trigger = make_trigger(model="stock.bin", object_pk='["A", 1]')
    for text in '["A", 1]', "A":
        Trigger.objects.filter(pk=trigger.pk).update(object_pk=text)
        for url in (
            reverse("admin:notifier_trigger_changelist"),
            reverse("admin:notifier_trigger_change", args=[trigger.pk]),
        ):
            assert admin_client.get(url).status_code == 200
    Trigger.objects.filter(pk=trigger.pk).update(object_pk="")
    index.refresh(force=True)
    Bin.objects.create(place="A", number=1)
    event = Event.objects.get()
    for url in (
        reverse("admin:notifier_event_changelist"),
        reverse("admin:notifier_event_change", args=[event.pk]),
        reverse("admin:notifier_event_changelist") + '?q=["A", 1]',
    ):
        response = admin_client.get(url)
        assert response.status_code == 200
        assert "Bin [&quot;A&quot;, 1]" in response.content.decode() or "q=" in url


OBJECTS = [
    # an object, what an event stores of it
    (lambda: Post(title="not saved"), "demo.post"),
    (lambda: Post(pk=7), "demo.post:7"),
    (lambda: Post(pk="7"), "demo.post:7"),
    (lambda: Order(id=str(uuid.UUID(int=5)).upper()), f"shop.order:{uuid.UUID(int=5)}"),
    (lambda: Bin(place="A"), "stock.bin"),
    (lambda: Bin(place="A", number="1"), 'stock.bin:["A", 1]'),
    (lambda: Bin(place="A\0\udfff", number=1), 'stock.bin:["A\\u0000\\udfff", 1]'),
]


@pytest.mark.parametrize(("make", "expected"), OBJECTS)
def test_an_object_is_written_as_its_model_and_key(make, expected):
    assert keys.object_text(make()) == expected


def test_two_long_keys_are_not_one():
    first, second = (keys.object_text(Bin(place="x" * 400 + end, number=1)) for end in "ab")
    assert len(first) == len(second) == keys.MAX_TEXT_CHARACTERS
    assert first != second


SAMENESS = [
    # two texts of events, whether a cooldown takes them for one object
    ("demo.post:1", "demo.post:1", True),
    ("shop.guest:1", "shop.customer:1", True),  # a proxy and its model
    ("demo.post:1", "demo.post:2", False),
    ("demo.post", "demo.post", False),  # no key
    ("", "", False),
    ("gone.model:1", "gone.model:1", True),
]


@pytest.mark.parametrize(("first", "second", "expected"), SAMENESS)
def test_what_has_no_key_is_the_same_as_nothing(first, second, expected):
    both = {keys.sameness(first), keys.sameness(second)}
    assert (len(both) == 1 and "" not in both) is expected


def save_new():
    Post.objects.create(title="a")


def save_one():
    Post.objects.update_or_create(pk=1, defaults={"title": "a"})


def as_a_proxy():
    customer, _ = Customer.objects.get_or_create(pk=1)
    Guest.objects.get(pk=customer.pk).save()


COOLDOWNS = [
    # what happens twice, on which signal and model, how many messages a cooldown lets through
    (save_new, "pre_save", "demo.post", 2),
    (save_new, "post_save", "demo.post", 2),
    (save_one, "post_save", "demo.post", 1),
    (as_a_proxy, "post_save", "shop.customer", 1),
]


@pytest.mark.parametrize(("act", "verb", "model", "expected"), COOLDOWNS)
def test_a_cooldown_is_of_one_object(act, verb, model, expected):
    trigger = make_trigger(verb=verb, model=model, subscribe=False)
    make_subscription(trigger, cooldown_minutes=60, audiences=[make_audience(users=[make_user()])])
    with capture_notifications() as sent:
        act()
        act()
    assert len(sent) == expected


def test_a_signal_of_a_class_has_no_object_so_each_is_its_own():
    signal = register("order_of_a_class", args=["order"])
    trigger = make_trigger(verb="order_of_a_class", model="", subscribe=False)
    make_subscription(
        trigger,
        contents={"email": {"text": "-"}},
        cooldown_minutes=60,
        audiences=[make_audience(users=[make_user()])],
    )
    with capture_notifications() as sent:
        for number in "12":
            signal.send(sender=Order, order=Order.objects.create(number=number))
    assert len(sent) == 2


def test_one_key_for_objects_without_keys_is_refused():
    make_trigger(verb="pre_save")
    with pytest.raises(EmitError, match="has no key"):
        emit_bulk([Post(title="a"), Post(title="b")], verb="pre_save", created=True, key="once-{pk}")
    assert not Event.objects.exists()
