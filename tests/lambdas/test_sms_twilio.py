"""The same SMS through Twilio: one request each, and each of Twilio's answers becomes the right one of
ours.
"""

import logging

import pytest

from lambdas import sms
from lambdas._sms_twilio import KEYS, account_url
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from tests.lambdas.twilio import ACCOUNT, KEY, SENDER, TOKEN, at_twilio
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke

pytestmark = pytest.mark.one_database

NUMBER = "+12065550123"


@pytest.fixture
def twilio(monkeypatch):
    with at_twilio(monkeypatch) as stand_in:
        yield stand_in


@pytest.fixture
def send(twilio, make_message):
    def send(*, address=NUMBER, text="Hello", **timeouts):
        with sms.open_session(**timeouts) as session:
            return sms.send(make_message(address=address, text=text), session)

    return send


@pytest.mark.parametrize(
    ("variables", "sent_by"),
    [
        ({}, {"From": SENDER}),  # a number of the account
        # A service, which chooses a number
        ({"TWILIO_FROM": "MG" + "2" * 32}, {"MessagingServiceSid": "MG" + "2" * 32}),
        # A key that can be revoked, instead of the account's own token
        ({"TWILIO_API_KEY": KEY}, {"From": SENDER}),
    ],
)
def test_a_text_is_one_request_with_number_and_sender(twilio, send, monkeypatch, variables, sent_by):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert send(address="+1 (206) 555-0123", text="Sale! 20 % off · £5 & more") == f"SM{1:032x}"
    assert twilio.messages == [{"To": NUMBER, "Body": "Sale! 20 % off · £5 & more"} | sent_by]
    assert twilio.requests == 1


@pytest.mark.urls("tests.feedback.urls")
@pytest.mark.parametrize(
    ("base_url", "callback"),
    [
        ("https://shop.example.com", "https://shop.example.com/feedback/twilio/?delivery=1"),
        ("https://shop.example.com/", "https://shop.example.com/feedback/twilio/?delivery=1"),
        ("https://x.example/prod", "https://x.example/prod/feedback/twilio/?delivery=1"),  # behind a gateway
        ("http://localhost:8000", None),  # Twilio reaches no such address, and would refuse the message
        ("", None),
    ],
)
def test_twilio_is_asked_to_say_later_what_became_of_it_where_there_is_an_address(
    twilio, send, settings, base_url, callback
):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": base_url}
    send()
    assert twilio.messages[0].get("StatusCallback") == callback


def test_a_project_without_the_webhook_is_asked_nothing_later(twilio, send, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": "https://shop.example.com"}
    send()
    assert "StatusCallback" not in twilio.messages[0]


@pytest.mark.django_db(transaction=True)
def test_a_delivery_goes_the_whole_way_by_twilio_and_has_its_price(cloud, twilio):
    delivery = make_delivery(channel="sms", address=NUMBER)
    assert invoke("sms", *bodies_for("sms", [delivery.pk])) == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.provider_id, delivery.cost_micros) == ("sent", f"SM{1:032x}", 8_300)
    assert cloud.outbox() == []  # SNS was asked nothing


@pytest.mark.parametrize(
    ("status", "code", "error", "reason"),
    [
        (400, 21610, Skipped, "opted_out"),  # the person answered STOP
        (400, 21211, Skipped, "invalid_address"),  # no number
        (400, 21614, Skipped, "invalid_address"),  # no mobile
        (400, 21635, Skipped, "invalid_address"),  # a landline
        (400, 21408, Rejected, "country_not_enabled"),  # switched off in the console
        (400, 21608, Rejected, "trial_account"),  # reaches verified numbers only
        (400, 21617, Rejected, "too_long"),  # one more than Twilio takes
        (400, 21612, Rejected, "refused"),  # no route, and any code nobody listed
        (401, 20003, Rejected, "unauthorized"),  # the token is wrong
        (403, None, Rejected, "unauthorized"),  # without a code, the status speaks
        (404, 20404, Rejected, "unauthorized"),  # the account's SID is wrong
        (429, 20429, TryAgain, "throttled"),  # too many at once: never processed
        (429, None, TryAgain, "throttled"),  # the same from a gateway
        (400, 21611, TryAgain, "throttled"),  # this sender's queue is full
        (500, 20500, OutcomeUnknown, "provider_failed"),  # may have failed after it sent
        (503, None, OutcomeUnknown, "provider_failed"),  # a gateway's answer says nothing
        (302, None, Rejected, "refused"),  # nobody follows with a token
    ],
)
def test_each_answer_becomes_ours_after_one_request(twilio, send, status, code, error, reason):
    twilio.fail_next(status, code=code, headers={"location": "/elsewhere"} if status == 302 else ())
    with pytest.raises(error) as caught:
        send()
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert NUMBER not in caught.value.detail
    assert twilio.requests == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"sid": null}'])
def test_a_success_without_an_id_leaves_the_outcome_unknown(twilio, send, body):
    twilio.fail_next(201, body=body)
    with pytest.raises(OutcomeUnknown):
        send()


def test_when_to_come_again_is_twilios_own_word(twilio, send):
    twilio.fail_next(429, code=20429, headers={"retry-after": "17"})
    with pytest.raises(TryAgain) as caught:
        send()
    assert caught.value.after_seconds == 17


@pytest.mark.parametrize("missing", KEYS)
def test_without_a_key_nothing_is_asked(twilio, send, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(Rejected, match=missing) as caught:
        send()
    assert (caught.value.reason, twilio.requests) == ("not_configured", 0)


@pytest.mark.parametrize(("text", "reason"), [(" \n", "empty"), ("a" * 1601, "too_long")])
def test_what_twilio_would_refuse_is_not_sent_there(twilio, send, text, reason):
    with pytest.raises(Rejected) as caught:
        send(text=text)
    assert (caught.value.reason, twilio.requests) == (reason, 0)


def test_nobody_listening_means_that_nothing_was_sent_and_silence_that_nobody_knows(
    send, monkeypatch, closed_url, silent_url
):
    monkeypatch.setenv("TWILIO_API_URL", closed_url)
    with pytest.raises(TryAgain) as caught:
        send()
    assert caught.value.reason == "unreachable"
    monkeypatch.setenv("TWILIO_API_URL", silent_url)
    with pytest.raises(OutcomeUnknown) as caught:
        send(read_seconds=0.2)
    assert caught.value.reason == "timeout"


def test_neither_log_nor_error_holds_the_number_the_text_or_a_key(twilio, send, caplog):
    caplog.set_level(logging.DEBUG)
    send(text="Of nobody's business")
    twilio.fail_next(400, code=21211)
    with pytest.raises(Skipped) as caught:
        send(text="Of nobody's business")
    seen = caplog.text + caught.value.detail
    assert caplog.records, "nothing was logged, so nothing was looked at"
    assert [word for word in ("business", NUMBER[2:], TOKEN, ACCOUNT) if word in seen] == []


def test_twilio_is_asked_at_its_own_address_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("TWILIO_API_URL", raising=False)
    assert account_url("AC1") == "https://api.twilio.com/2010-04-01/Accounts/AC1"
