"""The short way to freeze an object's columns gives what the long way gives, whatever stands in them."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.apps.registry import Apps
from django.db import models
from django.db.models import F
from hypothesis import example, given, strategies as st

from notifier.exceptions import DataRefused
from notifier.templating import columns, snapshot
from tests.app.models import Guest, Order, Parcel
from tests.stock.models import Item

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
ZONES = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=5))])


class Text(str):
    """One of its own."""


# What somebody may have assigned to a column, of its type or not.
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), TEXTS, TEXTS.map(Text), st.binary(),
    st.datetimes(timezones=ZONES), st.dates(), st.times(), st.uuids(), st.timedeltas(),
    st.sampled_from([Parcel.Size.LARGE, [1], {"a": 1}, (1, 2)]),
)  # fmt: skip
COLUMNS = ["label", "size", "weight", "price", "sent_at", "due_on", "details", "id"]


def freeze(instance, names):
    """What is frozen, as JSON, or why it is not."""
    try:
        tree = {"instance": {name: {"": {}} for name in names}}
        found = snapshot.freeze({"instance": instance}, tree)["instance"]
    except (DataRefused, TypeError, ValueError, ArithmeticError, OverflowError) as error:
        return type(error).__name__
    return json.dumps(found, cls=snapshot.Encoder, sort_keys=True)


def the_long_way(instance, names):
    # A name that is no column, and of which nothing is stored.
    return freeze(instance, [*names, "unlisted"])


@given(
    values=st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6),
    names=st.lists(st.sampled_from([*COLUMNS, "api_token"]), min_size=1, max_size=6, unique=True),
)
@example(values={"label": "a\0\udfff"}, names=["label"])
@example(values={"sent_at": dt.datetime(2026, 5, 1)}, names=["sent_at"])
@example(values={"weight": float("nan")}, names=["weight"])
@example(values={"size": True}, names=["size", "label"])
@example(values={"size": 10**5000}, names=["size"])
def test_both_ways_freeze_the_same(values, names):
    parcel = Parcel(label="Linen", pk=7)
    parcel.__dict__.update(values)
    assert freeze(parcel, names) == the_long_way(parcel, names)


class Shouting(models.Model):
    """Its title is no column's value as Django gives it."""

    title = models.CharField(max_length=10)

    class Meta:
        app_label = "shop"
        apps = Apps()  # of this test alone

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        return found.upper() if name == "title" else found


LONG = [
    # an object, a name of which the short way knows nothing
    (Parcel(), "details"),  # a document
    (Parcel(), "price"),  # rounded by the column
    (Parcel(), "pk"),
    (Parcel(), "api_token"),  # a secret
    (Parcel(), "no_such_name"),
    (Parcel(), "get_size_display"),
    (Parcel(), ""),  # its text
    (Order(), "owner"),
    (Order(), "owner_id"),
    (Order(), "lines"),
    (Guest(), "password_hint"),
    (Item(), "price"),
    (Parcel(size=F("size") + 1), "size"),
    (Parcel(size="1"), "size"),
    (Parcel(size=True), "size"),
    (Parcel(label=1), "label"),
    (Parcel(label=Text("a")), "label"),
    (Parcel(sent_at=dt.datetime(2026, 5, 1)), "sent_at"),  # without a zone
    (Parcel(weight=1), "weight"),
    (Parcel(weight=Decimal(1)), "weight"),
    (Parcel.from_db("default", ["id", "size"], [1, 2]), "label"),  # not loaded
    (Shouting(title="a"), "title"),
]


@pytest.mark.parametrize(("instance", "name"), LONG)
def test_what_has_to_be_asked_or_converted_goes_the_long_way(instance, name):
    assert columns.plain_values(instance, {name: {}}) is None


MOMENT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
SHORT = [
    # an object, a name of which it is known at once what is stored, the value
    (Parcel(label="Linen"), "label", "Linen"),
    (Parcel(size=2), "size", 2),
    (Parcel(size=None), "size", None),
    (Parcel(weight=0.5), "weight", 0.5),
    (
        Parcel(sent_at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC)),
        "sent_at",
        dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
    ),
    (Guest(first_name="Ada"), "first_name", "Ada"),  # a proxy
]


@pytest.mark.parametrize(("instance", "name", "value"), SHORT)
def test_the_commonest_columns_go_the_short_way(instance, name, value):
    assert columns.plain_values(instance, {name: {}}) == {name: value}
