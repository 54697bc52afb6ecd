"""The same SMS through AWS End User Messaging: one request each, without a question before, and each of its
answers becomes the right one of ours.
"""

import logging

import botocore.session
import pytest

from lambdas import _sms_aws, sms
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.local.sms_voice import SERVICE

# The outbox that is looked into shows people's inboxes too.
pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

NUMBER = "+12065550123"
OPTED_OUT = "+12065550199"


@pytest.fixture
def aws(cloud, monkeypatch):
    monkeypatch.setenv("SMS_DRIVER", "aws")
    cloud.sms_voice.reset()
    yield cloud.sms_voice
    cloud.sms_voice.reset()


@pytest.fixture
def send(aws, make_message):
    def send(*, address=NUMBER, text="Hello", **timeouts):
        with sms.open_session(**timeouts) as session:
            return sms.send(make_message(address=address, text=text, delivery=7), session)

    return send


def test_a_text_is_one_request_that_names_its_delivery(cloud, aws, send):
    provider_id = send(address="+1 (206) 555-0123", text="Sale! 20 % off · £5")
    (received,) = cloud.outbox()
    assert (received.channel, received.recipient, received.text) == ("sms", NUMBER, "Sale! 20 % off · £5")
    assert received.provider_id == provider_id
    assert aws.texts == [
        {
            "MessageId": provider_id,
            "To": NUMBER,
            "MessageType": "TRANSACTIONAL",
            "Context": {"notifier-delivery": "7"},
        }
    ]


@pytest.mark.parametrize(
    ("variable", "value", "parameter"),
    [
        ("SMS_ORIGINATION_IDENTITY", "pool-0a1b2c3d", "OriginationIdentity"),
        ("SMS_ORIGINATION_IDENTITY", " +12065550100 ", "OriginationIdentity"),  # pasted with blanks
        ("SMS_MAX_PRICE", "0.50", "MaxPrice"),
    ],
)
def test_what_is_set_goes_along(aws, send, monkeypatch, variable, value, parameter):
    monkeypatch.setenv(variable, value)
    send()
    assert aws.texts[0][parameter] == value.strip()


def test_the_set_whose_events_are_heard_has_to_be_there(aws, send, monkeypatch):
    monkeypatch.setenv("SMS_CONFIGURATION_SET", "shop-production")
    with pytest.raises(Rejected) as caught:
        send()
    assert caught.value.reason == "not_configured"
    aws.sets["shop-production"] = {}
    assert send()


def test_who_has_opted_out_is_skipped_without_a_question(aws, send):
    with pytest.raises(Skipped) as caught:
        send(address=OPTED_OUT)
    assert (caught.value.reason, aws.texts) == ("opted_out", [])


REFUSALS = [
    # AWS's code, its status, its reason, the field, what it is for us
    ("ConflictException", 400, "DESTINATION_PHONE_NUMBER_OPTED_OUT", "", Skipped, "opted_out"),
    ("ValidationException", 400, "INVALID_PARAMETER", "DestinationPhoneNumber", Skipped, "invalid_address"),
    ("ValidationException", 400, "INVALID_PARAMETER", "MessageBody", Rejected, "refused"),
    ("ConflictException", 400, "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "", Rejected, "trial_account"),
    ("ConflictException", 400, "NO_ORIGINATION_IDENTITIES_FOUND", "", Rejected, "not_configured"),
    ("ConflictException", 400, "RESOURCE_NOT_ACTIVE", "", Rejected, "not_configured"),
    ("ValidationException", 400, "DESTINATION_COUNTRY_BLOCKED", "", Rejected, "country_not_enabled"),
    ("ValidationException", 400, "SENDER_ID_REQUIRES_REGISTRATION", "", Rejected, "country_not_enabled"),
    ("ValidationException", 400, "PRICE_OVER_THRESHOLD", "", Rejected, "too_dear"),
    ("ValidationException", 400, "BRAND_NEW", "", Rejected, "refused"),
    ("ResourceNotFoundException", 400, "", "", Rejected, "not_configured"),
    ("AccessDeniedException", 400, "", "", Rejected, "unauthorized"),  # the role
    ("AccessDeniedException", 400, "ACCOUNT_DISABLED", "", Rejected, "account_suspended"),
    ("UnrecognizedClientException", 400, "", "", Rejected, "unauthorized"),
    ("ExpiredTokenException", 400, "", "", TryAgain, "credentials_expired"),
    ("ThrottlingException", 400, "", "", TryAgain, "throttled"),
    (
        "ServiceQuotaExceededException", 402, "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "", TryAgain,
        "no_credits",
    ),
    ("ServiceQuotaExceededException", 402, "POOLS_PER_ACCOUNT", "", Rejected, "refused"),
    ("InternalServerException", 500, "", "", OutcomeUnknown, "provider_failed"),
    ("ServiceUnavailable", 503, "", "", OutcomeUnknown, "provider_failed"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "why", "field", "error", "reason"), REFUSALS)
def test_each_answer_becomes_ours(aws, send, code, status, why, field, error, reason):
    fields = {"Fields": [{"Name": field, "Message": NUMBER}]} if field else {}
    aws.refuse_next(code, status=status, **({"Reason": why} if why else {}), **fields)
    with pytest.raises(error) as caught:
        send()
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert NUMBER[2:] not in caught.value.detail


def test_each_name_in_the_table_is_one_of_the_service():
    model = botocore.session.Session().get_service_model(SERVICE)
    said = {name for shape in model.shape_names for name in _names(model.shape_for(shape))}
    # Of every service of AWS: https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html
    common = {"ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException"}
    assert _sms_aws.ERRORS.keys() - said == common


def _names(shape):
    yield shape.name
    yield from getattr(shape, "enum", ())
    yield from getattr(shape, "members", ())


def test_nobody_listening_means_nothing_was_sent(send, monkeypatch, closed_url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed_url)
    with pytest.raises(TryAgain) as caught:
        send()
    assert caught.value.reason == "unreachable"


def test_a_request_that_is_never_answered_leaves_the_outcome_unknown(send, monkeypatch, silent_url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent_url)
    with pytest.raises(OutcomeUnknown) as caught:
        send(read_seconds=0.2)
    assert caught.value.reason == "timeout"


def test_neither_log_nor_error_holds_the_number_or_the_text(aws, send, caplog):
    caplog.set_level(logging.DEBUG)
    send(text="Of nobody's business")
    aws.refuse_next("ValidationException", Reason="INVALID_PARAMETER")
    with pytest.raises(Rejected) as caught:
        send(text="Of nobody's business")
    seen = caplog.text + caught.value.detail
    assert caplog.records, "nothing was logged, so nothing was looked at"
    assert [word for word in ("nobody", "business", NUMBER[2:]) if word in seen] == []
