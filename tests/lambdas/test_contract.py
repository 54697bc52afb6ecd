"""What every channel keeps, whichever there are: a new one is held to it by being there."""

import ast
import inspect
import json
import logging
import threading
from importlib import import_module, util
from pathlib import Path

import pytest
from django.db.backends.signals import connection_created

from notifier.channels.registry import channel_names
from notifier.templating.compiler import MAX_OUTPUT_BYTES
from tests.support.builders import ADDRESSES, OF_USERS, make_delivery
from tests.support.functions import bodies_for, invoke
from tests.support.gate import SENDS

pytestmark = pytest.mark.one_database

CHANNELS = channel_names()
# Channels that call nobody: what they send is in the database.
INSIDE = {"inbox"}
# Per channel, an address that its provider could never reach; None where its messages have no recipient of
# their own.
UNUSABLE = {
    "chat": "tgram://MARKED/1",
    "email": "MARKED at example",
    "inbox": None,
    "push": None,
    "sms": "+1 MARKED",
    "twitter": None,
    "webhook": "http://MARKED.example.com",
}
# How many of its messages a function that dies may double, or leave open, beside a group of results.
IN_FLIGHT = {"chat": 8, "email": 16, "inbox": 1, "push": 1, "sms": 4, "twitter": 1, "webhook": 8}
# Words that must not get into a log, a reason or a detail.
TEXT_MARK, SUBJECT_MARK = "Purple-Elephant", "Green-Giraffe"
ADDRESS_MARKS = "marked-zed", "7400447100"  # longer than any port that a log may name
MARKED_ADDRESSES = {
    "chat": "telegram:7400447100",
    "email": "marked-zed@example.com",
    "push": "7400447100",
    "sms": "+447400447100",
    "twitter": "@marked-zed",
    "webhook": "https://marked-zed.example.com/in",
}
# Those whose receiver says all by the status of its answer.
SAID_BY_STATUS = {"webhook"}
SECRETS = {
    "AWS_ACCESS_KEY_ID": "marked-key-id",
    "AWS_SECRET_ACCESS_KEY": "marked-secret",
    "CHAT_ROOMS": '{"telegram": "tgram://123456789:marked-chat-token-of-nobody/{to}"}',
    "X_CONSUMER_KEY": "marked-consumer-key",
    "X_CONSUMER_SECRET": "marked-consumer-secret",
    "X_ACCESS_TOKEN": "1-marked-token",
    "X_ACCESS_TOKEN_SECRET": "marked-token-secret",
    "WEBHOOK_SIGNING_KEYS": "marked-signing-key-of-forty-characters-0",
}


def tree_of(channel):
    return ast.parse(Path(util.find_spec(f"lambdas.{channel}").origin).read_text())


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_has_its_rows_in_the_tables_of_these_tests(channel):
    assert channel in ADDRESSES or channel in OF_USERS, (
        "tests/support/builders.py: give ADDRESSES a good address"
    )
    assert channel in UNUSABLE
    assert channel in IN_FLIGHT
    assert channel in MARKED_ADDRESSES or channel in INSIDE


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_handler_takes_an_event_and_a_context_and_nothing_else(channel):
    parameters = inspect.signature(import_module(f"lambdas.{channel}").handler).parameters.values()
    empty = inspect.Parameter.empty
    expected = [
        ("event", empty, inspect.Parameter.POSITIONAL_OR_KEYWORD),
        ("context", empty, inspect.Parameter.POSITIONAL_OR_KEYWORD),
    ]
    assert [(each.name, each.default, each.kind) for each in parameters] == expected


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channels_file_imports_no_other_channel(channel):
    others = {f"lambdas.{other}" for other in CHANNELS if other != channel}
    found = set()
    for node in ast.walk(tree_of(channel)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, ["lambdas" if node.level else "", node.module]))
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    assert not found & others


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_good_delivery_is_one_call_and_one_message(cloud, gate, channel):
    delivery = make_delivery(channel=channel)
    assert invoke(channel, *bodies_for(channel, [delivery.pk])) == []
    delivery.refresh_from_db()
    (received,) = cloud.outbox()
    assert (delivery.status, delivery.provider_id) == ("sent", received.provider_id)
    assert (received.channel, received.text.strip()) == (channel, delivery.event.data["title"])
    assert gate.sends() == (channel not in INSIDE)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_says_how_many_calls_it_has_in_flight_and_its_handler_goes_by_it(channel):
    module = import_module(f"lambdas.{channel}")
    assert IN_FLIGHT[channel] == module.CONCURRENCY
    (made,) = [node.value for node in tree_of(channel).body if "handler" in names_set_by(node)]
    given = {each.arg: ast.unparse(each.value) for each in made.keywords}
    assert given["concurrency"] == "CONCURRENCY"


def names_set_by(node):
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", CHANNELS)
def test_only_the_functions_own_thread_has_the_database(cloud, gate, channel):
    ids, opened = [make_delivery(channel=channel).pk for _ in range(3)], []

    def note(**_connection):
        opened.append(threading.current_thread().name)

    connection_created.connect(note)
    try:
        assert invoke(channel, *bodies_for(channel, ids)) == []
    finally:
        connection_created.disconnect(note)
    assert (len(cloud.outbox()), set(opened) <= {threading.current_thread().name}) == (3, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if UNUSABLE.get(channel)])
def test_an_unusable_address_is_skipped_and_the_provider_is_asked_nothing(gate, channel):
    delivery = make_delivery(channel=channel, address=UNUSABLE[channel])
    assert invoke(channel, *bodies_for(channel, [delivery.pk])) == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason, gate.calls) == ("skipped", "invalid_address", [])
    assert "MARKED" not in delivery.detail


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_longest_text_that_a_template_can_make_is_sent_or_refused_before_any_call(gate, channel):
    delivery = make_delivery(
        channel=channel, parts={"text": "{{ title }}"}, data={"title": "x" * MAX_OUTPUT_BYTES}
    )
    assert invoke(channel, *bodies_for(channel, [delivery.pk])) == []
    delivery.refresh_from_db()
    if delivery.status == "sent":
        assert gate.sends() == (channel not in INSIDE)
    else:
        assert (delivery.status, delivery.reason, gate.calls) == ("failed", "too_long", [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_of_nothing_is_no_error_that_comes_again(gate, channel):
    delivery = make_delivery(channel=channel, parts={"text": "{{ title }}"}, data={"title": ""})
    assert invoke(channel, *bodies_for(channel, [delivery.pk])) == []
    delivery.refresh_from_db()
    assert delivery.status in ("sent", "failed")


def echo(call):
    """What a provider says that repeats all that it was sent, in the words of each of them."""
    said = call.body.decode(errors="replace")
    return json.dumps(
        {"message": said, "detail": said, "errors": [{"message": said, "code": 1}], "Error": {"Code": said}}
    )


def echo_xml(call):
    message = call.body.decode().replace("&", "+")
    return f"<ErrorResponse><Error><Code>Other</Code><Message>{message}</Message></Error></ErrorResponse>"


FAILURES = {
    # how the provider fails: an answer, or None for hanging up
    "400": {"status": 400, "body": echo},
    "400 in XML": {"status": 400, "body": echo_xml, "content_type": "text/xml"},
    "401": {"status": 401, "body": echo},
    "403": {"status": 403, "body": echo},
    "403 for a duplicate": {
        "status": 403,
        "body": '{"detail": "… a Tweet with duplicate content: Purple-Elephant"}',
    },
    "429": {"status": 429, "body": echo, "headers": {"retry-after": "5"}},
    "500": {"status": 500, "body": echo},
    "500 in XML": {"status": 500, "body": echo_xml, "content_type": "text/xml"},
    "503 in HTML": {
        "status": 503,
        "body": "<html>Purple-Elephant marked-zed@example.com</html>",
        "content_type": "text/html",
    },
    "200 without an id": {"status": 200, "body": echo},
    "200 in HTML": {
        "status": 200,
        "body": "<html>Purple-Elephant +447400447100",
        "content_type": "text/html",
    },
    "200 of nothing": {"status": 200, "body": ""},
    "302": {"status": 302, "body": echo, "headers": {"location": "/elsewhere"}},
    "hangs up": None,
}


def fail(gate, name):
    """Let the next send fail in the way that FAILURES calls ``name``."""
    for action in SENDS:
        gate.answer(action, **FAILURES[name]) if FAILURES[name] else gate.cut(action)


@pytest.fixture
def loud(caplog):
    """All logs at DEBUG, as a stage of Zappa has them unless it is told otherwise; what earlier channels have
    quieted is loud again.
    """
    before = {
        each: each.level
        for each in logging.root.manager.loggerDict.values()
        if isinstance(each, logging.Logger)
    }
    for each in before:
        if not each.name.startswith(("werkzeug", "django.db")):
            each.setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for each, level in before.items():
        each.setLevel(level)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel not in INSIDE])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_request_and_no_address_text_or_secret_gets_into_its_reason_or_a_log(
    gate, loud, monkeypatch, channel, failure
):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    parts = {
        "subject": SUBJECT_MARK,
        "text": f"{TEXT_MARK} for {{{{ title }}}}",
        "html": f"<p>{TEXT_MARK}</p>",
    }
    delivery = make_delivery(
        channel=channel, address=MARKED_ADDRESSES[channel], parts=parts, data={"title": "1"}
    )
    fail(gate, failure)
    assert invoke(channel, *bodies_for(channel, [delivery.pk])) == []
    delivery.refresh_from_db()
    assert gate.sends() == 1
    if channel not in SAID_BY_STATUS or not failure.startswith("200"):
        assert delivery.status != "sent"
        assert delivery.reason
    said = "\n".join([delivery.reason, delivery.detail, *_lines(loud)])
    for mark in (*ADDRESS_MARKS, TEXT_MARK, SUBJECT_MARK, *SECRETS.values(), "marked-chat-token"):
        assert mark not in said


def _lines(caplog):
    """What the function has logged, without the statements of the test's own database and the gate's own
    calls.
    """
    records = [
        each
        for each in caplog.records
        if each.threadName == "MainThread" and not each.name.startswith("django.db")
    ]
    return [logging.Formatter("%(name)s %(message)s").format(record) for record in records]
