"""Rows with one column that holds what nobody would write: past validation, by an older release, by hand.

Only what a column of PostgreSQL can hold: a shorter text than its length, a number of its size, a year from 1
to 9999.
"""

import datetime as dt
from decimal import Decimal

from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Value

from tests.support.sizes import every_or

LONG = "9" * 23
# In every text.
TEXTS = ["", "\x1b[31m\u202e\u2028\r\n\t'\"<%s%(x)d{}{0!r}" + "é" * 1000]
KEYS = every_or(["abc", LONG, "١٢"], every=["abc", LONG, "-1", "0", "١٢", "1.5", "None", "[1]"])
NAMED = every_or(
    ["a.b.c", "nowhere.nothing"], every=["abc", "nowhere.nothing", "demo", "a.b.c", "notifier.event"]
)
LANGUAGES = every_or(["../../etc"], every=["xx", "../../etc", "en-us-x-private", "٣"])
SOURCES = ["{% if %}{{", "{{ instance.nothing.at.all }}", "{% extends 'nothing' %}", "{{ 1|wordwrap:0 }}"]
# Templates, which a page compiles.
OF_SOURCES = {"subject", "text", "html", "text_from_html", "whole_text", "whole_html"}
OBJECTS = [f"demo.post:{key}" for key in KEYS] + every_or(
    [], every=[f"auth.user:{key}" for key in ("", *KEYS)]
)
# What code takes apart, by the column's name.
READ = {
    "scope": ["abc", "channel:", "budget:x", *(f"trigger:{each}" for each in ("", *KEYS))],
    "recipient": ["abc", "address:", "address:abc", *(f"user:{each}" for each in ("", *KEYS))],
    "action_object": [*NAMED, *OBJECTS],
    "actor": [*NAMED, *OBJECTS],
    "about": [*NAMED, *OBJECTS],
    "model": NAMED,
    "actor_model": NAMED,
    "object_pk": KEYS,
    "actor_pk": KEYS,
    "target": NAMED,
    "verb": ["abc", "pre_init", "m2m_changed", "order_placed"],
    "on": ["abc"],
    "condition": ["instance.title ==", "instance.nothing > 1", "user.x", "(" * 200, "instance.title == 'x'"],
    "paths": ["instance.nothing", "email: ", ": :", "user.groups", "instance.title\nemail:\n\n:x"],
    "addresses": ["abc", "email:", ": :", "nothing: a", "email: a@example.com\nsms\n:"],
    "time_zone": ["Atlantis/Nowhere", "../../etc", "UTC+25", "localtime", "/etc/passwd", "Europe"],
    "language": LANGUAGES,
    "channel": ["nothing", "../x", "email:x", "inbox", "push"],
    "follows": ["nothing"],
    "followed_by": ["nothing"],
    "status": ["nothing", "sent", "held", "shadow", "failed", "waiting"],
    "kind": ["nothing"],
    "reason": ["nothing", "throttled"],
    "returned": ["nothing", "bounced"],
    "declared": ["nothing", "retired", "code"],
    "digest": ["nothing", "daily"],
    "order": ["nothing", "inbox_first"],
    "platform": ["nothing"],
    "source": ["nothing"],
    "address": ["@", "+", "http://[::1", "#1", "a@b\nc: d", "telegram:x"],
    "link": ["javascript:alert(1)", "//x", "http://[", "data:,"],
    "icon": ["javascript:alert(1)", "//x", "http://["],
    "file": ["../../etc/passwd", "nothing.html", "/", "\\"],
    "route": ["nothing", "email"],
    "name": ["nothing", ":", "email:", "dlq.email", "quota", "counted"],
    **dict.fromkeys(OF_SOURCES, SOURCES),
}
NUMBERS = every_or(
    [-(2**63), 0, 2**31 - 1, 2**63 - 1], every=[-(2**63), -1, 0, 1, 10**6, 2**31 - 1, 2**63 - 1]
)
SHAPES = every_or(
    [None, 0, "text", [None], [[]], {"a": None}],
    every=[None, True, 0, -1.5, "text", [], {}, [None], [1, "two"], [[]], [{}], {"a": None}, {"": {"": ""}}],
)
# Of the columns whose JSON code reads by its shape.
PLANS = [
    [{"subscription": LONG, "contents": {}}],
    [{"subscription": int(LONG), "contents": {"email": {"": int(LONG)}}}],
    [{"subscription": None, "contents": None}],
    [{"subscription": 1, "contents": {"nothing": {"xx": "abc"}}}],
    [{"subscription": 1, "contents": {"email": []}}],
    [{"subscription": 1, "contents": ["email"]}],
    [{"subscription": [1], "contents": {"email": {"": 1}}}],
    [{"contents": {"email": {"": 1}}}],
    [{"subscription": 1, "contents": {"email": {"": 1}}, "recipients": "abc", "unwritten": 1}],
    [{"subscription": 1, "contents": {"email": {"": 1}}, "recipients": [{"users": ["abc", LONG]}]}],
    [{"subscription": 1, "contents": {"email": {"": 1}}, "recipients": [{"relation": "x", "model": "y"}]}],
    [{"subscription": 1, "contents": {"email": {"": 1}}, "unwritten": [None, {}]}],
]
MATCHES = [
    [{"trigger": int(LONG), "name": None, "because": 1}],
    [{"trigger": "abc", "name": [], "because": {}}],
    [{"name": "N"}],
    [{"trigger": 1, "because": "b"}],
    [{"trigger": [1], "name": "N", "because": ""}],
]
DATA = [
    {"$t": "decimal", "v": "abc"},
    {"instance": {"$t": "nothing", "v": 1}},
    {"instance": {"$t": "datetime", "v": "9999-99-99"}},
    {"instance": {"$t": "datetime", "v": "9999-12-31T23:59:59.999999+00:00"}},
    {"instance": {"$t": "datetime", "v": "0001-01-01T00:00:00+00:00"}},
    {"instance": {"$t": "decimal", "v": "1E+1000000"}},
    {"instance": {"$t": "decimal", "v": "NaN"}},
    {"instance": {"$t": ["decimal"], "v": {}}},
    {"instance": {"$t": "decimal"}},
    {"instance": {"model": 1, "pk": None}},
    {"instance": {"model": "nowhere.nothing", "pk": [], "": 1}},
]
CURSORS = [{"step": "abc", "after": LONG}, {"step": 10**9}, {"step": -1, "after": {}}, {"step": None}]
LINKS = [[[1, 2], [2**63, 1]], [["a", None], [1]], [[[1], {}]], [[1, 2, 3]], [[-1, True]]]
JSON = {
    ("event", "causes"): LINKS,
    ("event", "plan"): PLANS,
    ("event", "explanation"): MATCHES,
    ("event", "data"): DATA,
    ("event", "cursor"): CURSORS,
    ("event", "dead_ends"): [["a", 1], "abc", {"a": 1}],
    ("contentversion", "paths"): [{"instance": 1}, {"instance": ["a"]}, {"": {"": {}}}, ["instance"]],
    ("subscription", "channels"): [["nothing"], [1], {"email": 1}, "email"],
    ("audience", "callables"): [["nothing"], [1], "abc"],
    ("template", "providers"): [["nothing"], [1], "abc"],
}
UTC = dt.UTC
EPOCH_YEARS = [dt.datetime(1, 1, 1, tzinfo=UTC), dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]


def odd_rows(model):
    """Column → what it holds, for each row that is odd.

    What code takes apart is odd by itself. Days, numbers and texts that are only shown are so together: all
    the least, all the most; at full size one by one.
    """
    alone, together = [], []
    for field in odd_columns(model):
        values = odd_values(field)
        is_read = isinstance(field, models.JSONField) or field.name in READ.keys() - OF_SOURCES
        if every_or(is_read, every=True):
            alone += [{field.attname: value} for value in values]
            continue
        together += [{} for _ in values[len(together) :]]
        for row, value in zip(together, values, strict=False):
            row[field.attname] = value
    return alone + together


def odd_values(field):
    """What ``field`` can hold in the database and nobody would write there; as ``update`` takes them."""
    own = JSON.get((field.model._meta.model_name, field.attname), [])
    if isinstance(field, models.JSONField):
        values = [*(every_or(SHAPES[1:2] if own else SHAPES, every=SHAPES)), *own]
        return [Value(each, models.JSONField()) for each in values if each is not None or field.null]
    return _of_type(field) + [None] * field.null


def _of_type(field):
    if isinstance(field, models.BooleanField):
        return [True, False]
    if isinstance(field, models.CharField | models.TextField):
        own = READ.get(field.name, ())
        # The blank one is among them, with what stands before it.
        texts = [*every_or(TEXTS[1:] if own else TEXTS, every=TEXTS), *own]
        return list(dict.fromkeys(each[: field.max_length] for each in texts))
    if isinstance(field, models.DateTimeField):
        return EPOCH_YEARS
    if isinstance(field, models.DateField):
        return [dt.date.min, dt.date.max]
    if isinstance(field, models.TimeField):
        return [dt.time.min, dt.time.max]
    if isinstance(field, models.FloatField):
        return [0.0, -1.0, 1e300, -1e300, float("inf")]
    if isinstance(field, models.DecimalField):
        most = Decimal(10) ** (field.max_digits - field.decimal_places) - 1
        return [Decimal(0), Decimal(-1), most]
    kind = field.target_field if field.is_relation else field
    # SQLite would hold more.
    least, most = BaseDatabaseOperations.integer_field_ranges[kind.get_internal_type()]
    return [each for each in NUMBERS if least <= each <= most]


def odd_columns(model):
    """The columns of ``model`` that can hold something odd: not the keys that the database looks after."""
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key and not (field.is_relation and field.db_constraint)
    ]
