"""The web function as a browser meets it: static files, hosts and origins, cookies, the client's address,
guessed passwords, its log.
"""

import io
import json
import logging
import re
import sys
from types import ModuleType

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils.log import configure_logging

from tests.deploy.conftest import FUNCTION
from tests.deploy.function_url import HOST, Browser

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

DOMAIN = "notify.example.com"
PASSWORD = "correct horse battery staple"
# The database and the apps are the tests' own.
KEPT = {"DATABASES", "INSTALLED_APPS", "PASSWORD_HASHERS", "STATIC_ROOT"}


@pytest.fixture(scope="module")
def packaged_files(tmp_path_factory):
    """What ``collectstatic`` puts into the package, made on a developer's machine."""
    from django.conf import settings
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("staticfiles")
    with override_settings(STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    assert not settings.ON_LAMBDA
    return folder


@pytest.fixture
def function(settings, on_lambda, packaged_files, monkeypatch):
    """Zappa's handler over the project's application, with the settings of a function that has a domain
    besides.
    """
    log = settings.LOGGING
    for name, value in on_lambda(ALLOWED_HOSTS=DOMAIN).items():
        if name not in KEPT:
            setattr(settings, name, value)
    settings.STATIC_ROOT, settings.AXES_ENABLED = packaged_files, True
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION["AWS_LAMBDA_FUNCTION_NAME"])
    for name in ("project.wsgi", "zappa.handler"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "zappa_settings", zappa_settings())
    import zappa.handler

    # Loads the application, and with it Django, which sets logging up anew.
    zappa.handler.LambdaHandler()
    yield zappa.handler.LambdaHandler.lambda_handler
    for name in settings.LOGGING["loggers"]:
        logging.getLogger(name).setLevel(logging.NOTSET)
    configure_logging(settings.LOGGING_CONFIG, log)


def zappa_settings():
    """The module that Zappa writes into the package: https://github.com/zappa/Zappa#settings"""
    module = ModuleType("zappa_settings")
    vars(module).update(
        APP_MODULE="project.wsgi", APP_FUNCTION="application", DJANGO_SETTINGS=None, LOG_LEVEL="INFO",
        DEBUG=False, BINARY_SUPPORT=True, CONTEXT_HEADER_MAPPINGS={}, ENVIRONMENT_VARIABLES={},
        EXCEPTION_HANDLER=None, PROJECT_NAME="notifier", API_STAGE="production", DOMAIN=None, BASE_PATH=None,
    )  # fmt: skip
    return module


@pytest.fixture
def browser(function):
    return Browser(function)


@pytest.fixture
def admin():
    return get_user_model().objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def lines(function):
    """``lines()``: what CloudWatch got, each line parsed.

    It is written by the handler that the settings have put in place.
    """
    (handler,) = [
        handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler
    ]
    stream = io.StringIO()
    handler.setStream(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def linked_files(page):
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


# Static files.


def test_the_sign_in_page_comes_with_hashed_files_that_browsers_keep_for_ever(browser):
    page = browser.get("/admin/login/")
    assert page.status == 200
    files = linked_files(page.text)
    assert [url for url in files if re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", url)] == files
    assert any(url.endswith(".css") for url in files)
    for url in files:
        answer = browser.get(url)
        assert (answer.status, answer.headers["cache-control"]) == (
            200,
            "max-age=315360000, public, immutable",
        ), url
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["content-type"].partition(";")[0] in (
            "text/css",
            "text/javascript",
            "image/svg+xml",
        )


def test_a_compressed_file_is_the_file(browser, packaged_files):
    (path,) = (packaged_files / "admin" / "css").glob("base.*.css")
    answer = browser.get(f"/static/admin/css/{path.name}")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body == path.read_bytes()
    smallest = browser.get(f"/static/admin/css/{path.name}", accept_encoding="br, gzip")
    assert smallest.status == 200
    plain = browser.get(f"/static/admin/css/{path.name}", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.body == path.read_bytes()


def test_an_image_arrives_byte_by_byte(browser, packaged_files):
    for path in (packaged_files / "admin" / "img").glob("*.svg"):
        assert browser.get(f"/static/admin/img/{path.name}").body == path.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/static/admin/css/base.css",  # without its hash it would be kept and outlive its content
        "/static/admin/css/base.000000000000.css",
        "/static/staticfiles.json",
        "/static/../manage.py",
        "/static/%2e%2e/manage.py",
        "/static/",
        "/static//etc/passwd",
    ],
)
def test_what_the_manifest_does_not_name_is_not_served(browser, path):
    assert browser.get(path).status == 404


def test_a_cold_start_looks_at_no_static_file_and_the_first_page_only_at_its_own(browser):
    from django.core.handlers.wsgi import WSGIHandler

    from notifier.deploy.static import PackagedFilesMiddleware

    made = []

    class Counting(PackagedFilesMiddleware):
        def get_static_file(self, path, url, stat_cache=None):
            made.append(url)
            return super().get_static_file(path, url, stat_cache)

    middleware = Counting(WSGIHandler().get_response)
    assert made == []
    assert middleware.files == {}


def test_away_from_lambda_pages_name_files_as_they_are(client, settings):
    assert not settings.ON_LAMBDA
    page = client.get("/admin/login/").content.decode()
    assert "/static/unfold/css/styles.css" in linked_files(page)


# Signing in: hosts, origins, cookies.


def test_somebody_signs_in_and_the_cookies_travel_by_https_only(browser, admin):
    answer = browser.sign_in("ada", PASSWORD)
    assert (answer.status, answer.headers["location"]) == (302, "/admin/")
    first = browser.get("/admin/")
    assert (first.status, first.headers["location"]) == (302, "/admin/notifier/trigger/setup/")
    assert browser.get(first.headers["location"]).status == 200
    assert all(browser.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))
    assert browser.cookies["sessionid"]["httponly"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_custom_domain_works_directly_and_in_front_of_the_function_url(function, admin):
    assert Browser(function, host=DOMAIN).sign_in("ada", PASSWORD).status == 302
    # CloudFront asks by the function URL; the person's browser names the domain as its origin.
    assert Browser(function).sign_in("ada", PASSWORD, origin=f"https://{DOMAIN}").status == 302


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.lambda-url.eu-west-1.on.aws",  # anybody can have one
        f"http://{HOST}",
        "https://example.com",
        "null",
    ],
)
def test_a_form_of_somebody_elses_page_is_refused(browser, admin, origin):
    assert browser.sign_in("ada", PASSWORD, origin=origin).status == 403


def test_the_host_is_the_one_that_aws_was_asked_by(browser):
    page = browser.get("/", host="evil.lambda-url.eu-west-1.on.aws", x_forwarded_host="evil.example.com")
    assert page.headers["location"] == "/admin/"
    secure = browser.get("/admin/", host="evil.example.com")
    assert (secure.status, secure.headers["location"]) == (302, "/admin/login/?next=/admin/")


@pytest.mark.parametrize("host", ["example.com", "abc123.lambda-url.us-east-1.on.aws"])
def test_another_host_is_refused(function, host):
    assert Browser(function, host=host).get("/admin/login/").status == 400


def test_no_header_makes_a_request_one_without_https(browser):
    assert browser.get("/admin/login/", x_forwarded_proto="http").status == 200


# Guessed passwords.


def guess(browser, *, times, name="ada"):
    return [
        browser.sign_in(name, "a guess", x_forwarded_for=f"198.51.100.{number}").status
        for number in range(times)
    ]


def test_after_five_guesses_the_person_is_told_to_wait_also_with_the_right_password(browser, admin):
    assert guess(browser, times=5) == [200, 200, 200, 200, 429]
    answer = browser.sign_in("ada", PASSWORD)
    assert answer.status == 429
    assert "Too many failed attempts" in answer.text
    assert "Try again in 15 minutes" in answer.text
    assert "ada" not in answer.text


def test_guesses_are_counted_by_the_address_that_aws_saw_not_by_what_a_header_says(browser, admin):
    guess(browser, times=2)
    assert list(AccessAttempt.objects.values_list("username", "ip_address", "failures_since_start")) == [
        ("ada", "203.0.113.7", 2)
    ]


def test_others_and_other_addresses_are_not_locked_out_with_the_guesser(function, admin):
    get_user_model().objects.create_superuser("bo", "bo@example.com", PASSWORD)
    guess(Browser(function), times=5)
    assert Browser(function, address="203.0.113.8").sign_in("ada", PASSWORD).status == 302
    assert Browser(function).sign_in("bo", PASSWORD).status == 302


def test_a_success_ends_the_count(browser, admin):
    guess(browser, times=4)
    assert browser.sign_in("ada", PASSWORD).status == 302
    browser.cookies.clear()
    assert guess(browser, times=4) == [200] * 4


def test_an_administrator_can_end_the_pause(browser, admin):
    guess(browser, times=5)
    call_command("axes_reset_username", "ada", stdout=io.StringIO())
    assert browser.sign_in("ada", PASSWORD).status == 302


def test_signing_in_leaves_no_row_with_an_address(browser, admin):
    from axes.models import AccessFailureLog, AccessLog

    guess(browser, times=5)
    browser.sign_in("ada", PASSWORD)
    assert not AccessLog.objects.exists()
    assert not AccessFailureLog.objects.exists()


# Its log.


def test_a_request_is_one_line_without_the_client_and_without_what_was_searched_for(browser, admin, lines):
    guess(browser, times=5)
    browser.sign_in("ada", PASSWORD)
    browser.get("/admin/auth/user/?q=kim@example.com")
    browser.get("/nowhere/?q=kim@example.com")
    found = lines()
    hidden = ("203.0.113.7", "198.51.100", "kim@example.com", "ada", PASSWORD, "a guess")
    assert [mark for mark in hidden if mark in json.dumps(found)] == []
    (line,) = [line for line in found if line["message"].startswith("GET /nowhere/")]
    assert (line["message"], line["level"], line["name"]) == (
        "GET /nowhere/: 404",
        "INFO",
        "notifier.deploy.web",
    )
    assert (line["function_request_id"], line["function_name"], line["route"]) == (
        "request-1",
        "notifier-production",
        "web",
    )
    assert any("Locking out" in line["message"] for line in found)


def test_a_page_that_fails_is_in_the_log_with_its_trace_and_without_its_query(browser, lines, monkeypatch):
    personal = "of kim@example.com, born in Ulm"

    def explode(*args, **kwargs):
        raise ValueError(personal)

    monkeypatch.setattr("django.contrib.admin.forms.AdminAuthenticationForm.__init__", explode)
    assert browser.get("/admin/login/?q=kim").status == 500
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert "explode" in line["exception"]
    assert "ValueError" in line["exception"]
    assert [mark for mark in ("kim", "Ulm") if mark in json.dumps(line)] == []
