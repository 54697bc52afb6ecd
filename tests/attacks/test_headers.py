"""What each address of the site lets a browser do, keep and pass on: a table in which none may be missing."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from notifier.people import link_tokens
from tests.support import all_urls
from tests.support.builders import make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

NOTHING = "default-src 'none'; base-uri 'none'; object-src 'none'; "
CLOSED = NOTHING + "form-action 'none'; frame-ancestors 'none'"
FORMS = NOTHING + "form-action 'self'; frame-ancestors 'none'"
SELF = (
    "; script-src 'self'{eval}; style-src 'self'{inline}; img-src {images}; font-src 'self'{data}; "
    "connect-src 'self'"
)
PLACES = {"eval": "", "inline": "", "data": "", "images": "'self' data:"}
PICTURES = {"images": "'self' data: https: http:"}
EVAL = PICTURES | {"eval": " 'unsafe-eval'"}

PAGE = FORMS + SELF.format(**PLACES)
INBOX = FORMS + SELF.format(**PLACES | PICTURES)
ATTRIBUTES = "; style-src-attr 'unsafe-inline'"
ADMIN = FORMS + SELF.format(**PLACES | EVAL) + ATTRIBUTES
EDITOR = FORMS + SELF.format(**PLACES | EVAL | {"inline": " 'unsafe-inline'", "data": " data:"}) + ATTRIBUTES
DATA = CLOSED + "; img-src 'self'"
OUTBOX = CLOSED + "; style-src 'self'; img-src 'self' data:; frame-src 'self'"
MAIL = NOTHING + (
    "form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'; img-src data:; sandbox"
)

SAME, NONE = "same-origin", "no-referrer"
KEPT, REVALIDATED, PUBLIC = {"no-store"}, {"private", "no-cache"}, {"public", "max-age=3600"}
OWN = {"private", "no-store"}
# name: policy, referrer, what Cache-Control says at least, whether robots are told to keep it out
TABLE = {
    "home": (PAGE, SAME, KEPT, False),
    "admin:": (ADMIN, SAME, OWN, False),
    "admin:notifier_template_add": (EDITOR, SAME, OWN, False),
    "admin:notifier_template_change": (EDITOR, SAME, OWN, False),
    "notifier:inbox": (INBOX, SAME, OWN, True),
    "notifier:inbox-list": (DATA, SAME, REVALIDATED, False),
    "notifier:inbox-unread": (DATA, SAME, REVALIDATED, False),
    "notifier:inbox-read-all": (DATA, SAME, REVALIDATED, False),
    "notifier:inbox-openapi": (DATA, SAME, PUBLIC, False),
    "notifier:inbox-stream": (DATA, SAME, REVALIDATED, False),
    "notifier:inbox-read": (DATA, SAME, REVALIDATED, False),
    "notifier:inbox-archive": (DATA, SAME, REVALIDATED, False),
    "notifier:register_device": (DATA, SAME, OWN, False),
    "notifier:remove_device": (DATA, SAME, OWN, False),
    "notifier:own_preferences": (PAGE, SAME, OWN, True),
    "notifier:preferences": (PAGE, NONE, KEPT, True),
    "notifier:unsubscribe": (PAGE, NONE, KEPT, True),
    "notifier_feedback_ses": (PAGE, SAME, KEPT, False),
    "notifier_feedback_twilio": (PAGE, SAME, KEPT, False),
    "outbox": (OUTBOX, NONE, KEPT, False),
    "outbox-json": (DATA, NONE, KEPT, False),
    "outbox-mail": (MAIL, NONE, KEPT, False),
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")


@pytest.fixture(autouse=True)
def _all_urls(settings):
    settings.ROOT_URLCONF = "tests.support.all_urls"


def row_of(name):
    found = "admin:" if name.startswith("admin") and name not in TABLE else name
    assert found in TABLE, f"{name} has no row in TABLE: which headers is it to have?"
    return TABLE[found]


def addresses():
    """(name, path) of each address, with something in its places."""
    for route, name, _view in all_urls.walk(all_urls.urlpatterns):
        if not name.startswith(all_urls.OURS):
            path = re.sub(
                r"\(\?P<\w+>([^|)]*)[^)]*\)", lambda found: found[1].replace(".*", "nowhere"), route
            )
            yield name, "/" + re.sub(r"<(\w+:)?\w+>", "1", path.replace("^", "").replace("$", ""))


def wrong_headers(answer, row):
    """What is otherwise than ``row`` says."""
    policy, referrer, cache, is_hidden = row
    wanted = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": referrer,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN" if policy is MAIL and answer.status_code != 404 else "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "X-Robots-Tag": "noindex" if is_hidden else None,
    }
    found = {name: answer.get(name) for name in wanted}
    wrong = {name: found[name] for name in wanted if found[name] != wanted[name]}
    said = {part.strip() for part in answer.get("Cache-Control", "").split(",")}
    return wrong | ({} if cache <= said else {"Cache-Control": said})


def asked(client, method, path):
    return wrong_headers(client.generic(method, path), row_of(name_of(path)))


def name_of(path):
    return {path: name for name, path in addresses()}[path]


def test_each_address_has_its_row_and_each_row_an_address():
    names = {name for name, _path in addresses()}
    assert [row_of(name) for name in names]
    assert [name for name in TABLE if name not in names and name != "admin:"] == []


@pytest.mark.parametrize("method", METHODS)
def test_every_address_has_its_headers_for_those_who_are_signed_out(client, method):
    found = {
        path: wrong
        for name, path in addresses()
        if not name.startswith("admin:notifier_") or name in TABLE
        if (wrong := asked(client, method, path))
    }
    assert found == {}


def test_every_address_has_its_headers_for_an_administrator(admin_client):
    found = {path: wrong for _name, path in addresses() if (wrong := asked(admin_client, "GET", path))}
    assert found == {}


def test_the_outbox_has_them_also_while_it_has_mails(client, cloud):
    mail = EmailMultiAlternatives("Hi", "Hi", to=["ada@example.com"])
    mail.attach_alternative("<p>Hi</p>", "text/html")
    mail.send()
    for name in "", "messages.json", "mails/1.html":
        answer = client.get(f"/outbox/{name}")
        row = row_of(name_of(f"/outbox/{name}"))
        assert (answer.status_code, wrong_headers(answer, row)) == (200, {}), name


# Errors, refusals and redirects.


def token(purpose="preferences", *rest, key=1):
    return link_tokens.sign(purpose, f"user:{key}", 1, *rest)


def link_paths():
    user = make_user()
    good, bad = token(key=user.pk), token(key=user.pk)[:-3]
    stop = token("unsubscribe", 0, "email", key=user.pk)
    gone = token(key=10**9)
    return {
        "a preferences page": (f"/notifications/preferences/{good}/", 200),
        "an unsubscribe page": (f"/notifications/unsubscribe/{stop}/", 200),
        "one that is cut": (f"/notifications/preferences/{bad}/", 404),
        "one of a person who is gone": (f"/notifications/preferences/{gone}/", 410),
        "one of another purpose": (f"/notifications/unsubscribe/{good}/", 404),
        "a sample": ("/notifications/preferences/sample/", 200),
        "one without its slash": (f"/notifications/preferences/{good}", 301),
        "one with more behind it": (f"/notifications/preferences/{good}/x", 404),
        "one with two slashes": (f"/notifications//preferences/{good}/", 404),
        "one in capitals": (f"/NOTIFICATIONS/PREFERENCES/{good}/", 404),
        "one that is encoded": (f"/notifications/preferences/{good.replace('.', '%2E')}/", 200),
        "one behind an unknown page": (f"/nowhere/?next=/notifications/preferences/{good}/", 404),
        "one encoded behind an unknown page": (
            f"/nowhere/?next=%2Fnotifications%2Fpreferences%2F{good}%2F",
            404,
        ),
        "a token alone": (f"/nowhere/{stop}/", 404),
        "a link for a new password": ("/accounts/reset/MQ/c7h3t2-0123456789abcdef0123456789abcdef/", 404),
    }


def test_a_page_with_a_token_in_its_address_tells_nobody_whatever_its_answer(client):
    for what, (path, status) in link_paths().items():
        for method in ("get", "head"):
            answer = getattr(client, method)(path)
            assert answer.status_code == status, what
            assert wrong_headers(answer, (PAGE, NONE, KEPT, True)) == {}, what


def test_so_does_one_that_refuses_or_fails(client, monkeypatch, settings):
    path = f"/notifications/preferences/{token(key=make_user().pk)}/"
    row = (PAGE, NONE, KEPT, True)
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        answer = client.generic(method, path)
        assert (answer.status_code, wrong_headers(answer, row)) == (405, {})
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    answer = client.post(path, {"on": ["a", "b", "c"]})
    assert (answer.status_code, wrong_headers(answer, row)) == (400, {})

    def explode(*args):
        raise ValueError

    monkeypatch.setattr(link_tokens, "read", explode)
    client.raise_request_exception = False
    answer = client.get(path)
    assert (answer.status_code, wrong_headers(answer, row)) == (500, {})


def test_nothing_on_a_page_with_a_token_asks_elsewhere(client):
    """The header holds for all; a page's own element would come before it."""
    for path, _status in link_paths().values():
        page = client.get(path).content.decode()
        assert 'name="referrer"' not in page
        assert [
            each for each in re.findall(r'(?:src|href)="([^"]*)"', page) if not each.startswith("/")
        ] == []
        assert not re.search(r"<style|style=|<script(?! type=\"module\" src)| on[a-z]+=", page)


@pytest.mark.parametrize("status", all_urls.ERRORS)
def test_an_error_page_has_them(client, status):
    client.raise_request_exception = False
    answer = client.get(f"/fails/{status}/")
    assert answer.status_code == int(status)
    assert wrong_headers(answer, (PAGE, SAME, KEPT, False)) == {}


def test_so_has_what_is_refused_before_any_view(client, settings):
    answer = client.get("/", headers={"host": "evil.example.com"})
    assert (answer.status_code, wrong_headers(answer, (PAGE, SAME, KEPT, False))) == (400, {})
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/admin/login/", {"username": "ada", "password": "x"})
    assert (answer.status_code, wrong_headers(answer, (ADMIN, SAME, OWN, False))) == (403, {})
    assert "style" not in re.sub(r"<link[^>]*>", "", answer.content.decode())


def test_so_has_the_admin_for_who_may_not_and_when_it_fails(client, monkeypatch):
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))
    answer = client.get("/admin/notifier/trigger/")
    assert (answer.status_code, wrong_headers(answer, (ADMIN, SAME, OWN, False))) == (403, {})
    client.raise_request_exception = False
    monkeypatch.setattr("notifier.admin.start.setup_url", None)
    answer = client.get("/admin/")
    assert (answer.status_code, wrong_headers(answer, (ADMIN, SAME, OWN, False))) == (500, {})


def test_so_has_the_page_of_those_who_are_locked_out(client, settings):
    settings.AXES_ENABLED = True
    get_user_model().objects.create_user("ada", password="x")
    for _ in range(5):
        answer = client.post("/admin/login/", {"username": "ada", "password": "wrong"})
    assert (answer.status_code, wrong_headers(answer, (ADMIN, SAME, OWN, False))) == (429, {})


# Other projects.

SITE, ADMIN_ONLY = (
    "notifier.page_headers.SiteHeadersMiddleware",
    "notifier.page_headers.AdminHeadersMiddleware",
)


@pytest.fixture(params=["without the middleware", "with that of the admin"])
def other_project(request, settings):
    """Its MIDDLEWARE; True where the admin is to have a policy."""
    rest = [each for each in settings.MIDDLEWARE if each != SITE]
    has_admin = request.param == "with that of the admin"
    settings.MIDDLEWARE = [ADMIN_ONLY, *rest] if has_admin else rest
    return has_admin


def test_another_project_has_them_on_its_peoples_pages_and_nowhere_else_unless_it_asks(client, other_project):
    for name, path in addresses():
        if name.startswith("notifier:") or name.startswith("outbox"):
            answer = client.get(path)
            # What a view raises is answered by the project.
            assert answer.status_code == 404 or wrong_headers(answer, row_of(name)) == {}, path
    assert ("Content-Security-Policy" in client.get("/admin/login/")) == other_project
    for path in "/", "/nowhere/":
        assert "Content-Security-Policy" not in client.get(path)


def test_another_project_has_them_where_a_good_link_leads(client, other_project):
    key = make_user().pk
    tokens = {"preferences": token(key=key), "unsubscribe": token("unsubscribe", 0, "email", key=key)}
    for name, good in tokens.items():
        answer = client.get(f"/notifications/{name}/{good}/")
        assert (answer.status_code, wrong_headers(answer, row_of(f"notifier:{name}"))) == (200, {}), name


def test_a_policy_that_stands_already_stays(client, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.attacks.test_headers.with_a_policy"]
    assert client.get("/admin/login/")["Content-Security-Policy"] == "default-src 'self'"


def with_a_policy(get_response):
    def middleware(request):
        response = get_response(request)
        response["Content-Security-Policy"] = "default-src 'self'"
        return response

    return middleware


def test_developers_keep_djangos_own_pages_of_errors(client, settings):
    settings.DEBUG = True
    client.raise_request_exception = False
    assert "Content-Security-Policy" not in client.get("/fails/500/")
    assert "Content-Security-Policy" in client.get("/notifications/preferences/cut/")
