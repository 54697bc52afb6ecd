"""What an argument or a column holds becomes plain data: the base type's value, a bounded list, entries."""

import collections
import datetime as dt
import enum
import types
import uuid
from decimal import Decimal

import pytest
from django.db import models
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString

from notifier.models import Event
from notifier.templating import snapshot
from notifier.testing import capture_notifications
from project.demo.models import Post
from tests.app.models import Customer, Guest, Line, Order, Parcel
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import data_of_the_event, register
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

KEY = uuid.UUID("0f36bd71-52c2-4a0e-9c5f-3f6c1b7d2c11")


class Moment(dt.datetime):
    """As freezegun's and pendulum's."""


class Day(dt.date):
    pass


class Hour(dt.time):
    pass


class Span(dt.timedelta):
    @property
    def days(self):  # as pendulum's, which counts in weeks
        return 0


class Money(Decimal):
    def __str__(self):
        return "€ many"


class Key(uuid.UUID):
    pass


class Word(str):
    __slots__ = ()

    def __str__(self):
        return "shown"


class Number(int):
    def __repr__(self):
        return "many"


class Part(float):
    def __repr__(self):
        return "some"


class Colour(enum.Enum):
    RED = "red"


class Paint(str, enum.Enum):  # noqa: UP042 - as many have it
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Right(enum.Flag):
    READ = 4


class Payload(dict):
    pass


class Several(list):
    pass


class Size(models.TextChoices):
    LARGE = "L", "Large"


Point = collections.namedtuple("Point", "x y")
AT = dt.datetime(2026, 1, 31, 23, 59, 1, 5, tzinfo=dt.UTC)
BASES = [
    # a value of a subclass, the plain value
    (Moment(2026, 1, 31, 23, 59, 1, 5, tzinfo=dt.UTC), AT),
    (Day(2026, 1, 31), dt.date(2026, 1, 31)),
    (Hour(8, 30), dt.time(8, 30)),
    (Span(days=2, seconds=5), dt.timedelta(days=2, seconds=5)),
    (Money("12.50"), Decimal("12.50")),
    (Key(str(KEY)), KEY),
    (Word("word"), "word"),
    (SafeString("<b>"), "<b>"),
    (Number(7), 7),
    (Part(0.5), 0.5),
    (Colour.RED, "red"),
    (Paint.RED, "red"),
    (Level.HIGH, 3),
    (Right.READ, 4),
    (Size.LARGE, "L"),
    (Payload(a=Number(1)), {"a": 1}),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(list, a=[Word("x")]), {"a": ["x"]}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    ({Colour.RED: 1, Paint.RED: 2, Number(7): 3}, {"red": 2, "7": 3}),
    (Several([Number(1)]), [1]),
    (Point(1, 2), [1, 2]),
    (collections.deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ({"a": 1}.keys(), ["a"]),
    ({"a": 1}.values(), [1]),
    (SimpleLazyObject(lambda: Word("late")), "late"),
    (SimpleLazyObject(lambda: Money("1.5")), Decimal("1.5")),
    (SimpleLazyObject(lambda: None), None),
    (SimpleLazyObject(lambda: [Number(1)]), [1]),
    (bytearray(b"bytes"), "b'bytes'"),
    (memoryview(b"bytes"), "b'bytes'"),
    # No number that a message could show, or that a filter could count with
    (Decimal("NaN"), "NaN"),
    (Decimal("sNaN"), "NaN"),
    (Decimal("-Infinity"), "-Infinity"),
    (Decimal("1E+1000000"), "1E+1000000"),
    (Decimal("1E-1000000"), "1E-1000000"),
    (Decimal("1E+100"), Decimal("1E+100")),
    (Decimal("0E+1000"), Decimal("0E+1000")),
    (float("inf"), "inf"),
]


@pytest.mark.parametrize(("value", "expected"), BASES)
def test_a_subclass_is_the_value_of_its_base_type(value, expected, request):
    signal = register(f"plain-{request.node.callspec.id}", args=["value"])
    make_trigger(
        verb=f"plain-{request.node.callspec.id}", model="", contents={"email": {"text": "{{ value }}"}}
    )
    signal.send(sender=None, value=value)
    found = data_of_the_event()["value"]
    assert (found, type(found)) == (expected, type(expected))


def sent_for(text, name, **arguments):
    """What a mail with ``text`` says of a signal with these arguments."""
    signal = register(name, args=list(arguments))
    make_trigger(
        verb=name,
        model="",
        contents={"email": {"text": text}},
        audiences=[make_audience(users=[make_user(email="reader@example.com")])],
    )
    with capture_notifications() as sent:
        signal.send(sender=None, **arguments)
    return [message.text for message in sent]


LISTS = [
    # a query or what came of one
    lambda: Post.objects.all(),
    lambda: Post.objects,
    lambda: Post.objects.all()[:2],
    lambda: Post.objects.filter(title="a") | Post.objects.filter(title="b"),
    lambda: Post.objects.filter(title="a").union(Post.objects.filter(title="b")),
    lambda: list(Post.objects.all()),
    lambda: tuple(Post.objects.all()),
    lambda: Post.objects.values("title"),
    lambda: Post.objects.only("title"),
    lambda: Post.objects.raw("SELECT * FROM demo_post ORDER BY title"),
    lambda: [{"title": "a"}, {"title": "b"}],
    lambda: {post.title: post for post in Post.objects.all()}.values(),
]


@pytest.mark.parametrize("make", LISTS)
def test_a_query_is_a_list_of_its_objects(make, request):
    for title in "ab":
        Post.objects.create(title=title)
    text = "{% for item in items %}{{ item.title }}{% endfor %}{{ items|length }}"
    name = f"lists-{request.node.callspec.id}"
    assert sent_for(text, name, items=make()) in (["ab2"], ["ba2"])


SHOWN = [
    ("{{ items }}", "[a, b]"),
    ("{{ items.0 }}{{ items.1.title }}", "ab"),
    ("{{ items|join:', ' }}", "a, b"),
    ("{% for post in items.all %}{{ post }}{% endfor %}", "ab"),
    ("{% if items %}some{% endif %}{{ items|last }}", "someb"),
]


@pytest.mark.parametrize(("text", "expected"), SHOWN)
def test_a_query_may_be_shown_in_every_way_that_a_list_may(text, expected, request):
    for title in "ab":
        Post.objects.create(title=title)
    name = f"shown-{request.node.callspec.id}"
    assert sent_for(text, name, items=Post.objects.order_by("title")) == [expected]


def test_values_of_one_column_are_a_list():
    Post.objects.create(title="a")
    titles = Post.objects.values_list("title", flat=True)
    assert sent_for("{{ items.0 }}{% for item in items %}{{ item }}{% endfor %}", "flat", items=titles) == [
        "aa"
    ]


def test_a_query_is_bounded_and_read_once_whatever_its_items_lead_to():
    customer = Customer.objects.create(first_name="Grace")
    order = Order.objects.create(number="1", customer=customer)
    Line.objects.bulk_create(Line(order=order, name=str(number)) for number in range(snapshot.MAX_ITEMS + 1))
    tree = {"items": {"*": {"order": {"customer": {"first_name": {"": {}}}}}}}
    with statements() as found:
        frozen = snapshot.freeze({"items": Line.objects.all()}, tree)
    assert len(frozen["items"]) == snapshot.MAX_ITEMS
    assert found == ["SELECT shop_line"]
    lines = Line.objects.all()[:3]
    list(lines)
    with statements() as found:
        snapshot.freeze({"items": lines}, {"items": {}})
    assert found == []  # it was read already


ONCE = [lambda: (post for post in "ab"), lambda: iter(["a"]), lambda: map(str, [1]), lambda: reversed([1])]


@pytest.mark.parametrize("make", ONCE)
def test_what_can_be_read_once_is_left_to_the_caller_and_the_event_says_so(make, request):
    value = make()
    heard = []
    name = f"once-{request.node.callspec.id}"
    signal = register(name, args=["items"])
    make_trigger(verb=name, model="", contents={"email": {"text": "{{ items }}"}})
    make_trigger(verb=name, model="", contents={"email": {"text": "it reads nothing"}})

    def hear(items, **signal):
        heard.extend(items)

    signal.connect(hear, weak=False)
    signal.send(sender=None, items=value)
    assert heard == list(make())
    failed, sent = Event.objects.order_by("pk")
    assert (failed.status, sent.status) == ("failed", "recorded")
    assert "can be read only once" in failed.reason
    assert "list(…)" in failed.reason


LOOP = "{% for k, v in instance.details.items %}{{ k }}={{ v }};{% endfor %}"
ENTRIES = [
    # a template, somebody's JSON, what it says
    (LOOP, {"size": "L", "a": 1}, "size=L;a=1;"),
    (LOOP.replace("details", "details.to"), {"to": {"b": 1, "aa": 2}}, "b=1;aa=2;"),
    (LOOP.replace("{ v }", "{ v.x }"), {"a": {"x": 1, "y": 2}}, "a=1;"),
    ("{% for k in instance.details.keys %}{{ k }};{% endfor %}", {"b": 1, "a": 2}, "b;a;"),
    ("{% for v in instance.details.values %}{{ v }};{% endfor %}", {"b": 1, "a": 2}, "1;2;"),
    ("{% for k in instance.details %}{{ k }};{% endfor %}", {"a": 1}, "a;"),
    ("{{ instance.details.items|length }}", {"a": 1, "b": 2}, "2"),
    ("{{ instance.details.a }}{% for k, v in instance.details.items %}{{ v }}{% endfor %}", {"a": 1}, "11"),
    ("{{ instance.details.7 }}", {"7": "seven"}, "seven"),
    # It has one of that name
    ("{% for x in instance.details.items %}{{ x.name }};{% endfor %}", {"items": [{"name": "n"}]}, "n;"),
    ("{{ instance.details.values }}", {"values": "mine"}, "mine"),
    ("{% for k, v in instance.details.items %}{{ k }}{% endfor %}", {}, ""),
    ("{% for k, v in instance.details.items %}{{ k }}{% endfor %}", [1], ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "details", "expected"), ENTRIES)
def test_a_json_object_can_be_looped_over(text, details, expected):
    make_trigger(
        model="shop.parcel",
        contents={"email": {"text": f"<{text}>"}},
        audiences=[make_audience(users=[make_user(email="reader@example.com")])],
    )
    with capture_notifications() as sent:
        Parcel.objects.create(label="Books", details=details)
    assert [message.text for message in sent] == [f"<{expected}>"]


THEIRS = [
    # somebody's own JSON that looks like ours
    {"model": "shop.order", "pk": 1},
    {"model": "shop.order", "pk": 1, "": "Order"},
    {"": "text"},
    {"$t": "decimal", "v": "1E+1000000"},
    {"$t": "decimal", "v": "12.50"},
    {"$t": "date", "v": "2026-01-31"},
    {"$t": "uuid", "v": str(KEY)},
    {"$t": "dict", "v": [["a", 1]]},
    {"$t": "entries", "v": [["a", 1]]},
    {"$t": "raw", "v": {"$t": "date", "v": "2026-01-31"}},
    {"a": [{"$t": "dict", "v": [["$t", "date"], ["v", "2026-01-31"]]}]},
    {"$t": None},
]


@pytest.mark.parametrize("details", THEIRS)
@pytest.mark.parametrize("text", ["{{ instance.details }}", "{{ instance.details.a }}{{ instance.details }}"])
def test_somebodys_own_json_stays_plain_data(details, text):
    make_trigger(model="shop.parcel", contents={"email": {"text": text}})
    Parcel.objects.create(label="Books", details=details)
    found = data_of_the_event()["instance"]["details"]
    assert (found, type(found)) == (details, dict)
    assert all(type(each) is dict for each in found.get("a", []))


NOT_OURS = [
    # a condition about somebody's own JSON that looks like an object or a number of ours: never true, at once
    ("instance.details == instance", {"model": "shop.parcel", "pk": 1}),
    ('instance.details == "text"', {"": "text"}),
    ("instance.details.weight|add:0 > 5", {"weight": {"$t": "decimal", "v": "1E+1000000"}}),
    ("instance.details.weight|floatformat:2 == 5", {"weight": {"$t": "decimal", "v": "1E+1000000"}}),
    ("instance.details.weight|filesizeformat == 5", {"weight": {"$t": "decimal", "v": "1E+1000000"}}),
]


@pytest.mark.parametrize(("condition", "details"), NOT_OURS)
def test_somebodys_own_json_is_no_object_and_no_number(condition, details):
    make_trigger(model="shop.parcel", condition=condition)
    Parcel.objects.create(id=1, label="Books", details=details)
    assert not Event.objects.exists()


SAME = [
    # two objects, whether a template takes them for one
    (lambda one: (one, Guest.objects.get(pk=one.pk)), True),  # a proxy and its model
    (lambda one: (one, Customer.objects.only("pk").get(pk=one.pk)), True),  # nothing of it was loaded
    (lambda one: (Guest.objects.only("pk").get(pk=one.pk), one), True),
    (lambda one: (one, Customer.objects.create(first_name="Grace")), False),
    (lambda one: (one, Post.objects.create(pk=one.pk, title="Grace")), False),
    (lambda one: (Customer(first_name="Grace"), Customer(first_name="Bo")), False),  # without keys
]


@pytest.mark.parametrize(("make", "expected"), SAME)
def test_two_objects_are_the_same_as_django_says(make, expected, request):
    first, second = make(Customer.objects.create(first_name="Grace"))
    name = f"same-{request.node.callspec.id}"
    text = "{% if a == b %}same{% else %}other{% endif %}{% if a in l %}in{% endif %}"
    assert sent_for(text, name, a=first, b=second, l=[second]) == ["samein" if expected else "other"]
    assert (first == second) is expected


NUMBERS = [
    # what a message shows of what is no number
    ("{{ value }}", Decimal("NaN"), "NaN"),
    ("{{ value|floatformat:2 }}", Decimal("NaN"), "NaN"),
    ("{{ value }}", Decimal("Infinity"), "Infinity"),
    ("{{ value|floatformat:2 }}{{ value|add:1 }}", Decimal("1E+1000000"), "1E+1000000"),
    ("{{ value }}", float("nan"), "nan"),
    ("{{ value|json }}", Decimal("NaN"), '"NaN"'),
]


@pytest.mark.parametrize(("text", "value", "expected"), NUMBERS)
def test_what_is_no_number_is_shown_and_fails_nothing(text, value, expected, request):
    assert sent_for(text, f"nan-{request.node.callspec.id}", value=value) == [expected]
