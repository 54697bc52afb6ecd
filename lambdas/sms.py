"""SMS through SNS, straight to a phone number. Next: the result goes to deliveries."""

import logging
from contextlib import closing, contextmanager
from dataclasses import dataclass

import boto3
import phonenumbers
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain

from ._aws import NEVER_LEFT, single_request_config
from ._handler import make_handler

logger = logging.getLogger(__name__)

# What one Publish takes: https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
MAX_CHARACTERS = 1600
# Of one SMS, and of each part of a longer one:
# https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-sms-scale-limits.html
SEPTETS, SEPTETS_PER_PART = 160, 153
UCS2_UNITS, UCS2_UNITS_PER_PART = 70, 67
CONNECT_SECONDS, READ_SECONDS = 3, 10
# An SMS that arrives hours late tells of something that is over.
HORIZON_HOURS = 6
# What its role may do, read by `manage.py stack` without importing this file. A phone number has no ARN, and the question about it
# takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
PERMISSIONS = [
    {
        "Sid": "SendToPhonesAndToNoTopic",
        "Effect": "Allow",
        "Action": ["sns:Publish"],
        "NotResource": "arn:{partition}:sns:*:*:*",
    },
    {"Sid": "AskWhoOptedOut", "Effect": "Allow", "Action": ["sns:CheckIfPhoneNumberIsOptedOut"], "Resource": "*"},
]

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and .../CommonErrors.html; SNS uses both families of names.
ERRORS = {
    "OptedOut": (Skipped, "opted_out"),
    "InvalidParameter": (Rejected, "refused"),
    "InvalidParameterValue": (Rejected, "refused"),
    "ValidationError": (Rejected, "refused"),
    "ValidationException": (Rejected, "refused"),
    "AuthorizationError": (Rejected, "unauthorized"),
    "AccessDenied": (Rejected, "unauthorized"),
    "AccessDeniedException": (Rejected, "unauthorized"),
    "InvalidClientTokenId": (Rejected, "unauthorized"),
    "SignatureDoesNotMatch": (Rejected, "unauthorized"),
    "ExpiredToken": (TryAgain, "credentials_expired"),
    "Throttled": (TryAgain, "throttled"),
    "Throttling": (TryAgain, "throttled"),
    "ThrottlingException": (TryAgain, "throttled"),
    "RequestLimitExceeded": (TryAgain, "throttled"),
    "TooManyRequestsException": (TryAgain, "throttled"),
}

# 3GPP TS 23.038, 6.2.1: https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these takes two septets.
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """How a text travels: ``encoding`` is GSM-7 or UCS-2, ``characters`` are its units (septets, or 16-bit units)."""

    encoding: str
    characters: int
    parts: int


def count_parts(text):
    """The :class:`Parts` of ``text``: what it costs at least; SNS cuts between words and may need one more."""
    if all(character in GSM_BASIC or character in GSM_EXTENDED for character in text):
        widths = [1 + (character in GSM_EXTENDED) for character in text]
        return _cut("GSM-7", widths, SEPTETS, SEPTETS_PER_PART)
    widths = [1 + (ord(character) > 0xFFFF) for character in text]
    return _cut("UCS-2", widths, UCS2_UNITS, UCS2_UNITS_PER_PART)


def send(message, sns):
    """Send ``message`` by the SNS client ``sns`` and return SNS's message id.

    Raises Skipped (``invalid_address``, ``opted_out``), Rejected, TryAgain or OutcomeUnknown, as ERRORS says.
    """
    number = _e164(message.address)
    if not message.text.strip():
        raise Rejected("empty")
    if len(message.text) > MAX_CHARACTERS:
        raise Rejected("too_long", f"{len(message.text)} characters; SNS takes {MAX_CHARACTERS}.")
    parts = count_parts(message.text)
    logger.info("delivery %s is an SMS of %d part(s) in %s", message.delivery, parts.parts, parts.encoding)
    # What fails here was only a question: whatever the answer's fate, nothing was sent.
    with _translated(no_answer=TryAgain):
        opted_out = sns.check_if_phone_number_is_opted_out(phoneNumber=number)["isOptedOut"]
    if opted_out:
        raise Skipped("opted_out")
    with _translated(no_answer=OutcomeUnknown):
        attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        return sns.publish(PhoneNumber=number, Message=message.text, MessageAttributes=attributes)["MessageId"]


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The SNS client of one batch. It never repeats a call by itself: Publish has no token against doubles."""
    config = single_request_config(connect_seconds, read_seconds)
    with closing(boto3.session.Session().client("sns", config=config)) as sns:
        yield sns


@contextmanager
def _translated(*, no_answer):
    """Turn boto3's errors into ours. SNS's own words are left out: they repeat the phone number."""
    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        unlisted = (no_answer, "provider_failed") if status >= 500 else (Rejected, "refused")
        ours, reason = ERRORS.get(code, unlisted)
        raise ours(reason, f"SNS answered {code}.") from None
    except NEVER_LEFT as error:
        raise TryAgain("unreachable", type(error).__name__) from None
    except ReadTimeoutError:
        raise no_answer("timeout", "SNS did not answer in time.") from None
    except BotoCoreError as error:
        raise no_answer("connection_lost", type(error).__name__) from None


def _e164(address):
    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        raise Skipped("invalid_address", "Not a valid phone number in international form (+44 …).")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _cut(encoding, widths, single, per_part):
    """Count parts as phones take them: a character of two units is never cut in two."""
    units = sum(widths)
    if units <= single:
        return Parts(encoding=encoding, characters=units, parts=1)
    parts, room = 1, per_part
    for width in widths:
        if width > room:
            parts, room = parts + 1, per_part
        room -= width
    return Parts(encoding=encoding, characters=units, parts=parts)


handler = make_handler(send, session=open_session, at_most_once=True, horizon_hours=HORIZON_HOURS)
