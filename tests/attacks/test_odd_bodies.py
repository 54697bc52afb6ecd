"""Requests that no page makes: bodies of other kinds, other methods, forms that are filled in by nobody.

Nothing of it is a fault of the server, and nothing that is somebody else's is shown or changed. The addresses
are those of the project, so a new one is covered by being there.
"""

import json
import re
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.core import signing
from django.db import transaction
from django.test import Client

from notifier.inbox import items, listing
from notifier.models import Event
from tests.support.asked_addresses import addresses, fingerprint
from tests.support.builders import make_user
from tests.support.planting import plant
from tests.support.sizes import every_or

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

HUGE, LONG = "9" * 20, "9" * 5000
JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BODIES = {
    "nothing": (JSON, b""),
    "a list": (JSON, b"[1, 2]"),
    "a number": (JSON, b"1"),
    "null": (JSON, b"null"),
    "true": (JSON, b"true"),
    "a text": (JSON, b'"up_to"'),
    "lists, 10,000 deep": (JSON, b"[" * 10_000 + b"]" * 10_000),
    "objects, 10,000 deep": (JSON, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "deep in a field": (JSON, b'{"up_to":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "never closed": (JSON, b'{"up_to": [' + b"[" * 10_000),
    "2 MB": (JSON, b'{"up_to": "' + b"x" * 2_000_000 + b'"}'),
    "4 MB, more than is read": (JSON, b'{"up_to": "' + b"x" * 4_000_000 + b'"}'),
    "broken UTF-8": (JSON, b'{"up_to": "\xff\xfe\xc3"}'),
    "UTF-16": (JSON, '{"up_to": 1}'.encode("utf-16")),
    "half a surrogate": (JSON, b'{"up_to": "\\ud800"}'),
    "NUL": (JSON, b'{"up_to": "1\\u0000"}'),
    "a key twice": (JSON, b'{"up_to": 0, "up_to": [9]}'),
    "no number": (JSON, b'{"up_to": NaN}'),
    "endless": (JSON, b'{"up_to": -Infinity}'),
    "a number of 5,000 digits": (JSON, b'{"up_to": ' + LONG.encode() + b"}"),
    "a number past all columns": (JSON, b'{"up_to": 99999999999999999999}'),
    "a part of a number": (JSON, b'{"up_to": 1.5}'),
    "a list for a number": (JSON, b'{"up_to": [1]}'),
    "an object for a number": (JSON, b'{"up_to": {"a": 1}}'),
    "a yes for a number": (JSON, b'{"up_to": true}'),
    "another type": ("text/plain", b'{"up_to": 1}'),
    "no type": ("", b'{"up_to": 1}'),
    "XML": ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "an unknown charset": (f"{JSON}; charset=nothing", b'{"up_to": 1}'),
    "a form of an unknown charset": (f"{FORM}; charset=nothing", b"text=1"),
    "a form of another charset": (f"{FORM}; charset=utf-7", b"text=+AGE-"),
    "a form of broken signs": (FORM, b"text=%ff%fe%&%zz=%&=&&&text=\xff\xc3"),
    "a form of NUL": (FORM, b"text=%00&platform=%00&token=%00&reason=%00&scope=%00&seen=%00&confirmed=1"),
    "a form of very many fields": (FORM, b"&".join(b"a%d=1" % number for number in range(5000))),
    "a form of 4 MB": (FORM, b"text=" + b"x" * 4_000_000),
    "JSON that says it is a form": (FORM, b'{"up_to": 1}'),
    "parts without a boundary": (PARTS, b"x"),
    "parts that end too soon": (f"{PARTS}; boundary=x", b"--x\r\nContent-Disposition: form-data; name="),
    "parts with a long boundary": (f"{PARTS}; boundary={'x' * 5000}", b"--x--"),
    "parts without a name": (f"{PARTS}; boundary=x", b"--x\r\n\r\nx\r\n--x--\r\n"),
    "a broken base64 part": (
        f"{PARTS}; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        b"!\r\n--x--\r\n",
    ),
    "a file for a text": (
        f"{PARTS}; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="text"; filename="../../x"\r\n\r\nx\r\n--x--\r\n',
    ),
}
# On the pages of Django's own, which all read a body in the same way.
OF_EACH_KIND = (
    "a list",
    "broken UTF-8",
    "a form of broken signs",
    "parts that end too soon",
    "a form of NUL",
)
METHODS = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]
# Django's own pages, as they are for each model.
GENERIC = re.compile(r"/admin/(?!notifier/)|/admin/notifier/(\w+/)?((<\S+/)?(add|change|delete|history)/)?$")
MARK = re.compile(r"Adas-(?!category)[\w-]*")


def marked(field):
    return f"Adas-{field.model._meta.model_name}-{field.name}"


@pytest.fixture
def rows(settings, caplog):
    """A row of each model, all of them of one person, and addresses that have feedback."""
    caplog.set_level("CRITICAL")
    settings.ROOT_URLCONF = "tests.support.all_urls"
    settings.NOTIFIER = settings.NOTIFIER | {"FEEDBACK_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:topic"}
    found = plant(marked, user=make_user(username="ada"))
    event = found[Event]
    Event.objects.filter(pk=event.pk).update(status="done", action_object="", actor="")
    event.refresh_from_db()
    return found


def signed_in(**user):
    client = Client(raise_request_exception=False)
    client.force_login(make_user(**user))
    return client


def fault_of(ask):
    """What was wrong with an answer, or blank; whatever it did is undone."""
    with transaction.atomic():
        response = ask()
        transaction.set_rollback(True)
    if response.status_code < 500 or response.status_code == 503:
        return ""
    error = getattr(response, "exc_info", None)
    return ascii(error[1])[:150] if error else str(response.status_code)


def faults(acts):
    return {name: fault for name, ask in acts.items() if (fault := fault_of(ask))}


def sends(client, address, body):
    kind, content = BODIES[body]
    return lambda: client.generic("POST", address, content, content_type=kind)


@pytest.mark.one_database
def test_no_body_is_a_fault_at_what_takes_one(rows):
    client = signed_in(is_staff=True, is_superuser=True)
    ours = [each for each, route in addresses(rows).items() if not GENERIC.match(route)]
    assert len(ours) > 30
    assert faults({(each, body): sends(client, each, body) for each in ours for body in BODIES}) == {}


@pytest.mark.one_database
def test_no_body_is_a_fault_at_the_lists_and_forms(rows):
    client = signed_in(is_staff=True, is_superuser=True)
    generic = [each for each, route in addresses(rows).items() if GENERIC.match(route)]
    assert len(generic) > 80
    assert faults({(e, body): sends(client, e, body) for e in generic for body in OF_EACH_KIND}) == {}


@pytest.mark.one_database
@pytest.mark.parametrize("method", METHODS)
def test_another_method_is_no_fault_and_changes_nothing(rows, method):
    client, before = signed_in(is_staff=True, is_superuser=True), None
    client.get("/admin/")
    before, found = fingerprint(), {}
    for address in addresses(rows):
        response = client.generic(method, address, b"confirmed=yes&post=yes", content_type=FORM)
        if response.status_code >= 500 or method == "TRACE" and b"Cookie" in response.content:
            found[address] = ascii(getattr(response, "exc_info", [0, response.status_code])[1])[:150]
    assert found == {}
    assert fingerprint() == before


@pytest.mark.one_database
@pytest.mark.parametrize("who", ["a customer", "staff without a permission", "a visitor"])
def test_whoever_may_nothing_changes_and_reads_nothing_by_any_body(rows, who):
    client = Client(raise_request_exception=False)
    if who != "a visitor":
        client.force_login(make_user(is_staff=who != "a customer", username="ben"))
    before, shown = fingerprint(), {}
    good = {"confirmed": "yes", "post": "yes", "template": "1", "text": "x", "scope": "everything", "q": "A"}
    for address, route in addresses(rows).items():
        # Whoever has the link of a message is its person; the outbox is this machine's.
        if "<str:token>" in route or address.startswith("/outbox/"):
            continue
        for kind, body in ((FORM, urlencode(good)), (JSON, json.dumps({"up_to": 9})), (PARTS, b"x")):
            with transaction.atomic():
                response = client.generic("POST", address, body, content_type=kind)
                if response.status_code >= 500 or (found := MARK.search(response.text)):
                    shown[address] = response.status_code if response.status_code >= 500 else found[0]
                if now := _changed(response, before):
                    shown[address] = now
                transaction.set_rollback(True)
    assert shown == {}


def _changed(response, before):
    """The models that are another than before; those of a refusal are not read."""
    refused = response.status_code in (401, 403, 404, 405, 415)
    if refused or response.headers.get("Location", "").startswith("/admin/login/"):
        return []
    now = fingerprint()
    return sorted(label for label in now if now[label] != before[label])


FILLED = {
    "nothing": "",
    "NUL": "x\0",
    "twenty digits": HUGE,
    "five thousand digits": LONG,
    "a sign that no column takes": "\ud800",
    "Arabic digits": "١",
    "a negative": "-1",
    "an object": '{"a": [1]}',
    "braces": "{% if %}{{ x|nothing:1 }}",
    "a line of controls": "\x1b[31m\u202e\r\n\t'\"<",
}
OF_ONE_KIND = every_or(("Arabic digits", "an object", "a line of controls"), every=())
TRIED = {name: value for name, value in FILLED.items() if name not in OF_ONE_KIND}
NAME = re.compile(r'<(?:input|select|textarea)[^>]*\sname="([^"]+)"')
NOT_FILLED = re.compile(r"csrfmiddlewaretoken|_(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS|-(TOTAL|INITIAL)_")


def pages_with_forms(rows):
    of_rows = {each for each, route in addresses(rows).items() if "<" in route or each.endswith("/add/")}
    more = {"/admin/notifier/trigger/setup/", "/notifications/preferences/", "/admin/notifier/pause/"}
    return sorted(each for each in of_rows | more if not re.search(r"/(delete|history)/$", each))


@pytest.mark.one_database
@pytest.mark.parametrize("value", TRIED.values(), ids=TRIED)
def test_no_form_that_is_filled_in_by_nobody_is_a_fault(rows, value):
    client, acts, forms = signed_in(is_staff=True, is_superuser=True), {}, 0
    for address in pages_with_forms(rows):
        names = sorted(set(NAME.findall(client.get(address).text)))
        forms += bool(names)
        kept = {name: "1" if "TOTAL" in name else "0" for name in names if NOT_FILLED.search(name)}
        filled = {name: value for name in names if not NOT_FILLED.search(name)}
        every = {name: [value, "1"] for name in names}
        acts[address, "each"] = lambda address=address, data=filled | kept: _post(client, address, data)
        if value in (HUGE, "-1"):
            acts[address, "twice"] = lambda address=address, data=every: _post(client, address, data)
    assert forms > 30
    assert faults(acts) == {}


def _post(client, address, data):
    body = urlencode(data, doseq=True, errors="surrogatepass")
    return client.generic("POST", address, body, content_type=FORM)


CHOSEN = {
    "a text": ["abc"],
    "twenty digits": [HUGE],
    "five thousand digits": [LONG],
    "NUL": ["1\0"],
    "a blank": [""],
    "negative": ["-1"],
    "Arabic digits": ["١"],
    "a list": ["[1]"],
    "a good one beside it": ["{pk}", "abc"],
    "a good one, twice": ["{pk}", "{pk}"],
}
LISTED = [model for model in admin.site._registry if model._meta.app_label != "axes"]


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model._meta.label_lower)
def test_nothing_that_is_chosen_in_a_list_is_a_fault(rows, model):
    client = signed_in(is_staff=True, is_superuser=True)
    request = client.get("/admin/").wsgi_request
    own, acts = admin.site._registry[model], {}
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    row = rows.get(model._meta.concrete_model)
    if not hasattr(own, "get_actions"):
        return
    for number, action in enumerate([*own.get_actions(request), "nothing"]):
        for name, keys in CHOSEN.items():
            chosen = [each.format(pk=row.pk if row else 1) for each in keys]
            data = {"action": action, "_selected_action": chosen, "index": "0", "select_across": "0"}
            acts[action, name] = lambda data=data: _post(client, url, data)
            yes = data | {"confirmed": "1", "post": "yes", "seen": name}
            acts[action, name, "yes"] = lambda yes=yes: _post(client, url, yes)
        if number:
            continue
        for index, across in (("abc", "abc"), (HUGE, "1"), ("-1", ["0", "1"])):
            data = {"action": [action, "x"], "_selected_action": "1", "index": index, "select_across": across}
            acts[action, index] = lambda data=data: _post(client, url, data)
    assert faults(acts) == {}


SIGNED = {
    "another purpose's": signing.Signer(salt="another").sign_object(["before", 1]),
    "one with a time": signing.dumps(["before", 1]),
    "a part of one": listing.CURSORS.sign_object(["before", 1])[:-3],
    "garbage": "!!!!:????",
    "base64": "WyJiZWZvcmUiLDFd",
    "a compressed bomb": "." + "eNrtwTEBAAAAwqD1T20JT6AA" * 50,
    "NUL": "\0",
    "no ASCII": "é:😀",
    "long": "a:" * 5000,
    "digits": HUGE,
}


@pytest.mark.parametrize("cursor", SIGNED.values(), ids=SIGNED)
def test_a_broken_cursor_is_refused_with_a_sentence(cursor):
    client = signed_in()
    response = client.get("/notifications/inbox/", {"cursor": cursor})
    assert response.status_code == 400
    assert "cursor" in response.json()["error"]
    assert client.get("/notifications/", {"cursor": cursor, "page": cursor}).status_code < 500


@pytest.mark.parametrize("kind", [{}, {"since": "0"}])
def test_another_persons_cursor_goes_on_in_ones_own_inbox(kind):
    ada, ben = make_user(), make_user()
    for number in range(3):
        items.add_item(ada.pk, title=f"Ada's {number}")
    items.add_item(ben.pk, title="Ben's")
    first, second = (Client(raise_request_exception=False) for _ in range(2))
    first.force_login(ada)
    second.force_login(ben)
    cursor = first.get("/notifications/inbox/", {"limit": "1"} | kind).json()["next"]
    found = second.get("/notifications/inbox/", {"limit": "5", "cursor": cursor} | kind)
    assert "Ada" not in found.text
    assert found.status_code == 200
    # A list's cursor beside `since`, and the other way round.
    swapped = {"cursor": cursor} | ({} if kind else {"since": "0"})
    assert second.get("/notifications/inbox/", swapped).status_code in (200, 400)


ODD = ["", "abc", "-1", "0", HUGE, LONG, "9" * 18, "1.5", "1e5", "١", "²", "\0", "NaN", "[1]", "None", "é"]


@pytest.mark.parametrize("value", ODD, ids=ascii)
def test_no_number_of_the_inbox_and_the_overview_is_a_fault(value):
    client = signed_in(is_staff=True, is_superuser=True)
    mine = client.get("/admin/").wsgi_request.user
    items.add_item(mine.pk, title="T")
    inbox, acts = "/notifications/inbox/", {}
    for name in ("since", "limit", "unread", "cursor"):
        acts[name] = lambda name=name: client.get(f"{inbox}?{urlencode([(name, value), (name, '1')])}")
        acts[name, "last"] = lambda name=name: client.get(
            f"{inbox}?{urlencode([(name, '1'), (name, value)])}"
        )
    stream, header = f"{inbox}stream/", value.encode().decode("latin-1")
    acts["stream"] = lambda: client.get(stream, {"since": value})
    acts["last"] = lambda: client.get(f"{stream}?since=0", headers={"Last-Event-ID": header})
    for name in ("If-None-Match", "Accept-Language", "Cookie", "X-CSRFToken", "Range", "Origin"):
        acts[name] = lambda name=name: client.get(f"{inbox}unread/", headers={name: header})
    for name in ("range", "channel", "trigger", "p", "unknown"):
        acts["overview", name] = lambda name=name: client.get("/admin/notifier/overview/", {name: value})
    acts["read"] = lambda: client.post(f"{inbox}read/", {"up_to": value}, content_type=JSON)
    assert faults(acts) == {}
