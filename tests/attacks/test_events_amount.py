"""However much there is to be read for one event, and of whatever kind: it ends soon, the save goes on, and
the event says why it failed.
"""

import copy
import json
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db.models.signals import post_save

from notifier.events import loading
from notifier.exceptions import DataRefused, UnreadablePath
from notifier.models import ContentVersion, Event, Trigger
from notifier.rules import audiences, conditions, offers
from notifier.templating import budget, snapshot
from notifier.templating.codec import Decoder, Encoder
from project.demo.models import Post
from tests.app.models import Line, Order, Parcel
from tests.support.builders import make_trigger
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

GROUPS = "groups.all.*.user_set.all.*."


def tree_of(path, end=None):
    tree = {"": {}} if end is None else end
    for name in reversed([each for each in path.split(".") if each]):
        tree = {name: tree}
    return tree


def make_crowd(people=25, groups=3):
    made = [Group.objects.create(name=f"group {number}") for number in range(groups)]
    for user in User.objects.bulk_create(User(username=f"u{number}") for number in range(people)):
        user.groups.set(made)
    return User.objects.first()


LISTS = {
    "three hops": f"instance.{GROUPS}groups.all.*.name",
    "four hops": f"instance.{GROUPS}{GROUPS}username",
    "seven hops": f"instance.{GROUPS * 3}groups.all",
    "the third is only counted": f"instance.{GROUPS}groups.all.count",
    "the first of each": "instance.groups.all.first.user_set.all.first.groups.all.first.name",
    "of an argument that is a list": "update_fields.*.groups.all.*.user_set.all",
    "of one that nobody checks": "actor_object.groups.all.*.user_set.all.*.groups.all",
}


@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
def test_lists_in_lists_in_lists_are_refused(path):
    trigger = Trigger(verb="post_save", model="auth.user", name="t")
    with pytest.raises(UnreadablePath):
        offers.check_paths(tree_of(path), trigger)


def test_two_lists_in_one_another_are_not():
    trigger = Trigger(verb="post_save", model="auth.user", name="t")
    offers.check_paths(tree_of(f"instance.{GROUPS}username"), trigger)


@pytest.mark.parametrize("hops", [4, 5, 7])
def test_a_rule_with_them_that_came_past_the_forms_fails_soon_and_the_save_goes_on(hops):
    user = make_crowd()
    names = "".join(["groups.all.*.", "user_set.all.*."][number % 2] for number in range(hops))
    trigger = make_trigger(model="auth.user")
    ContentVersion.objects.update(paths=tree_of(f"instance.{names}pk"))
    trigger.save()
    user.last_name = "Lovelace"
    with statements() as found:
        user.save()
    assert User.objects.get(pk=user.pk).last_name == "Lovelace"
    event = Event.objects.get()
    assert (event.status, event.data) == ("failed", {})
    assert event.reason.startswith("More than ")
    assert len(found) < budget.MAX_QUERIES + 20


def test_a_condition_and_a_person_who_receives_have_the_same_bound():
    user = make_crowd()
    with statements() as found:
        audiences.read_people([user.pk], tree_of(f"{GROUPS}groups.all.*.name"))
    assert found == ["SELECT auth_user", "SELECT auth_group"]
    make_trigger(model="auth.user")
    names = "instance.groups.all.0.user_set.all.0.groups.all"
    Trigger.objects.update(condition=f"{names}|length > 1")
    assert "a list in a list" in loading._read_condition(Trigger.objects.get())[1]
    past = conditions.compile_condition(f"{names}.0.user_set.all|length > 1")
    with pytest.raises(DataRefused):
        past.freeze({"instance": user})


def deep(depth, make=lambda inner: {"a": inner}):
    found = 1
    for _ in range(depth):
        found = make(found)
    return found


def around(value):
    value.append(value)
    return value


TOO_MUCH = {
    "a text of 50 MB": lambda: "x" * 50_000_000,
    "bytes of 50 MB": lambda: b"x" * 50_000_000,
    "a view of them": lambda: memoryview(b"x" * 50_000_000),
    "a text of 50 MB in a dictionary": lambda: {"a": ["x" * 50_000_000]},
    "many texts": lambda: {f"k{number}": "x" * 1000 for number in range(2000)},
    "a million numbers by name": lambda: {str(number): number for number in range(1_000_000)},
    "lists of lists": lambda: [[list(range(500))] * 500] * 500,
    "a deep dictionary": lambda: deep(100_000),
    "a dictionary that is a little too deep": lambda: deep(budget.MAX_DEPTH + 1),
    "deep lists": lambda: deep(100_000, lambda inner: [inner]),
    "lists and dictionaries": lambda: deep(5000, lambda inner: [{"b": inner}]),
    "a list in itself": lambda: around([1]),
    "a number of a hundred thousand digits": lambda: 10**100_000,
    "such a number below zero": lambda: -(10**100_000),
    "such a number in a list": lambda: {"a": [1, 10**5000]},
    "more objects than are read": lambda: [[Post(pk=1)] * 500] * 11,
    "one long name of an entry": lambda: {"x" * 2_000_000: 1},
}


@pytest.mark.parametrize("make", TOO_MUCH.values(), ids=TOO_MUCH)
def test_an_argument_that_is_too_much_fails_the_event_in_words(make):
    with pytest.raises(DataRefused) as refused:
        snapshot.freeze({"it": make()}, {"it": {"": {}}})
    assert "event" in str(refused.value) or "digits" in str(refused.value)


DOCUMENTS = (
    "a text of 50 MB in a dictionary",
    "many texts",
    "a million numbers by name",
    "a deep dictionary",
    "deep lists",
    "lists and dictionaries",
    "a number of a hundred thousand digits",
    "such a number in a list",
)


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("is_condition", [False, True])
def test_a_customers_own_document_that_is_too_much_fails_their_event_and_saves_their_row(name, is_condition):
    condition = 'instance.details.a != "b"' if is_condition else ""
    contents = {"email": {"text": "{{ instance.details }}"}}
    make_trigger(model="shop.parcel", contents=contents, condition=condition)
    parcel = Parcel(label="Books", details=TOO_MUCH[name]())
    options = {"created": True, "raw": False, "using": "default", "update_fields": None}
    post_save.send(sender=Parcel, instance=parcel, **options)
    assert [each.status for each in Event.objects.all()] == ([] if is_condition else ["failed"])


def test_what_an_object_says_of_itself_is_bounded():
    class Long(Post):
        class Meta:
            proxy = True
            app_label = "demo"

        def __str__(self):
            return "x" * 2_000_000

    with pytest.raises(DataRefused):
        snapshot.freeze({"it": Long(pk=1)}, {"it": {"": {}}})


FINE = {
    "an order with 500 lines": lambda: {"it": [Line(name=str(number)) for number in range(500)]},
    "a text of 100 KB": lambda: {"it": "x" * 100_000},
    "a document thirty deep": lambda: {"it": deep(30)},
    "a number of a hundred digits": lambda: {"it": 10**99},
    "a small fraction": lambda: {"it": Decimal("0.0000001")},
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_a_shop_says_is_not_too_much(make):
    found = snapshot.freeze(make(), {"it": {"": {}, "*": {"name": {"": {}}}}})
    json.loads(json.dumps(found, cls=Encoder), cls=Decoder)


def test_an_order_s_lines_and_what_each_has_are_read_by_as_many_queries_as_there_are():
    order = Order.objects.create(number="1")
    Line.objects.bulk_create(Line(order=order, name=str(number)) for number in range(60))
    found = snapshot.freeze({"instance": order}, tree_of("instance.lines.all.*.order.lines.all.*.name"))
    assert len(found["instance"]["lines"]["all"]) == 60


OURS = {
    "a number": {"$t": "decimal", "v": "1E+1000000"},
    "a number in a list": [{"$t": "decimal", "v": "1E+1000000"}],
    "a date": {"$t": "date", "v": "2026-01-31"},
    "entries": {"$t": "entries", "v": [["a", 1]]},
    "a dictionary of ours": {"$t": "dict", "v": [["$t", "decimal"], ["v", "1"]]},
    "a translation": {"$t": "translated", "v": ["a"]},
    "an object": {"model": "auth.user", "pk": 1},
    "an object's text": {"": "boss"},
    "something new": {"$t": "of a later release", "v": 1},
    "one in one": {"$t": "dict", "v": [["a", {"$t": "uuid", "v": "x"}]]},
}


@pytest.mark.parametrize("theirs", OURS.values(), ids=OURS)
def test_a_customers_own_document_stays_what_it_is(theirs):
    given = copy.deepcopy(theirs)
    frozen = snapshot.freeze({"it": {"in": given}}, {"it": {"": {}}})
    back = json.loads(json.dumps(frozen, cls=Encoder), cls=Decoder)["it"]["in"]
    assert back == theirs
    assert type(back) is type(theirs)
