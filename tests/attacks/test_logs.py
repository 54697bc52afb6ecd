"""No log line holds what opens something: links' tokens, session keys, passwords, however they come there."""

import io
import json
import logging
import logging.config
import sys
from urllib.parse import quote

import pytest
from axes.models import AccessAttempt
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from lambdas._json_log import JsonFormatter
from notifier.channels.webhook_secrets import secrets_of
from notifier.deploy.web import behind_lambda
from notifier.log_secrets import HIDDEN, LineFormatter, hide
from notifier.people import link_tokens
from tests.support.effort import at_most

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

USER, UUID = "user:5", "user:6f1c2a34-0b7d-4f0e-9c55-8a1d2b3c4d5e"
STOP = link_tokens.sign("unsubscribe", USER, 1, 12, "email")
CHOOSE = link_tokens.sign("preferences", UUID, 1)
OF_ADDRESS = link_tokens.sign("unsubscribe", "email:ada@example.com", 77, 0, "email")
RESET = "c7h3t2-0123456789abcdef0123456789abcdef"
SESSION = "k3v9q1z0x8y7w6u5t4s3r2p1o0n9m8l7"
PATH = f"/notifications/unsubscribe/{STOP}/"
TOKENS = {"stop": STOP, "choose": CHOOSE, "of an address": OF_ADDRESS}

# What a line says, and what of it may not be read. `{}` is the token.
SHAPES = {
    "a path": "Not Found: /notifications/unsubscribe/{}/",
    "a whole address": "GET https://shop.example.com/notifications/preferences/{}/?saved=1 200",
    "without its last slash": "/notifications/preferences/{}",
    "with two slashes": "//notifications//unsubscribe//{}//",
    "in capitals": "/NOTIFICATIONS/UNSUBSCRIBE/{}/",
    "somewhere else": "/konto/{}/",
    "by itself": "the token {} is odd",
    "with something behind it": "/notifications/unsubscribe/{}abc/def",
    "in a query": "/admin/login/?next=/notifications/preferences/{}/&a=b",
    "in a query of any name": "/?x={}",
    "in a form": "<QueryDict: {{'token': ['{}']}}>",
    "as a list of arguments": "('{}',)",
    "in quotes": 'File "x.py": path "/unsubscribe/{}/"',
    "with a backslash": "\\preferences\\{}",
    "in a referrer": "Referer checking failed - https://a.example/preferences/{}/ does not match",
    "as uvicorn has it": '127.0.0.1:5 - "GET /notifications/preferences/{}/ HTTP/1.1" 200 OK',
}
ENCODINGS = {
    "as it is": str,
    "encoded": lambda text: quote(text, safe=""),
    "encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "every letter encoded": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "its dots encoded": lambda text: text.replace(".", "%2E").replace("/", "%2f"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_links_token_is_hidden_in_any_line(shape, token, encoding):
    encoded = ENCODINGS[encoding]
    line = SHAPES[shape].format(encoded(TOKENS[token]))
    assert TOKENS[token].rpartition(".")[2] not in hide(line)
    assert encoded(TOKENS[token]) not in hide(line)
    assert HIDDEN in hide(line)
    # The whole path as a value, as `next` has it.
    if encoding != "every letter encoded":
        assert encoded(TOKENS[token]) not in hide(f"/login/?next={encoded(f'/preferences/{TOKENS[token]}/')}")


def cut(token):
    return token[: len(token) - 20]


@pytest.mark.parametrize("part", ["/unsubscribe/{}", "/preferences/{}/x", "%2Funsubscribe%2F{}"])
def test_so_is_one_that_a_mail_program_has_cut(part):
    assert cut(STOP).rpartition(".")[2] not in hide(f"Not Found: {part.format(cut(STOP))}")


OTHERS = {
    "a link for a new password": (f"/accounts/reset/MQ/{RESET}/", RESET),
    "the same elsewhere": (f"/konto/neues-passwort/MQ-{RESET}/", RESET),
    "the same in capitals": (f"/RESET/MQ/{RESET.upper()}/", RESET.upper()),
    "the same encoded": (f"?next=%2Freset%2FMQ%2F{RESET}%2F", RESET),
    "a session's cookie": (f"Cookie: a=b; sessionid={SESSION}; c=d", SESSION),
    "a session's key by itself": (f"no session {SESSION} any more", SESSION),
    "one that a database quotes": (f"DETAIL: Key (session_key)=({SESSION}) already exists.", SESSION),
    "one among Zappa's cookies": (f"{{'cookies': ['sessionid={SESSION}']}}", SESSION),
    "a form's token": ("csrfmiddlewaretoken=qwertz123&x=1", "qwertz123"),
    "a form as a dictionary": ("{'csrfmiddlewaretoken': 'qwertz123'}", "qwertz123"),
    "a password in a query": ("/x/?password=hunter2&y=1", "hunter2"),
    "one in a dictionary": ('{"password": "hunter2"}', "hunter2"),
    "one in a database's address": ("postgres://app:hunter2@db.internal:5432/shop", "hunter2"),
    "a code in a query": ("/callback/?code=4hunter2&x=1", "4hunter2"),
    "a header": ("Authorization: Bearer hunter2hunter2", "hunter2hunter2"),
    "an AWS signature": ("?X-Amz-Signature=0123abc&X-Amz-Date=2026", "0123abc"),
    "a request's body": ("{'body': 'cGFzc3dvcmQ9aHVudGVyMg==', 'x': 1}", "cGFzc3dvcmQ9aHVudGVyMg"),
    "a webhook's secret": ("whsec_C2FVsBQIhrscChlQIMV+b5sSYob7oD/x", "C2FVsBQIhrscChlQIMV"),
    "a chat's webhook": ("https://hooks.slack.com/services/T0AAA/B0BBB/abcDEF123", "abcDEF123"),
    "another chat's": ("https://discord.com/api/webhooks/123/ab-cd_EF", "ab-cd_EF"),
    "a bot's": ("https://api.telegram.org/bot123:AAab-cd_EF/sendMessage", "AAab-cd_EF"),
    "a key made by chance": ("the key is 3q2-7wAAvBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789", "7wAAvBcDeFg"),
    "an address": ("for ada@example.com", "ada@example.com"),
    "an encoded address": ("/x/?q=ada%40example.com", "ada%40example.com"),
    "a number": ("to +44 7400 123401", "7400 123401"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_so_is_whatever_else_opens_something_or_is_somebodys(what):
    line, secret = OTHERS[what]
    assert secret in line
    assert secret not in hide(line)
    assert HIDDEN in hide(line)


PLAIN = [
    "Not Found: /nowhere/",
    "GET /notifications/preferences/: 200",
    "GET /notifications/unsubscribe/<str:token>/: 200",
    "GET /static/unfold/css/styles.0123456789ab.css: 200",
    "email took 1 of 1 in 12 ms.",
    "Event 5 has failed: no more than 100 % of the budget",
    "SNS refused 2 of 10 messages, the sweep will ring again.",
    "6f1c2a34-0b7d-4f0e-9c55-8a1d2b3c4d5e",
    "arn:aws:sqs:eu-west-1:123456789012:notifier-production-email",
    "test_a_name_of_a_test_that_is_longer_than_forty_characters",
    "d41d8cd98f00b204e9800998ecf8427e",
    'File "/var/task/django/core/handlers/exception.py", line 55, in inner',
    "The signal middleware could not be loaded: ImportError",
    "2026-11-30T05:13:43.123+00:00",
]


@pytest.mark.parametrize("line", PLAIN)
def test_the_rest_stays_as_it_is(line):
    assert hide(line) == line


@pytest.mark.parametrize(
    "piece", ["a", "a.", "%41", "/unsubscribe/", "u.1.", "a@", "+1 ", "token", "=", "a:", "0a"]
)
def test_a_long_line_costs_as_its_length(piece):
    with at_most(0.3):
        hide(f"{piece * 20_000}%")


# Each formatter, each way into a line.


def say(logger):
    logger.warning("Not Found: %s", PATH)


def say_in_words(logger):
    logger.warning(f"Not Found: {PATH}")


def say_by_name(logger):
    logger.warning("Not Found: %(path)s", {"path": PATH})


def say_in_pieces(logger):
    logger.warning("%s/%s/", "/notifications/unsubscribe", STOP)


def say_in_bytes(logger):
    logger.warning("Not Found: %s", PATH.encode())


def say_a_list(logger):
    logger.warning("seen: %s", [{"path": PATH}])


def say_besides(logger):
    logger.warning("Not Found", extra={"path": PATH, "more": {"deep": [PATH]}})


def say_an_object(logger):
    logger.warning({"path": PATH})


def raise_it(logger):
    try:
        raise AttributeError(f"no page at {PATH}")
    except AttributeError:
        logger.exception("A page failed")


def raise_it_from_another(logger):
    try:
        try:
            raise TypeError(PATH)
        except TypeError as error:
            raise AttributeError("x") from error
    except AttributeError:
        logger.exception("A page failed")


def say_with_its_stack(logger):
    logger.warning("Here: %s", PATH, stack_info=True)


WAYS = [
    say,
    say_in_words,
    say_by_name,
    say_in_pieces,
    say_in_bytes,
    say_a_list,
    say_besides,
    say_an_object,
    raise_it,
]
WAYS += [raise_it_from_another, say_with_its_stack]


@pytest.fixture
def logged():
    """``logged(formatter, say)``: the lines."""

    def logged(formatter, say):
        stream, logger = io.StringIO(), logging.Logger("x")
        logger.addHandler(handler := logging.StreamHandler(stream))
        handler.setFormatter(formatter)
        say(logger)
        return stream.getvalue()

    return logged


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("formatter", [JsonFormatter, LineFormatter])
def test_each_formatter_hides_it_whichever_way_it_comes(logged, formatter, way):
    text = logged(formatter(), way)
    assert text
    assert STOP.rpartition(".")[2] not in text
    if formatter is JsonFormatter:
        assert all(json.loads(line) for line in text.splitlines())


# The loggers, as the project sets them up.


@pytest.fixture
def lines(settings):
    """``lines()``: what all loggers have written, by the project's own logging, at its most talkative."""
    before, stream = project.LOGGING, io.StringIO()
    loud = before | {"root": before["root"] | {"level": "DEBUG"}}
    logging.config.dictConfig(loud)
    handlers = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    for handler in handlers:
        handler.setStream(stream)
    yield stream.getvalue
    logging.config.dictConfig(before)


def ask_for_nothing(client):
    return client.get(f"{PATH}x/")


def ask_without_the_slash(client):
    return client.get(PATH[:-1])


def ask_with_next(client):
    return client.get(f"/nowhere/?next={quote(PATH, safe='')}")


def post_from_elsewhere(client):
    headers = {"referer": f"https://evil.example{PATH}"}
    return client.post("/admin/login/", {"x": 1}, secure=True, headers=headers)


def post_without_a_cookie(client):
    return client.post(f"/admin/login/?next={PATH}", {"x": 1})


def use_another_method(client):
    return client.put(PATH)


def fail(client):
    return client.post(PATH, {"a": ["1"] * 1001})


def ask_another_host(client):
    return client.get(PATH + "x", headers={"host": f"evil.example.com{PATH}"})


REQUESTS = [ask_for_nothing, ask_without_the_slash, ask_with_next, post_from_elsewhere, post_without_a_cookie]
REQUESTS += [use_another_method, fail, ask_another_host]


@pytest.mark.parametrize("request_it", REQUESTS)
def test_djangos_own_lines_hide_it(lines, request_it):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    assert request_it(client).status_code >= 300
    assert STOP.rpartition(".")[2] not in lines()


def test_a_page_that_fails_hides_it_in_the_line_and_in_its_trace(lines, monkeypatch):
    def explode(purpose, token):
        raise ValueError(f"odd: {token}")

    monkeypatch.setattr(link_tokens, "read", explode)
    assert Client(raise_request_exception=False).get(PATH).status_code == 500
    assert "Internal Server Error: /notifications/unsubscribe/…" in lines()
    assert "ValueError: odd: …" in lines()
    assert STOP.rpartition(".")[2] not in lines()


SERVERS = {
    "django.server": ('"%s" %s %s', f"GET {PATH} HTTP/1.1", "200", "5"),
    "uvicorn.access": ('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", PATH, "1.1", 200),
    "uvicorn.error": ("Exception in ASGI application: %s", PATH),
    "gunicorn.access": ('%s "%s" %s', "127.0.0.1", f"GET {PATH} HTTP/1.1", 200),
    "zappa.wsgi": ("%s", f'127.0.0.1 - - [30/Nov/2026] "GET {PATH} HTTP/1.1" 200'),
    "axes.attempts": ("AXES: %s", f"path {PATH}"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_servers_lines_are_written_once_and_by_the_projects_formatter(name, capfd, lines):
    logger = logging.getLogger(name)
    text, *arguments = SERVERS[name]
    logger.error(text, *arguments)
    assert lines().count("ERROR") == 1
    assert STOP.rpartition(".")[2] not in lines() + "".join(capfd.readouterr())


def test_uvicorn_set_up_before_the_project_keeps_no_handler_of_its_own(lines):
    from uvicorn.config import LOGGING_CONFIG

    logging.config.dictConfig(LOGGING_CONFIG)
    logging.config.dictConfig(project.LOGGING)
    for name in "uvicorn", "uvicorn.error", "uvicorn.access":
        assert (logging.getLogger(name).handlers, logging.getLogger(name).propagate) == ([], True)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (PATH, "/notifications/unsubscribe/<str:token>/"),
        ("/notifications/devices/12/remove/", "/notifications/devices/<int:pk>/remove/"),
        ("/admin/auth/user/12/change/", "/admin/auth/user/<path:object_id>/change/"),
        ("/nowhere/", "/nowhere/"),
        (f"{PATH}x/", "/notifications/unsubscribe/…"),
        (f"//notifications/{STOP}", "//notifications/…"),
    ],
)
def test_the_function_logs_the_route_and_not_who_was_meant(lines, path, shown):
    def application(environ, start_response):
        start_response("200 OK", [])
        return []

    environ = {"lambda.event": {}, "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": f"next={PATH}"}
    behind_lambda(application)(environ, lambda *arguments: None)
    assert f"GET {shown}: 200\n" in lines()


# What Django and this project make today is of a shape that is known.


def test_what_is_made_today_is_hidden_by_itself(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", "k" * 40)
    user = get_user_model().objects.create_user("ada")
    uid, session = urlsafe_base64_encode(b"1"), SessionStore()
    session.create()
    made = [session.session_key, default_token_generator.make_token(user), *secrets_of("https://a.example/")]
    made += [link_tokens.sign("preferences", f"user:{user.pk}", 1)]
    for secret in made:
        assert secret not in hide(f"seen: {secret} and {uid}")


def test_a_failed_sign_in_leaves_no_token_in_its_row(settings):
    settings.AXES_ENABLED = True
    assert settings.AXES_SENSITIVE_PARAMETERS == sys.modules["project.settings"].AXES_SENSITIVE_PARAMETERS
    form = {"username": "ada", "password": "hunter2", "csrfmiddlewaretoken": "qwertz123", "next": PATH}
    Client().post(f"/admin/login/?next={quote(PATH)}&token={STOP}", form)
    row = json.dumps([str(value) for value in vars(AccessAttempt.objects.get()).values()])
    assert [secret for secret in (STOP, "hunter2", "qwertz123") if secret in row] == []
