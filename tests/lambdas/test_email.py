"""Mail by SES: what is sent, one request each, and what each of its answers means."""

import base64
import json
from email import message_from_bytes, policy
from email.utils import parseaddr

import boto3
import pytest
from django.core.validators import validate_email
from hypothesis import given, strategies as st

from lambdas import email
from notifier.exceptions import OutcomeUnknown, Rejected, SendError, Skipped, TryAgain
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke
from tests.support.gate import SEND_MAIL
from tests.support.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.one_database

ADDRESS = "ada@example.com"


@pytest.fixture
def send(cloud):
    """``send(message)`` over a connection of its own, as the environment then is; the time-outs can be
    short.
    """

    def send(message, **timeouts):
        with email.open_connection(**timeouts) as connection:
            return email.send(message, connection)

    return send


def raised(send, message, **timeouts):
    with pytest.raises(SendError) as caught:
        send(message, **timeouts)
    return type(caught.value), caught.value.reason


def sent_mail(gate):
    """The mail as it went over the wire, parsed."""
    (call,) = [call for call in gate.calls if call.action == SEND_MAIL]
    body = json.loads(call.body)

    return body, message_from_bytes(base64.b64decode(body["Content"]["Raw"]["Data"]), policy=policy.default)


def test_a_mail_has_a_text_and_an_html_part_and_one_recipient(gate, send, make_message):
    message = make_message(address=ADDRESS, subject="Größe & Söhne", text="Grüße", html="<p>Grüße</p>")
    provider_id = send(message)
    body, mail = sent_mail(gate)
    assert body["Destination"] == {"ToAddresses": [ADDRESS]}
    assert (mail["To"], mail["Subject"], mail["Cc"], mail["Bcc"]) == (ADDRESS, "Größe & Söhne", None, None)
    assert parseaddr(mail["From"])[1] == "notifier@example.com"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Grüße", "<p>Grüße</p>"]
    assert provider_id


def test_a_mail_without_html_is_plain_text(gate, send, make_message):
    send(make_message(address=ADDRESS, text="Hello"))
    _, mail = sent_mail(gate)
    assert (mail.get_content_type(), mail.get_content().strip()) == ("text/plain", "Hello")


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"html": "<p>Hello</p>"},
        {"attempt": 3},  # once more
        {"unsubscribe_url": "https://example.com/u/"},  # of a list, with its button beside
    ],
)
def test_a_mail_says_that_it_is_automatic(gate, send, make_message, parts):
    send(make_message(address=ADDRESS, text="Hello", **parts))
    _, mail = sent_mail(gate)
    assert mail.get_all("Auto-Submitted") == ["auto-generated"]
    assert {each.strip() for each in mail["X-Auto-Response-Suppress"].split(",")} >= {"OOF", "AutoReply"}
    # A report that it did not arrive is wanted, and a receipt is no bulk mail.
    assert "NDR" not in mail["X-Auto-Response-Suppress"].split(", ")
    assert mail["Precedence"] is None
    assert bool(mail["List-Unsubscribe-Post"]) == bool(parts.get("unsubscribe_url"))


@pytest.mark.django_db  # the outbox shows people's inboxes too
def test_the_provider_id_is_the_one_that_ses_gave(cloud, send, make_message):
    provider_id = send(make_message(address=ADDRESS))
    assert [message.provider_id for message in cloud.outbox()] == [provider_id]


ADDRESSES = [
    # an address, whether a mail can be addressed to it
    ("ada@example.com", True),
    ("ada.b+tag@sub.example.co.uk", True),
    ("o'neil@example.com", True),
    ("ada@münchen.example", True),  # sent as punycode
    ("a@" + "b" * 60 + ".example", True),
    ("", False),
    ("ada", False),
    ("ada at example.com", False),
    ("ada@", False),
    ("@example.com", False),
    ("ada@example", False),
    ("ada@example..com", False),
    ("ada@exam ple.com", False),
    (" ada@example.com", False),
    ("ada@example.com,bo@example.com", False),
    ("ada@example.com, bo@example.com", False),
    ("Ada <ada@example.com>", False),
    ("<ada@example.com>", False),
    ("ada@example.com\n", False),
    ("ada@example.com\r\nBcc: eve@example.com", False),
    ("ada@example.com\x00", False),
    ("ada\u202e@example.com", False),
    ("a" * 250 + "@example.com", False),
    ("a@" + "b." * 130 + "example", False),  # more than 254 characters
]


@pytest.mark.parametrize(("address", "is_usable"), ADDRESSES)
def test_an_unusable_address_is_skipped_before_any_call(gate, send, make_message, address, is_usable):
    message = make_message(address=address)
    if is_usable:
        assert send(message)
    else:
        assert raised(send, message) == (Skipped, "invalid_address")
    assert gate.count(SEND_MAIL) == is_usable


@given(st.from_regex(email.PLAIN_ADDRESS, fullmatch=True))
def test_a_plain_address_is_one_by_all_rules(address):
    """They are not looked at one by one."""
    validate_email(address)
    assert parseaddr(address) == ("", address)


ANSWERS = [
    # SES's code and HTTP status, ours:
    # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
    ("TooManyRequestsException", 429, TryAgain, "throttled"),
    ("ThrottlingException", 400, TryAgain, "throttled"),
    ("LimitExceededException", 400, TryAgain, "limit_exceeded"),
    ("SendingPausedException", 400, TryAgain, "sending_paused"),
    ("AccountSuspendedException", 400, Rejected, "account_suspended"),
    ("MailFromDomainNotVerifiedException", 400, Rejected, "sender_not_verified"),
    ("MessageRejected", 400, Rejected, "message_rejected"),
    ("BadRequestException", 400, Rejected, "bad_request"),
    ("NotFoundException", 404, Rejected, "not_found"),
    ("AccessDeniedException", 403, Rejected, "access_denied"),
    ("InternalServiceErrorException", 500, OutcomeUnknown, "provider_error"),
    ("ServiceUnavailable", 503, OutcomeUnknown, "provider_error"),
    ("BrandNewException", 400, OutcomeUnknown, "provider_error"),
]


@pytest.mark.parametrize(("code", "status", "error", "reason"), ANSWERS)
def test_each_answer_of_ses_becomes_ours_after_one_request(
    gate, send, make_message, code, status, error, reason
):
    body = json.dumps({"message": f"{ADDRESS} is no good"})
    gate.answer(SEND_MAIL, status=status, body=body, headers={"x-amzn-ErrorType": code})
    assert raised(send, make_message(address=ADDRESS)) == (error, reason)
    assert gate.count(SEND_MAIL) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>a login page</html>"),
        (200, "{}"),  # taken, without an id
        (200, ""),
        (502, "<html>Bad Gateway</html>"),
        (500, ""),
    ],
)
def test_an_answer_that_is_none_leaves_the_outcome_unknown_after_one_request(
    gate, send, make_message, status, body
):
    gate.answer(SEND_MAIL, status=status, body=body)
    assert raised(send, make_message(address=ADDRESS))[0] is OutcomeUnknown
    assert gate.count(SEND_MAIL) == 1


def test_a_reply_that_comes_too_late_makes_one_request(gate, send, make_message):
    with gate.hold(SEND_MAIL, taken=True) as reached:
        assert raised(send, make_message(address=ADDRESS), read_seconds=0.2) == (OutcomeUnknown, "no_answer")
        assert reached.wait(PATIENCE_SECONDS)
        assert gate.count(SEND_MAIL) == 1


def test_a_connection_that_breaks_makes_one_request(gate, send, make_message):
    gate.cut(SEND_MAIL)
    assert raised(send, make_message(address=ADDRESS)) == (OutcomeUnknown, "no_answer")
    assert gate.count(SEND_MAIL) == 1


@pytest.mark.parametrize("variables", [{}, {"AWS_MAX_ATTEMPTS": "5", "AWS_RETRY_MODE": "adaptive"}])
def test_no_setting_of_the_environment_makes_the_sdk_repeat_a_request(
    gate, send, make_message, monkeypatch, variables
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    gate.answer(SEND_MAIL, status=500, times=10)
    assert raised(send, make_message(address=ADDRESS))[0] is OutcomeUnknown
    assert gate.count(SEND_MAIL) == 1


def test_an_ses_that_cannot_be_reached_is_tried_again_later(
    cloud, send, make_message, closed_url, monkeypatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed_url)
    assert raised(send, make_message(address=ADDRESS)) == (TryAgain, "unreachable")


def test_without_credentials_nothing_is_sent_and_it_is_tried_again_later(
    gate, send, make_message, monkeypatch
):
    # A role whose keys cannot be had at this moment.
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert raised(send, make_message(address=ADDRESS)) == (TryAgain, "unreachable")
    assert gate.count(SEND_MAIL) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("code", "status", "stored", "reason"),
    [
        ("TooManyRequestsException", 429, "waiting", "throttled"),
        ("MessageRejected", 400, "failed", "message_rejected"),
    ],
)
def test_what_ses_answers_is_stored_on_the_delivery(gate, code, status, stored, reason):
    deliveries = make_delivery(), make_delivery()
    gate.answer(SEND_MAIL, status=status, body="{}", headers={"x-amzn-ErrorType": code})
    assert invoke("email", *bodies_for("email", [each.pk for each in deliveries])) == []
    for delivery in deliveries:
        delivery.refresh_from_db()
    # Both calls are made at once, so either can be the one that SES refuses.
    refused, sent = sorted(deliveries, key=lambda each: each.status == "sent")
    assert (refused.status, refused.reason, sent.status) == (stored, reason, "sent")
    assert bool(refused.due_at) == (stored == "waiting")


BODIES = [
    # text, HTML, whether a reader sees anything of the two
    ("", "", False),
    (" \n\t", "", False),
    ("\u00a0\u200b\u200c\ufeff", "", False),  # marks that nobody sees
    ("", "<html><head><style>p { color: red }</style></head><body><p>&nbsp;</p><br></body></html>", False),
    ("", "<!-- nothing -->", False),
    ("", "<p>Hello</p>", True),
    ("Hello", "", True),
    ("Hello", "<p></p>", True),
    ("", '<p><IMG src="https://example.com/a.png"></p>', True),
    ("0", "", True),
]


@pytest.mark.parametrize(("text", "html", "is_sent"), BODIES)
def test_a_mail_that_says_nothing_is_refused_before_any_call(gate, send, make_message, text, html, is_sent):
    message = make_message(address=ADDRESS, subject="News", text=text, html=html)
    if is_sent:
        assert send(message)
    else:
        assert raised(send, message) == (Rejected, "empty")
    assert gate.count(SEND_MAIL) == is_sent
    said = "".join(each.text for each in email.examine(message).problems)
    assert ("it would not be sent" in said) != is_sent
