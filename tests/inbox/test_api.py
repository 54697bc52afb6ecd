"""The inbox's API: one's own items, as JSON, cheaply polled, by the document that it serves."""

import json
import re
from itertools import cycle

import hypothesis
import pytest
import schemathesis
from django.test import Client
from django.urls import get_resolver
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from notifier.inbox import items
from notifier.inbox.openapi import PATHS
from notifier.models import Category, InboxItem
from project.wsgi import application
from tests.support.builders import make_user
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

ROOT = "/notifications/inbox/"


@pytest.fixture
def ada(client):
    user = make_user()
    client.force_login(user)
    return user


def add(user, *titles, **more):
    return [items.add_item(user.pk, title=title, **more) for title in titles]


def get(client, path="", **headers):
    return client.get(f"{ROOT}{path}", headers=headers)


def titles(answer):
    return [item["title"] for item in answer.json()["items"]]


def test_an_item_is_told_with_all_that_it_has(client, ada):
    category = Category.objects.create(name="orders", title="Orders")
    [item] = add(
        ada,
        "Sent",
        text="On its way.",
        link="/orders/5/",
        icon="📦",
        about="shop.order:5",
        category_id=category.pk,
    )
    answer = get(client)
    [told] = answer.json()["items"]
    created = told.pop("created_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)
    assert told == {
        "id": item.pk, "sequence": 1, "title": "Sent", "text": "On its way.", "link": "/orders/5/",
        "icon": "📦", "about": "shop.order:5", "category": "orders", "read_at": None, "archived_at": None,
    }  # fmt: skip
    assert answer.json() | {"items": []} == {"items": [], "next": None, "unread": 1, "sequence": 1}
    assert (answer["Cache-Control"], "Cookie" in answer["Vary"]) == ("private, no-cache", True)


def test_the_list_is_newest_first_without_what_is_archived_and_pages_on_while_more_comes(client, ada):
    made = add(ada, *"abcde")
    items.archive(ada.pk, [made[3].pk])
    first = get(client, "?limit=2")
    add(ada, "f")
    second = get(client, f"?limit=2&cursor={first.json()['next']}")
    assert (titles(first), titles(second), second.json()["next"]) == (["e", "c"], ["b", "a"], None)
    items.mark_read(ada.pk, [made[4].pk])
    assert titles(get(client, "?unread=1")) == ["f", "c", "b", "a"]


def test_since_tells_every_change_once_in_its_order_also_by_the_sequence_of_a_page_that_was_full(client, ada):
    made = add(ada, *"abcd")
    items.mark_read(ada.pk, [made[0].pk])
    items.archive(ada.pk, [made[1].pk])
    heard, since, pages = [], 0, 0
    while found := titles(answer := get(client, f"?limit=2&since={since}")):
        heard, since, pages = heard + found, answer.json()["sequence"], pages + 1
    assert (heard, pages, since) == (["c", "d", "a", "b"], 2, 6)
    first = get(client, "?limit=3&since=0").json()
    assert titles(get(client, f"?limit=3&since=0&cursor={first['next']}")) == ["b"]
    assert get(client, "?since=5").json()["items"][0]["archived_at"]


def test_read_archive_and_read_all_answer_what_is_so_now(client, ada):
    made = add(ada, *"abc")
    read = client.post(f"{ROOT}{made[0].pk}/read/").json()
    assert (read["read_at"] is None, read["sequence"], get(client, "unread/").json()) == (
        False,
        4,
        {"unread": 2, "sequence": 4},
    )
    assert client.post(f"{ROOT}{made[0].pk}/read/").json() == read  # it is no change
    assert client.post(f"{ROOT}{made[2].pk}/archive/").json()["archived_at"]
    done = client.post(f"{ROOT}read/", json.dumps({"up_to": 5}), "application/json")
    assert done.json() == {"unread": 0, "sequence": 6} == get(client, "unread/").json()


REFUSED = [
    # method, path, body, status, what the error says
    ("get", "?limit=0", None, 400, "from 1 to 50"),
    ("get", "?limit=51", None, 400, "from 1 to 50"),
    ("get", "?limit=x", None, 400, "“limit”"),
    ("get", "?limit=", None, 400, "“limit”"),
    ("get", "?limit=٣", None, 400, "“limit”"),  # a digit, elsewhere
    ("get", "?since=-1", None, 400, "“since”"),
    ("get", "?since=99999999999999999999", None, 400, "“since”"),
    ("get", "?since=9223372036854775808", None, 400, "“since”"),  # one more than a number of the database
    ("get", "?unread=2", None, 400, "“unread”"),
    ("get", "?unread=1&since=0", None, 400, "leave out “unread”"),
    ("get", "?cursor=x", None, 400, "cursor is broken"),
    # What one looks like inside, unsigned
    ("get", "?cursor=WyJiZWZvcmUiLDFd", None, 400, "cursor is broken"),
    ("get", "?cursor=%00%ff:é", None, 400, "cursor is broken"),
    ("post", "", "{}", 405, "Use GET"),
    ("put", "unread/", "{}", 405, "Use GET"),
    ("get", "read/", None, 405, "Use POST"),
    ("get", "1/read/", None, 405, "Use POST"),
    ("delete", "1/archive/", None, 405, "Use POST"),
    ("post", "0/read/", "", 404, "no such item"),
    ("post", "-1/read/", "", 404, "no such item"),
    ("post", "x/archive/", "", 404, "no such item"),
    ("post", "9223372036854775807/read/", "", 404, "no such item"),
    ("post", "9223372036854775808/read/", "", 404, "no such item"),
    ("post", f"{'9' * 400}/read/", "", 404, "no such item"),
    ("post", "read/", "", 400, "Send JSON"),
    ("post", "read/", "[", 400, "This is no JSON"),
    ("post", "read/", b"\xff", 400, "This is no JSON"),
    ("post", "read/", "[" * 100_000, 400, "This is no JSON"),
    ("post", "read/", "[]", 400, "Send an object"),
    ("post", "read/", "{}", 400, "up to which number"),
    ("post", "read/", '{"up_to": null}', 400, "up to which number"),
    ("post", "read/", '{"up_to": true}', 400, "“up_to”"),
    ("post", "read/", '{"up_to": 1.5}', 400, "“up_to”"),
    ("post", "read/", '{"up_to": NaN}', 400, "“up_to”"),
    ("post", "read/", '{"up_to": -1}', 400, "“up_to”"),
    ("post", "read/", '{"up_to": 9223372036854775808}', 400, "“up_to”"),
    ("post", "read/", '{"up_to": ' + "9" * 3_000_000 + "}", 400, "too long"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), REFUSED)
def test_what_cannot_be_answered_says_so_in_json(client, ada, method, path, body, status, text):
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    answer = getattr(client, method)(f"{ROOT}{path}", **more)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert text in answer.json()["error"]
    assert ("Allow" in answer) == (status == 405)


def test_a_form_is_no_json(client, ada):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post(f"{ROOT}read/", "up_to=1", kind)
        assert (answer.status_code, "Content-Type" in answer.json()["error"]) == (400, True)


def test_another_persons_item_is_as_one_that_never_was(client, ada):
    [foreign] = add(make_user(), "Foreign")
    mine = get(client, "?limit=1").json()
    assert mine == {"items": [], "next": None, "unread": 0, "sequence": 0}
    for action in ("read", "archive"):
        answers = [client.post(f"{ROOT}{pk}/{action}/") for pk in (foreign.pk, foreign.pk + 1)]
        assert {(each.status_code, each.content) for each in answers} == {(404, answers[0].content)}
    client.post(f"{ROOT}read/", json.dumps({"up_to": 100}), "application/json")
    foreign.refresh_from_db()
    assert (foreign.read_at, foreign.archived_at, foreign.sequence) == (None, None, 1)


def test_another_persons_cursor_opens_nothing_of_theirs(client, ada):
    other = make_user()
    add(other, *"xyz")
    add(ada, "a")
    there = Client()
    there.force_login(other)
    cursor = get(there, "?limit=1").json()["next"]
    assert titles(get(client, f"?cursor={cursor}")) == []


ENDPOINTS = [("get", ""), ("get", "unread/"), ("post", "read/"), ("post", "1/read/"), ("post", "1/archive/")]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_who_is_not_signed_in_gets_401_and_no_redirect(client, method, path):
    answer = getattr(client, method)(f"{ROOT}{path}")
    assert (answer.status_code, answer.json()) == (401, {"error": "Sign in first."})
    assert (answer["WWW-Authenticate"], answer["Cache-Control"]) == ("Session", "private, no-cache")


def test_a_change_needs_the_csrf_token_which_any_get_gives(ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    [item] = add(ada, "a")
    for path in ("read/", f"{item.pk}/read/", f"{item.pk}/archive/"):
        answer = client.post(f"{ROOT}{path}", '{"up_to": 1}', "application/json")
        assert (answer.status_code, "X-CSRFToken" in answer.json()["error"]) == (403, True)
    assert InboxItem.objects.filter(read_at=None, archived_at=None).exists()
    token = get(client).cookies["csrftoken"].value
    answer = client.post(f"{ROOT}{item.pk}/read/", headers={"X-CSRFToken": token})
    assert answer.json()["read_at"]


@pytest.mark.parametrize(("path", "more"), [("", 2), ("?since=0&limit=1", 2), ("unread/", 1)])
def test_what_has_not_changed_is_304_and_one_query_beside_the_sessions(client, ada, path, more):
    add(ada, *"ab")
    # A list is one query more than the count, and 304 is neither.
    known = ["SELECT django_session", "SELECT auth_user", "SELECT notifier_inbox"]
    with statements() as asked:
        etag = get(client, path)["ETag"]
    assert _reads(asked) == [*known, *["SELECT notifier_inboxitem"] * more]
    with statements() as asked:
        same = get(client, path, if_none_match=etag)
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    assert (same["Cache-Control"], "Cookie" in same["Vary"]) == ("private, no-cache", True)
    assert _reads(asked) == known
    add(ada, "c")
    assert get(client, path, if_none_match=etag).status_code == 200


def _reads(asked):
    return [each for each in asked if each.startswith("SELECT")]


def test_an_etag_is_of_one_person_and_one_question(client, ada):
    other = make_user()
    add(ada, "a")
    add(other, "b")
    there = Client()
    there.force_login(other)
    etags = [get(client, path)["ETag"] for path in ("", "?limit=1", "?since=0", "?unread=1", "unread/")] + [
        get(there)["ETag"]
    ]
    assert len(set(etags)) == len(etags)
    assert "ETag" not in get(client, "?limit=0")


def test_the_document_has_every_address_and_no_other(client):
    document = client.get(f"{ROOT}openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {f"{ROOT}{path}" for path in PATHS}
    routes = {str(each.pattern) for each in get_resolver("notifier.urls").url_patterns}
    there = {
        re.sub("<.*?(\\w+)>", "{\\1}", route.removeprefix("inbox/"))
        for route in routes
        if route.startswith("inbox/")
    }
    # The stream's view is in a file of its own.
    assert there | {"stream/"} == set(PATHS)
    for operations in document["paths"].values():
        for method in ("get", "post"):
            if operation := operations.get(method):
                assert operation["responses"]["200"]["description"]


CONFORMANCE = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MINE, THEIRS = "Marmalade-Mine", "Xylophone-Theirs"


@pytest.mark.django_db(transaction=True)
def test_whatever_is_asked_nothing_fails_all_is_as_documented_and_nothing_of_another_is_seen():
    """Two people ask alternately; each one's items say whose they are, and must never be in an answer to the
    other.
    """
    people = {}
    for mark, other in ((MINE, THEIRS), (THEIRS, MINE)):
        user, client = make_user(), Client()
        client.force_login(user)
        made = add(
            user,
            *(f"{mark} {number}" for number in range(3)),
            text=mark,
            link=f"/{mark}/",
            about=f"a.{mark}:1",
            icon=mark,
        )
        people[mark] = (client, made, other)
    turns = cycle(people.values())
    keys = [str(item.pk) for _, made, _ in people.values() for item in made]
    schema = schemathesis.openapi.from_wsgi(f"{ROOT}openapi.json", application).exclude(
        path_regex="stream/$|openapi.json$"
    )
    seen = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.settings(
            max_examples=15,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(
            case=operation.as_strategy(),
            key=hypothesis.strategies.sampled_from(keys),
            known=hypothesis.strategies.booleans(),
        )
        def ask(case, key, known):
            client, _made, other = next(turns)
            if known and case.path_parameters:
                case.path_parameters["key"] = key
            case.cookies["sessionid"] = client.cookies["sessionid"].value
            token = "a" * 32
            case.cookies["csrftoken"] = case.headers["X-Csrftoken"] = token
            answer = case.call(headers={"Host": "localhost"})
            seen.add((case.path, answer.status_code))
            assert other not in answer.text
            case.validate_response(answer, checks=CONFORMANCE)

        ask()
    # It would pass if it were refused at the door.
    assert {status for _, status in seen} >= {200, 400, 404}
