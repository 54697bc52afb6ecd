"""Addresses and bodies that no form makes: whatever is asked for, the answer is never a fault of the server.

Every address of the site that takes a key is read off its URLs, so that a new one is covered by being there.
"""

import re
from functools import partial
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver, reverse

from notifier.inbox import items
from tests.support.builders import make_delivery, make_user
from tests.support.sizes import every_or

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

HUGE = "9" * 20
KEYS = {
    "twenty digits": HUGE,
    "nineteen digits, too large": "9" * 19,
    "more than twenty digits": "9" * 39,
    "five thousand digits": "9" * 5000,
    "negative": "-1",
    "very negative": f"-{HUGE}",
    "nought": "0",
    "leading noughts": "0" * 40 + "1",
    "Arabic digits": "١٢",
    "raised digits": "²³",
    "full-width digits": "１２",
    "NUL": "1\0",
    "None": "None",
    "true": "true",
    "a part": "1.5",
    "an exponent": "1e5",
    "endless": "inf",
    "no number": "NaN",
    "underscores": "1_0",
    "blanks": " 1 ",
    "a sign": "+1",
    "hexadecimal": "0x1",
    "a list": "[1]",
    "an object": '{"a": 1}',
    "several": "1,2",
    "a quote": "1'--",
    "a path": "../1",
    "Django's escape": "_5F_00_zz",
    "long": "a" * 5000,
    "a sign beyond the first plane": "😀",
    "half a UTF-8 sign": "\udcff",
}
# One of each kind: the rest is read by the same code.
ONE_OF_EACH_KIND = (
    "twenty digits", "five thousand digits", "very negative", "nought", "Arabic digits", "raised digits",
    "NUL", "a part", "a path", "Django's escape", "half a UTF-8 sign",
)  # fmt: skip
TRIED_KEYS = every_or({name: KEYS[name] for name in ONE_OF_EACH_KIND}, every=KEYS)
PAGES = ["-1", "0", str(10**9), HUGE, "9" * 5000, "abc", "", "1.5", "١", "\0", "None", "last"]
DATES = [
    "9999-12-31",
    "9999-12-31T23:59:59.999999",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T00:00:00+14:00",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-14:00",
    "0000-00-00",
    "10000-01-01",
    "2026-02-30",
    "2026-13-01",
    "2026-12-31T24:00",
    "2026-12-31T24:01:00",
    "2026-10-25T02:30:00",
    "2026-03-29T02:30:00",
    "2026-01-01T00:00:00+99:99",
    "2026-W53-7",
    "20261231",
    "-2026-01-01",
    "٢٠٢٦-١٢-٣١",
    "2026-12-31\0",
    "today",
    "9" * 5000,
]
# Where the clocks are ahead of UTC, and behind it: a day at either end of time has no other end.
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Niue"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level("CRITICAL", "django.request")


@pytest.fixture
def staff():
    client = Client(raise_request_exception=False)
    client.force_login(make_user(is_staff=True, is_superuser=True, username="ada"))
    return client


def faults(acts):
    """The names of the acts that ended as a fault of the server, and what it was."""
    found = {}
    for name, act in acts.items():
        response = act()
        if response.status_code >= 500:
            trace = getattr(response, "exc_info", None)
            found[name] = ascii(trace[1])[:200] if trace else response.status_code
    return found


def paths_with_keys(resolver=None, before="/"):
    """Every address of the site that holds something typed, with ``{}`` in its place."""
    for each in (resolver or get_resolver()).url_patterns:
        path = before + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from paths_with_keys(each, path)
        elif "<" in path and "(?P" not in path:
            yield re.sub(r"<[^>]+>", "{}", path)


WITH_KEYS = sorted(set(paths_with_keys()))


def as_path(text):
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


@pytest.mark.parametrize("path", WITH_KEYS)
def test_no_key_in_an_address_is_a_fault(staff, path):
    count = path.count("{}")
    acts = {}
    for name, key in TRIED_KEYS.items():
        address = path.format(*[as_path(key)] * count)
        acts[name, "GET"] = partial(staff.get, address)
        acts[name, "POST"] = partial(staff.post, address, {"confirmed": "yes"})
    assert faults(acts) == {}


LISTS = sorted(
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for model in admin.site._registry
    if model._meta.model_name != "overview"
)
OURS = [each for each in admin.site._registry if each._meta.app_label == "notifier"]


@pytest.fixture
def rows(settings):
    delivery = make_delivery(status="failed", reason="error")
    items.add_item(make_user().pk, title="T")
    return {"event": delivery.event_id, "delivery": delivery.pk, "trigger": delivery.event.trigger_id}


# What Django's lists know of an address, and values that tell something of it.
NUMBERS = every_or(["-1", HUGE, "abc", "\0"], every=PAGES)
ORDERS = every_or(["0.-1", f"{HUGE}.{HUGE}"], every=["0.-1", "1.2.3", f"{HUGE}.{HUGE}", *PAGES])
WORDS = every_or(["abc", "\0"], every=PAGES)
PARAMETERS = {
    **dict.fromkeys(("p", "all"), NUMBERS),
    "o": ORDERS,
    **dict.fromkeys(("e", "_facets", "_popup", "_to_field", "_changelist_filters", "unknown"), WORDS),
}
SEARCHES = ["#" + HUGE, "9" * 19, "9" * 18, "9" * 5000, "١٢", "²", "'\"" * 100, "a " * 500, "\0"]


def asked_of(url):
    """What an address of a list can ask for, by each parameter that Django's lists know."""
    for name, values in PARAMETERS.items():
        for value in values:
            yield f"{url}?{urlencode({name: value})}"
        for value in every_or(values[:1], every=values):
            yield f"{url}?{urlencode([(name, value), (name, '1')])}"
    for value in every_or(SEARCHES[:3] + SEARCHES[-1:], every=SEARCHES):
        yield f"{url}?{urlencode({'q': value})}"


@pytest.mark.parametrize("url", LISTS)
def test_nothing_that_is_asked_of_a_list_is_a_fault(staff, rows, url):
    assert faults({each: partial(staff.get, each) for each in asked_of(url)}) == {}


LOOKUPS = every_or(
    ["", "__in", "__gte", "__date", "__range"],
    every=[
        "",
        *(f"__{each}" for each in ("exact", "in", "gte", "isnull", "year", "date", "range", "regex", "foo")),
    ],
)
ASKED = every_or(
    [HUGE, "1,abc", "9999-12-31", "\0"],
    every=["", "abc", HUGE, "9" * 5000, "-1", "1,abc", "9999-12-31", "0001-01-01", "\0", "[", "true"],
)


def looked_up(model):
    own = admin.site._registry[model]
    names = {getattr(each, "parameter_name", None) for each in own.list_filter} - {None}
    for field in model._meta.fields:
        names |= {field.name + kind for kind in LOOKUPS}
    return sorted(names)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_filter_of_a_list_is_a_fault(staff, rows, model):
    if model._meta.model_name == "overview":
        url = reverse("admin:notifier_overview")
    else:
        url = reverse(f"admin:notifier_{model._meta.model_name}_changelist")
    acts = {}
    for name in looked_up(model):
        for value in ASKED:
            acts[name, value] = partial(staff.get, f"{url}?{urlencode({name: value})}")
        acts[name, "two"] = partial(staff.get, f"{url}?{urlencode([(name, 'a'), (name, '1')])}")
    assert faults(acts) == {}


@pytest.mark.parametrize("zone", ZONES)
def test_no_day_of_a_filter_is_a_fault(staff, rows, settings, zone):
    settings.TIME_ZONE = zone
    url = "/admin/notifier/delivery/"
    asked = {date: partial(staff.get, f"{url}?{urlencode({'created': date})}") for date in DATES}
    assert faults(asked) == {}


@pytest.mark.parametrize("zone", ZONES)
def test_no_time_in_a_question_is_a_fault(staff, rows, settings, zone):
    settings.TIME_ZONE = zone
    acts = {}
    for date in DATES:
        why, seen = {"person": "ada", "since": date, "until": date}, {"seen": date, "confirmed": "yes"}
        acts["why", date] = partial(staff.get, f"{reverse('admin:notifier_why')}?{urlencode(why)}")
        acts["seen", date] = partial(staff.post, f"/admin/notifier/delivery/{rows['delivery']}/retry/", seen)
        acts["quiet", date] = partial(staff.post, "/notifications/preferences/", {"quiet_from": date})
    assert faults(acts) == {}
