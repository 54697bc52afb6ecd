"""What an anonymous visitor costs: nothing of the database, unless the page is about it."""

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from notifier.inbox import api
from notifier.people import reader_links
from notifier.preferences import unsubscribing

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

SAMPLES = {"int": "1", "str": "x", "slug": "x", "path": "1", "uuid": "0" * 32}
# Only on a developer's machine.
LOCAL = "/outbox/"
# A name and a password are looked up; the form of the feedback's providers is verified first.
TAKES_ONE = {("POST", "/admin/login/")}


def addresses(patterns=None, before="/"):
    """An address of each pattern of the project."""
    for each in patterns if patterns is not None else get_resolver().url_patterns:
        own = str(each.pattern)
        own = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], own)
        path = before + re.sub(r"\(\?P<\w+>[^)]*\)|[\^$]", "", own).replace("\\", "")
        if isinstance(each, URLPattern):
            yield path
        else:
            yield from addresses(each.url_patterns, path)


def took_a_connection(ask):
    """Whether it did, and its answer."""
    connection.close()
    answer = ask()
    return connection.connection is not None, answer


ALL = sorted({path for path in addresses() if not path.startswith(LOCAL)})


@pytest.fixture(autouse=True)
def _each_request_is_a_transaction():
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_address_takes_a_connection_for_whoever_has_not_signed_in(method):
    assert len(ALL) > 100
    client = Client(raise_request_exception=False)
    taking = {}
    for path in ALL:
        took, answer = took_a_connection(lambda path=path: client.generic(method, path))
        if took and (method, path) not in TAKES_ONE:
            taking[path] = answer.status_code
    assert taking == {}


MORE = {
    "nothing there": "/wp-login.php",
    "a file that is not there": "/static/x.css",
    "an address without its slash": "/admin/login",
    "a query": "/?q=1",
    "where to go after signing in": "/admin/login/?next=/admin/notifier/event/",
    "an admin page that is not there": "/admin/nothing/here/",
    "a long address": "/" + "x" * 5000,
    "a token of another purpose": "/notifications/preferences/user:1:x/",
    "a sample link": f"/notifications/unsubscribe/{reader_links.SAMPLE}/",
    "a sample of the choices": f"/notifications/preferences/{reader_links.SAMPLE}/",
    "a token that is too long": f"/notifications/unsubscribe/{'x' * 3000}/",
}


@pytest.mark.parametrize("path", MORE.values(), ids=MORE)
def test_nor_does_what_is_not_there(path):
    took, answer = took_a_connection(lambda: Client().get(path))
    assert not took
    assert answer.status_code < 500


def test_a_cookie_that_nobody_was_given_is_looked_up_which_takes_one():
    """So the website's share of the functions is bounded: docs/deploy.md."""
    client = Client()
    client.cookies.load({settings.SESSION_COOKIE_NAME: "x" * 32})
    assert took_a_connection(lambda: client.get("/admin/"))[0]


# What is saved is whole, as before.


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create_user("ada", "ada@example.com", "linen-and-wool")


@pytest.fixture
def shown(monkeypatch):
    """Whether each page behind a link was made in a transaction."""
    found, render = [], unsubscribing.render

    def note(*given, **more):
        found.append(connection.in_atomic_block)
        return render(*given, **more)

    monkeypatch.setattr(unsubscribing, "render", note)
    return found


def test_a_good_link_is_answered_in_one_transaction_and_a_bad_one_in_none(shown, ada):
    links = reader_links.ReaderLinks(["unsubscribe_url"], category=None, channel="email")
    good = urlsplit(links.of(f"user:{ada.pk}", 1)["unsubscribe_url"]).path
    assert Client().get(good).status_code == 200
    assert Client().get(f"{good[:-2]}/").status_code == 404
    assert shown == [True, False]


def test_who_has_signed_in_is_answered_in_one_transaction(monkeypatch, ada):
    seen, read = [], api.read_page
    monkeypatch.setattr(
        api, "read_page", lambda *given: seen.append(connection.in_atomic_block) or read(*given)
    )
    client = Client()
    client.force_login(ada)
    assert client.get(reverse("notifier:inbox-list")).status_code == 200
    assert seen == [True]
