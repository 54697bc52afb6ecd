"""SMS through SNS, straight to a phone number. Next: the result goes to deliveries."""

import logging
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise

import boto3
import phonenumbers
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from notifier.channels import Examination, Problem
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
ROOM = {"GSM-7": (SEPTETS, SEPTETS_PER_PART), "UCS-2": (UCS2_UNITS, UCS2_UNITS_PER_PART)}
CONNECT_SECONDS, READ_SECONDS = 3, 10
# An SMS that arrives hours late tells of something that is over.
HORIZON_HOURS = 6
# About what a part costs, in millionths of a US dollar, by the country of the number; carriers' own fees come on top. The page lists
# some 200 countries from 0.003 to 0.3 dollars and has no list to load: where a country is not here, OTHER_COUNTRIES stands for it,
# an average of ours. https://aws.amazon.com/sns/sms-pricing/ (2025)
MICROS_PER_PART = {"US": 5_810, "KR": 24_140}
OTHER_COUNTRIES = 40_000
# How many of the characters that GSM-7 lacks are named.
MOST_NAMED = 5
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
    encoding, widths, pieces = _cut(text)
    return Parts(encoding=encoding, characters=sum(widths), parts=len(pieces))


def examine(message):
    """How ``message`` travels: its parts, what forces the dearer encoding, and about what it costs. Pure; never raises."""
    text = message.text
    encoding, widths, pieces = _cut(text)
    single, per_part = ROOM[encoding]
    return Examination(
        look="phone",
        problems=tuple(_problems(text, encoding, len(pieces))),
        pieces=tuple(pieces),
        length=sum(widths),
        limit=single if len(pieces) == 1 else per_part * len(pieces),
        unit=f"{encoding} characters",
        cost_micros=_price_of(len(pieces), message.address),
    )


def price(message):
    """About what SNS asks for ``message``, in millionths of a US dollar: by its parts and its country."""
    return _price_of(count_parts(message.text).parts, message.address)


def _price_of(parts, address):
    return parts * MICROS_PER_PART.get(_country(address), OTHER_COUNTRIES)


def _problems(text, encoding, parts):
    if not text.strip():
        yield Problem(part="text", text="The text is empty: it would not be sent.", is_error=True)
    if len(text) > MAX_CHARACTERS:
        yield Problem(part="text", text=f"{len(text)} characters: Amazon SNS takes {MAX_CHARACTERS}.", is_error=True)
    if encoding != "GSM-7":
        found = list(dict.fromkeys(each for each in text if each not in GSM_BASIC and each not in GSM_EXTENDED))
        names = " ".join(each if each.isprintable() else f"U+{ord(each):04X}" for each in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield Problem(
            part="text",
            text=f"Because of {names}{more} an SMS holds {UCS2_UNITS} characters instead of {SEPTETS}: phones write it in UCS-2.",
        )
    if parts > 1:
        yield Problem(part="text", text=f"It takes {parts} parts and costs as much as {parts} SMS.")


def _country(address):
    """The country of a phone number, such as “US”, or None."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address, None))
    except phonenumbers.NumberParseException:
        return None


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
        raise Skipped("opted_out", "Of messages to this number, says the provider.")
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


def _cut(text):
    """``(encoding, units of each character, pieces)`` as phones take them: a character of two units is never cut in two."""
    if all(character in GSM_BASIC or character in GSM_EXTENDED for character in text):
        encoding, widths = "GSM-7", [1 + (character in GSM_EXTENDED) for character in text]
    else:
        encoding, widths = "UCS-2", [1 + (ord(character) > 0xFFFF) for character in text]
    single, per_part = ROOM[encoding]
    if sum(widths) <= single:
        return encoding, widths, [text]
    starts, room = [0], per_part
    for position, width in enumerate(widths):
        if width > room:
            starts.append(position)
            room = per_part
        room -= width
    return encoding, widths, [text[start:end] for start, end in pairwise([*starts, len(text)])]


handler = make_handler(send, session=open_session, at_most_once=True, horizon_hours=HORIZON_HOURS)
