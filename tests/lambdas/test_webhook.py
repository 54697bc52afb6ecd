"""Webhooks go out signed and once, and each answer of a receiver becomes the right one of ours."""

import datetime as dt
import json
import logging
import time
from email.utils import format_datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lambdas import webhook
from notifier.channels.webhook_secrets import secrets_of
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Suppression
from notifier.people import suppression
from tests.lambdas.internet import HOST
from tests.support.builders import make_delivery, make_event
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep

URL = f"https://{HOST}/In"
OLD, NEW = "an-older-key-of-forty-characters-0123456", "a-newer-key-of-forty-characters-01234567"
pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


@pytest.fixture
def send(internet, monkeypatch):
    """``send(message)`` to the test's own Internet, through a session of its own."""
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", NEW)

    def send(message):
        with webhook.open_session() as session:
            session.verify = internet.ca
            return webhook.send(message, session)

    return send


@pytest.fixture
def make_message(make_message):
    return lambda **values: make_message(**{"address": URL} | values)


def answer(internet, status, headers=""):
    internet.answer = f"HTTP/1.1 {status} Said\r\n{headers}Content-Length: 0\r\n\r\n".encode()


def test_a_document_is_signed_for_its_endpoint_and_its_id_is_the_deliverys(internet, send, make_message):
    event, before = make_event(verb="order_placed"), time.time()
    identity = send(
        make_message(
            delivery=7,
            verb=event.verb,
            recorded_at=event.created_at,
            subject="",
            text="Order 5 is here",
            link="https://shop.example.com/5",
        )
    )
    ((_name, headers, body),) = internet.requests
    document = Webhook(secrets_of(URL)[0]).verify(body, headers)
    assert document == {
        "type": "order_placed",
        "timestamp": event.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "version": 1,
        "data": {"title": "", "text": "Order 5 is here", "link": "https://shop.example.com/5"},
    }
    assert headers["webhook-id"] == identity == webhook.webhook_id(7)
    assert int(before) <= int(headers["webhook-timestamp"]) <= time.time()
    assert (headers["content-type"], headers["accept-encoding"]) == ("application/json", "identity")
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets_of(URL + "/other")[0]).verify(body, headers)


def test_a_text_that_is_json_is_the_data_and_a_subject_the_type(internet, send, make_message):
    send(make_message(subject="order.placed", text=' {"id": 5, "lines": ["Größe"]}'))
    document = json.loads(internet.requests[0][2])
    assert (document["type"], document["data"]) == ("order.placed", {"id": 5, "lines": ["Größe"]})


def test_the_id_is_the_same_at_each_attempt_another_for_another_delivery_and_for_another_deployment(
    internet, send, make_message, settings
):
    first = [send(make_message(delivery=1, attempt=attempt)) for attempt in (1, 2)]
    other = send(make_message(delivery=2))
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:staging"}
    assert len({*first, other, send(make_message(delivery=1))}) == 3


@pytest.mark.parametrize("known", [NEW, OLD])
def test_while_keys_are_changed_a_receiver_may_have_either_secret(
    internet, send, make_message, monkeypatch, known
):
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", f"{NEW}, {OLD}")
    send(make_message())
    _name, headers, body = internet.requests[0]
    signatures = headers["webhook-signature"].split()
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", known)
    (secret,) = secrets_of(URL)
    Webhook(secret).verify(body, headers)
    assert len(signatures) == 2
    # The newest first.
    assert Webhook(secret).verify(body, headers | {"webhook-signature": signatures[known == OLD]})


ANSWERS = [
    # status, headers, what it is for us, reason, seconds
    (300, "", Rejected, "redirected", None),
    (301, "Location: /x\r\n", Rejected, "redirected", None),
    (302, "Location: https://hooks.example.com/x\r\n", Rejected, "redirected", None),
    (304, "", Rejected, "redirected", None),
    (307, "Location: /x\r\n", Rejected, "redirected", None),
    (308, "Location: /x\r\n", Rejected, "redirected", None),
    (400, "", Rejected, "refused", None),
    (401, "", Rejected, "refused", None),  # it does not take the signature
    (403, "", Rejected, "refused", None),
    (404, "", Rejected, "refused", None),
    (408, "", TryAgain, "timeout", None),
    (409, "", TryAgain, "provider_failed", None),  # it is at this one already
    (410, "", Rejected, "gone", None),
    (413, "", Rejected, "refused", None),
    (425, "", TryAgain, "throttled", None),
    (429, "", TryAgain, "throttled", None),
    (429, "Retry-After: 120\r\n", TryAgain, "throttled", 120),
    (429, "Retry-After: 0\r\n", TryAgain, "throttled", 1),
    (429, "Retry-After: 999999999\r\n", TryAgain, "throttled", 86_400),  # a day at most
    (429, "Retry-After: 100000\r\n", TryAgain, "throttled", 86_400),
    (429, "Retry-After: 1.5\r\n", TryAgain, "throttled", 2),
    (429, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", TryAgain, "throttled", 86_400),
    (429, "Retry-After: soon\r\n", TryAgain, "throttled", None),
    (429, "Retry-After: -5\r\n", TryAgain, "throttled", None),
    (500, "", TryAgain, "provider_failed", None),
    (502, "", TryAgain, "provider_failed", None),
    (503, "Retry-After: 60\r\n", TryAgain, "provider_failed", 60),
    (504, "", TryAgain, "provider_failed", None),
    (599, "", TryAgain, "provider_failed", None),
    (999, "", Rejected, "refused", None),
]


@pytest.mark.parametrize(("status", "headers", "kind", "reason", "seconds"), ANSWERS)
def test_each_answer_becomes_ours_after_one_request(
    internet, send, make_message, status, headers, kind, reason, seconds
):
    answer(internet, status, headers)
    with pytest.raises(kind) as caught:
        send(make_message())
    assert (type(caught.value), caught.value.reason, caught.value.detail) == (
        kind,
        reason,
        f"The endpoint answered {status}.",
    )
    assert getattr(caught.value, "after_seconds", None) == seconds
    assert len(internet.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_success_is_one(internet, send, make_message, status):
    answer(internet, status)
    assert send(make_message()).startswith("msg_")


def test_a_date_in_retry_after_is_read_as_one(internet, send, make_message):
    answer(
        internet,
        503,
        f"Retry-After: {format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5), usegmt=True)}\r\n",
    )
    with pytest.raises(TryAgain) as caught:
        send(make_message())
    assert 280 < caught.value.after_seconds <= 300


def test_an_endpoint_that_says_it_is_gone_is_suppressed_as_it_is_written(internet, send, make_message):
    answer(internet, 410)
    for _ in range(2):  # a second delivery was under way
        with pytest.raises(Rejected) as caught:
            send(make_message(address=f" {URL} "))
        # Which suppresses the address, as from every channel: see `notifier.people.suppression.heed`.
        assert caught.value.reason == "gone"
        suppression.heed([(make_delivery(channel="webhook", address=f" {URL} "), caught.value)], "webhook")
    assert list(Suppression.objects.values_list("channel", "address", "reason")) == [("webhook", URL, "gone")]


def test_no_other_answer_suppresses(internet, send, make_message):
    for status in (301, 404, 429, 500):
        answer(internet, status)
        with pytest.raises((Rejected, TryAgain)):
            send(make_message())
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "text", ["{", '{"a": }', '{"a": NaN}', '{"a": -Infinity}', "{'a': 1}", '{"a":' * 50_000]
)
def test_a_text_that_begins_like_json_and_is_none_is_not_sent(internet, send, make_message, text):
    with pytest.raises(Rejected) as caught:
        send(make_message(text=text))
    assert caught.value.reason == "bad_json"
    assert internet.requests == []
    (problem,) = [
        each for each in webhook.examine(make_message(text=text)).problems if "begins like JSON" in each.text
    ]
    assert problem.is_error


@pytest.mark.parametrize("text", ["[Sale] 30% off", "[1, 2]", '"quoted"', "5", "null", "Hello {you}"])
def test_a_text_that_is_no_object_is_a_text(internet, send, make_message, text):
    send(make_message(text=text))
    assert json.loads(internet.requests[0][2])["data"]["text"] == text
    assert webhook.examine(make_message(text=text)).problems == ()


@pytest.mark.parametrize("text", ["x" * 262_145, '{"a": "' + "x" * 262_145 + '"}', "ü" * 50_000])
def test_a_document_that_is_too_long_is_not_sent(internet, send, make_message, text):
    with pytest.raises(Rejected) as caught:
        send(make_message(text=text))
    assert caught.value.reason == "too_long"
    assert internet.requests == []
    assert any(problem.is_error for problem in webhook.examine(make_message(text=text)).problems)


@pytest.mark.parametrize(
    ("keys", "said"),
    [("", "Set WEBHOOK_SIGNING_KEYS"), ("short", "less than 32"), (f"{NEW},short", "less than 32")],
)
def test_without_good_keys_nothing_is_sent_and_the_variable_is_named(
    internet, send, make_message, monkeypatch, keys, said
):
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", keys)
    with pytest.raises(Rejected, match=said) as caught:
        send(make_message())
    assert caught.value.reason == "not_configured"
    assert (internet.questions, internet.connections) == ([], [])


@pytest.mark.parametrize(
    "address", ["http://hooks.example.com/", "https://10.0.0.1/", "https://user@hooks.example.com/", "ada"]
)
def test_an_address_that_is_no_public_url_is_skipped(internet, send, make_message, address):
    with pytest.raises(Skipped) as caught:
        send(make_message(address=address))
    assert caught.value.reason == "invalid_address"
    assert (internet.questions, internet.connections) == ([], [])


def test_a_host_inside_is_skipped_and_nothing_tells_where_it_was(internet, send, make_message, caplog):
    caplog.set_level(logging.DEBUG)
    internet.names[HOST] = ["10.20.30.40"]
    with pytest.raises(Skipped) as caught:
        send(make_message())
    assert (caught.value.reason, caught.value.detail) == (
        "invalid_address",
        "The host has no public address.",
    )
    assert "10.20.30.40" not in caplog.text


def test_a_host_that_is_not_known_may_be_so_later(internet, send, make_message):
    internet.names.clear()
    with pytest.raises(TryAgain) as caught:
        send(make_message())
    assert caught.value.reason == "unreachable"


def test_a_certificate_that_is_not_good_may_be_renewed(internet, send, make_message):
    internet.names["other.example.com"] = internet.names[HOST]
    with pytest.raises(TryAgain) as caught:
        send(make_message(address="https://other.example.com/"))
    assert caught.value.reason == "tls_failed"


def test_a_receiver_that_hangs_up_may_have_taken_it(internet, send, make_message):
    internet.answer = b""
    with pytest.raises(OutcomeUnknown) as caught:
        send(make_message())
    assert caught.value.reason == "connection_lost"


# Through the function


@pytest.mark.django_db(transaction=True)
def test_what_was_refused_for_now_comes_again_under_the_same_id_and_is_there_once(cloud):
    delivery = make_delivery(
        channel="webhook", parts={"text": '{"title": {{ title|json }}}'}, data={"title": 'Say "hello"'}
    )
    cloud.hooks.answer_next(503)
    for status in ("waiting", "sent"):
        assert invoke("webhook", *bodies_for("webhook", [delivery.pk])) == []
        delivery.refresh_from_db()
        assert delivery.status == status
        let_time_pass()
        sweep()
    (hook,) = cloud.hooks.hooks
    assert (hook.url, hook.id) == (delivery.address, delivery.provider_id)
    assert (hook.document["type"], hook.document["data"]) == ("post_save", {"title": 'Say "hello"'})
    assert cloud.hooks.requests == 2


def test_the_receiver_of_the_docs_takes_ours_once_and_nobody_elses(
    internet, send, make_message, settings, capsys
):
    page = (settings.BASE_DIR / "docs" / "channels.md").read_text()
    (block,) = [
        part.partition("```")[0] for part in page.split("```python")[1:] if "WebhookVerificationError" in part
    ]
    names = {}
    exec(block, names)
    send(make_message(subject="order.placed", text='{"id": 5}'))
    _name, headers, body = internet.requests[0]
    (secret,) = secrets_of(URL)
    assert [names["receive"](body, headers, secret) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == "order.placed {'id': 5}\n"
    assert names["receive"](body.replace(b"5", b"6"), headers, secret) == 401
    assert names["receive"](body, headers, secrets_of("https://elsewhere.example.com/")[0]) == 401


def test_the_command_shows_the_secrets_of_a_url_and_says_what_is_missing(monkeypatch):
    out = StringIO()
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", f"{NEW},{OLD}")
    call_command("notify", "webhook-secret", f" {URL}", stdout=out)
    assert out.getvalue().split() == secrets_of(URL)
    assert len(out.getvalue().split()) == 2
    with pytest.raises(CommandError, match="from https://"):
        call_command("notify", "webhook-secret", "shop.example.com")
    monkeypatch.delenv("WEBHOOK_SIGNING_KEYS")
    with pytest.raises(CommandError, match="Set WEBHOOK_SIGNING_KEYS"):
        call_command("notify", "webhook-secret", URL)
