"""What an event says is what the row holds, whatever stands in the object in memory."""

import datetime as dt
from decimal import Decimal

import django
import pytest
from django.db import transaction
from django.db.models import F, Subquery, Value
from django.db.models.functions import Concat, Lower, Now
from django.utils import timezone

from notifier.events.emit import emit, emit_bulk
from notifier.models import Event
from notifier.testing import capture_notifications
from tests.stock.models import Item
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import data_of_the_event
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

INSERTS = ["UPDATE stock_item", "INSERT notifier_event"]
SAVEPOINTS = {"SAVEPOINT", "RELEASE"}
# From 6.0 on Django asks back by the write itself what its expressions made, and the object holds it.
IS_ASKED_BACK = django.VERSION >= (6, 0)
READS = ["UPDATE stock_item", "SELECT stock_item", "INSERT notifier_event"]


def make_item_trigger(text, **values):
    return make_trigger(model="stock.item", contents={"email": {"text": text}}, **{"on": "updated"} | values)


def frozen(name):
    return data_of_the_event()["instance"][name]


def change(item, *, update_fields=None, **values):
    for name, value in values.items():
        setattr(item, name, value)
    item.save(update_fields=update_fields)


def owner_of_another():
    return Subquery(Item.objects.filter(name="Other").values("owner_id")[:1])


EXPRESSIONS = [
    # a column, what is assigned, what the row holds afterwards
    ("amount", F("amount") - 1, 9),
    ("amount", F("amount") * 2 + F("kind"), 21),
    ("price", F("price") + Decimal("0.105"), None),  # as this database rounds
    ("name", Concat(F("name"), Value("!")), "Linen!"),
    ("name", Lower(Value("WOOL")), "wool"),
    ("name", Value("Wool"), "Wool"),
    ("made_at", Now(), None),
    ("kind", F("kind") + 1, 2),
    ("details", Value(None, Item._meta.get_field("details")), None),
]


@pytest.mark.parametrize(("name", "value", "expected"), EXPRESSIONS)
def test_an_expression_is_what_it_made_of_the_row(name, value, expected):
    item = Item.objects.create(price=Decimal("1.00"))
    make_item_trigger(f"{{{{ instance.{name} }}}}")
    change(item, **{name: value})
    row = Item.objects.values_list(name, flat=True).get()
    assert frozen(name) == row
    assert expected in (None, row)
    # The caller's object is as Django leaves it.
    left = getattr(item, name)
    assert left == row if IS_ASKED_BACK else left is value


def test_a_relation_by_an_expression_leads_where_the_row_leads():
    ada = make_user(first_name="Ada")
    Item.objects.create(name="Other", owner=ada)
    item = Item.objects.create(owner=make_user(first_name="Bo"))
    boss = make_audience(paths="instance.owner_id\ninstance.owner")
    make_item_trigger("{{ instance.owner.first_name }} {{ instance.owner_id }}", audiences=[boss])
    with capture_notifications() as sent:
        change(item, owner_id=owner_of_another())
    assert [message.text for message in sent] == [f"Ada {ada.pk}"]
    assert sent[0].is_to(ada)


def test_an_address_by_an_expression_is_the_rows():
    make_item_trigger("-", audiences=[make_audience(paths="email: instance.contact")])
    item = Item.objects.create(contact="Ada")
    with capture_notifications() as sent:
        change(item, contact=Concat(F("contact"), Value("@example.com")))
    assert [message.address for message in sent] == ["Ada@example.com"]


TEXTS = [
    # what a template reads of an object that holds an expression, what it says
    ("{{ instance }}", "LINEN: 9"),
    ("{{ instance.line }}", "9 × Linen"),
    ("{{ instance.amount }} {{ instance.line }} {{ instance }}", "9 9 × Linen LINEN: 9"),
    ("{{ instance.get_kind_display }}", "Toy"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_its_text_and_its_methods_read_the_row_too(text, expected):
    item = Item.objects.create()
    make_item_trigger(text, audiences=[make_audience(users=[make_user()])])
    with capture_notifications() as sent:
        change(item, amount=F("amount") - 1, kind=F("kind") + 1, name=F("name"))
    assert [message.text for message in sent] == [expected]


ASKED = INSERTS if IS_ASKED_BACK else READS
COSTS = [
    # what a template reads, what is assigned, what the save costs
    ("{{ instance.name }}", {"amount": F("amount") - 1}, INSERTS),
    ("{{ instance.amount }}", {"name": "Wool"}, INSERTS),
    ("{{ instance.amount }}", {"amount": F("amount") - 1}, ASKED),
    ("{{ instance.amount }}{{ instance.name }}", {"amount": F("amount") - 1, "name": Lower("name")}, ASKED),
    ("{{ instance.total }}", {"name": "Wool"}, READS),  # a generated column
    ("{{ instance.total }}{{ instance.shout }}", {"amount": F("amount") - 1}, READS),
    ("{{ instance.line }}", {"name": "Wool"}, INSERTS),  # a method that reads no generated column
    ("{{ instance }}", {"name": "Wool"}, READS),  # one that does
]


@pytest.mark.parametrize(("text", "values", "expected"), COSTS)
def test_row_1_costs_a_query_only_where_a_read_field_holds_an_expression_or_is_generated(
    text, values, expected
):
    item = Item.objects.create()
    make_item_trigger(text)
    with statements() as found:
        change(item, **values)
    assert [each for each in found if each not in SAVEPOINTS] == expected


def test_it_is_one_query_for_the_condition_and_all_triggers_together():
    item = Item.objects.create()
    for _ in range(2):
        make_item_trigger("{{ instance.amount }}", condition="instance.amount == 9")
    with statements() as found:
        change(item, amount=F("amount") - 1)
    assert [each for each in found if each.startswith("SELECT")] == ["SELECT stock_item"] * (
        not IS_ASKED_BACK
    )
    assert Event.objects.count() == 2


def test_a_generated_column_is_that_of_the_row_after_each_save():
    item = Item.objects.create(price=2)
    make_item_trigger("{{ instance.total }} {{ instance.shout }}", condition="instance.total == 6")
    change(item, amount=3)
    assert (frozen("total"), frozen("shout")) == (Decimal("6.00"), "LINEN")
    change(item, update_fields=["amount"], amount=4)
    assert Event.objects.count() == 1


BEFORE = [
    # what is assigned, what is read before the save, what it will be
    ({"amount": F("amount") - 1}, "amount", 9),
    ({"amount": 3}, "total", Decimal("6.00")),
    ({"amount": F("amount") - 7}, "total", Decimal("6.00")),
    ({"name": Value("Wool")}, "name", "Wool"),
    ({"name": "Wool"}, "shout", "WOOL"),
]


@pytest.mark.parametrize(("values", "name", "expected"), BEFORE)
def test_before_a_save_it_is_what_the_save_will_make_of_the_row(values, name, expected):
    item = Item.objects.create(price=2)
    make_item_trigger(f"{{{{ instance.{name} }}}}", verb="pre_save")
    with transaction.atomic():
        change(item, **values)
    assert frozen(name) == expected
    assert Item.objects.values_list(name, flat=True).get() == expected


def test_before_a_save_what_it_leaves_out_stays_as_it_is():
    item = Item.objects.create(price=2)
    make_item_trigger("{{ instance.total }}{{ instance.amount }}", verb="pre_save")
    change(item, update_fields=["price"], price=3, amount=F("amount") * 100)
    assert (frozen("total"), frozen("amount")) == (30, 10)


def test_before_the_first_save_nothing_is_known_but_what_is_written_down():
    make_item_trigger(
        "{{ instance.total }} {{ instance.shelf }} {{ instance.made_at }} {{ instance.name }}",
        verb="pre_save",
        on="created",
    )
    Item.objects.create(name=Lower(Value("WOOL")))
    found = data_of_the_event()["instance"]
    assert [found[name] for name in ("total", "shelf", "made_at", "name")] == [None, "A1", None, None]


def test_a_default_of_the_database_is_the_rows():
    make_item_trigger("{{ instance.shelf }} {{ instance.made_at }}", on="created")
    item = Item.objects.create()
    assert (frozen("shelf"), frozen("made_at")) == ("A1", item.made_at)


GONE = [
    # what is assigned and not saved, what is read of the deletion
    ("pre_delete", {"amount": F("amount") - 1}, "{{ instance.amount }}", "10"),
    ("post_delete", {"amount": F("amount") - 1}, "{{ instance.amount }}", "None"),
    ("pre_delete", {}, "{{ instance.total }}", "20.00"),
    ("post_delete", {}, "{{ instance }}", "LINEN: 10"),
    ("post_delete", {}, "{{ instance.name }}", "Linen"),
]


@pytest.mark.parametrize(("verb", "values", "text", "expected"), GONE)
def test_of_a_deletion_it_is_what_is_still_known(verb, values, text, expected):
    item = Item.objects.create(price=2)
    make_item_trigger(text, verb=verb, audiences=[make_audience(users=[make_user()])])
    for name, value in values.items():
        setattr(item, name, value)
    with capture_notifications() as sent:
        item.delete()
    assert [message.text for message in sent] == [expected]


def test_related_objects_and_lists_are_the_rows_and_cost_no_query_each():
    parent = Item.objects.create(name="Box")
    items = [Item.objects.create(parent=parent) for _ in range(3)]
    make_item_trigger(
        "{{ instance.parent.amount }}{% for each in instance.parts.all %}{{ each.total }}{% endfor %}"
    )
    change(parent, amount=F("amount") - 1)
    Event.objects.all().delete()
    items[0].parent = parent
    with statements() as found:
        items[0].save()
    assert data_of_the_event()["instance"]["parent"]["amount"] == 9
    assert [each for each in found if each.startswith("SELECT")] == ["SELECT stock_item"] * (
        2 - IS_ASKED_BACK
    )
    Event.objects.all().delete()
    with statements() as found:
        Item.objects.get(pk=parent.pk).save()
    assert len(data_of_the_event()["instance"]["parts"]["all"]) == 3
    assert [each for each in found if each.startswith("SELECT")] == ["SELECT stock_item"] * 2


BULK = [
    # what is emitted, how many queries read what it is about: pages of a queryset are rows already
    (lambda: Item.objects.all(), ["SELECT stock_item"]),
    (lambda: list(Item.objects.all()), ["SELECT stock_item", "SELECT stock_item"]),
]


@pytest.mark.parametrize(("objects", "expected"), BULK)
def test_many_at_once_cost_no_query_each(objects, expected):
    Item.objects.bulk_create(Item(price=2) for _ in range(5))
    make_item_trigger("{{ instance.total }}")
    with statements() as found:
        assert emit_bulk(objects(), created=False) == 5
    assert [each for each in found if each.startswith("SELECT")] == expected
    assert {event.data["instance"]["total"] for event in Event.objects.all()} == {Decimal("20.00")}


def test_one_that_is_emitted_is_its_row():
    item = Item.objects.create()
    make_item_trigger("{{ instance.amount }}")
    Item.objects.filter(pk=item.pk).update(amount=F("amount") - 1)
    item.amount = F("amount") - 1
    item.save()
    Event.objects.all().delete()
    emit("post_save", instance=item, created=False)
    assert frozen("amount") == 8


AS_STORED = [
    # a column, what code assigns: the row holds something else, and the event what the row holds
    ("day", dt.datetime(2026, 1, 31, 23, 30, tzinfo=dt.UTC)),
    ("day", "2026-01-31"),
    ("moment", "2026-01-31T12:00:00Z"),
    ("moment", dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))),
    ("hour", "08:30"),
    ("price", Decimal("2.675")),
    ("price", Decimal("2.665")),
    ("price", "12.5"),
    ("price", 3),
    ("price", 0.1),
    ("amount", "7"),
    ("amount", 7.9),
    ("amount", True),
    ("flag", "1"),
    ("flag", 1),
    ("name", 17),
    ("name", Item.Kind.TOY),
    ("kind", "2"),
    ("kind", Item.Kind.TOY),
    ("weight", "1.5"),
    ("weight", 2),
    ("tracking", "0F36BD71-52C2-4A0E-9C5F-3F6C1B7D2C11"),
    ("details", {7: (1, 2), "b": True}),
    ("details", [{"a": None}]),
    ("photo", "photos/a.png"),
]


@pytest.mark.parametrize(("name", "value"), AS_STORED)
@pytest.mark.parametrize("verb", ["pre_save", "post_save"])
def test_a_value_is_the_one_that_its_column_stores(verb, name, value):
    item = Item.objects.create()
    make_item_trigger(f"{{{{ instance.{name} }}}}", verb=verb)
    change(item, **{name: value})
    row = getattr(Item.objects.get(), name)
    row = str(row) if name == "photo" else row
    assert (frozen(name), type(frozen(name))) == (row, type(row))
    Event.objects.all().delete()
    # The same again is no change.
    make_item_trigger("-", verb=verb, condition=f"previous.{name} != instance.{name}")
    change(item, **{name: value})
    assert Event.objects.count() == 1


@pytest.mark.filterwarnings("ignore:DateTimeField")
@pytest.mark.parametrize("value", [dt.datetime(2026, 1, 31, 12), dt.date(2026, 1, 31)])
def test_a_moment_without_a_time_zone_is_the_sites(value, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    item = Item.objects.create()
    make_item_trigger("{{ instance.moment }}")
    change(item, moment=value)
    assert frozen("moment") == Item.objects.get().moment
    assert timezone.is_aware(frozen("moment"))


def test_a_key_is_the_same_however_it_is_written():
    item = Item.objects.create()
    make_item_trigger("{{ instance.pk }}", object_pk=str(item.pk))
    Item(pk=str(item.pk), made_at=timezone.now(), shelf="A1").save()
    event = Event.objects.get()
    assert (event.action_object, event.data["instance"]["pk"]) == (f"stock.item:{item.pk}", item.pk)


UNCHANGED = [
    # saves that change nothing that the condition asks for
    lambda item: change(item, update_fields=["name"], amount=F("amount") - 1, name="Wool"),
    lambda item: change(item, amount=F("amount")),
    lambda item: change(item, amount=F("amount") + 0),
    lambda item: change(Item.objects.only("name").get(), name="Wool"),
]


@pytest.mark.parametrize("act", UNCHANGED)
def test_what_did_not_change_is_told_from_what_did(act):
    item = Item.objects.create()
    make_item_trigger("-", condition="previous.amount != instance.amount")
    act(item)
    assert Event.objects.count() == 0
    item.refresh_from_db()
    change(item, amount=F("amount") - 1)
    assert Event.objects.count() == 1


def test_a_column_that_cannot_be_computed_breaks_neither_the_save_nor_its_transaction():
    item = Item.objects.create()
    make_item_trigger("{{ instance.amount }}", verb="pre_save")
    wrong = F("no_such_column") + 1
    with transaction.atomic():
        item.amount = wrong
        with pytest.raises(Exception, match="no_such_column"), transaction.atomic():
            item.save()
        assert Item.objects.count() == 1
