"""SMS, through Amazon SNS, AWS End User Messaging or Twilio as ``SMS_DRIVER`` says.

A driver is a module ``_sms_<name>``: NAME, MAX_CHARACTERS, RATE, MICROS_PER_PART, OTHER_COUNTRIES, and
``open_sender``, whose ``send(number, text, delivery)`` makes one call and returns the provider's id.
"""

import logging
import os
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module

import phonenumbers

from notifier.channels.message import Examination, Message, Problem
from notifier.exceptions import Rejected, Skipped

from ._handler import make_handler
from ._sms_parts import GSM_BASIC, GSM_EXTENDED, ROOM, SEPTETS, UCS2_UNITS, count_parts, cut

logger = logging.getLogger(__name__)

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "SMS"
VERB = "text"
EXAMPLE = "+44 7400 123401"
MARK = "#"
DRIVERS = ("sns", "aws", "twilio")
# Nobody else's package has it.
LIBRARIES = ("phonenumbers",)
# Twilio's; AWS knows the function by its role.
CREDENTIALS = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY")
CONNECT_SECONDS, READ_SECONDS = 3, 10
# What SNS delivers a second, at its 100 ms for the question and as many for the message. No more: what is in
# flight when a function dies is left for a person.
CONCURRENCY = 4
# An SMS that arrives hours late tells of something that is over.
HORIZON_HOURS = 6
# How many of the characters that GSM-7 lacks are named.
MOST_NAMED = 5
# What its role may do, read by `manage.py stack` without importing this file: by the driver, of which the
# first is the default. A phone number has no ARN, and the question about it takes no resource:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_sns.html
PERMISSIONS = {
    "SMS_DRIVER": {
        "sns": [
            {
                "Sid": "SendToPhonesAndToNoTopic",
                "Effect": "Allow",
                "Action": ["sns:Publish"],
                "NotResource": "arn:{partition}:sns:*:*:*",
            },
            {
                "Sid": "AskWhoOptedOut",
                "Effect": "Allow",
                "Action": ["sns:CheckIfPhoneNumberIsOptedOut"],
                "Resource": "*",
            },
            {
                # SNS has another service send and look up, with the rights of whoever asks SNS, and by no
                # other way: https://docs.aws.amazon.com/sns/latest/dg/sns-sms-access-management.html
                "Sid": "WhatSNSAsksOfEndUserMessaging",
                "Effect": "Allow",
                "Action": ["sms-voice:SendTextMessage", "sms-voice:DescribeOptedOutNumbers"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}},
            },
        ],
        # No ARN: AWS compares what a request names, and a sender that it names by its number has none.
        # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-sms.html
        "aws": [
            {
                "Sid": "SendToPhones",
                "Effect": "Allow",
                "Action": ["sms-voice:SendTextMessage"],
                "Resource": "*",
            }
        ],
        "twilio": [],
    }
}


def send(message: Message, sender: Callable[[str, str, int], str]) -> str:
    """Send ``message`` by the driver's ``sender`` and return the provider's id.

    Raises Skipped (``invalid_address``, ``opted_out``), Rejected, TryAgain or OutcomeUnknown, as the driver's
    ERRORS say.
    """
    number, driver = _e164(message.address), _driver()
    if not message.text.strip():
        raise Rejected("empty")
    if len(message.text) > driver.MAX_CHARACTERS:
        raise Rejected(
            "too_long", f"{len(message.text)} characters; {driver.NAME} takes {driver.MAX_CHARACTERS}."
        )
    parts = count_parts(message.text)
    logger.info("delivery %s is an SMS of %d part(s) in %s", message.delivery, parts.parts, parts.encoding)
    return sender(number, message.text, message.delivery)


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The sender of the SMS of one batch: the driver's own."""
    with _driver().open_sender(connect_seconds, read_seconds) as sender:
        yield sender


def examine(message: Message) -> Examination:
    """The message as it travels: its parts, what forces the dearer encoding, and about what it costs.

    Pure; never raises.
    """
    text = message.text
    encoding, widths, pieces = cut(text)
    single, per_part = ROOM[encoding]
    return Examination(
        look="phone",
        problems=tuple(_problems(_driver(), text, encoding, len(pieces))),
        pieces=tuple(pieces),
        length=sum(widths),
        limit=single if len(pieces) == 1 else per_part * len(pieces),
        unit=f"{encoding} characters",
        cost_micros=_price_of(len(pieces), message.address),
    )


def price(message: Message) -> int:
    """About what the provider asks for ``message``, in millionths of a US dollar: by its parts and its
    country.
    """
    return _price_of(count_parts(message.text).parts, message.address)


def _driver():
    """The driver's module. A name that nobody knows is SNS, which every account has: the doctor says so."""
    name = os.environ.get("SMS_DRIVER", "").strip() or DRIVERS[0]
    return import_module(f"lambdas._sms_{name if name in DRIVERS else DRIVERS[0]}")


def _price_of(parts, address):
    driver = _driver()
    return parts * driver.MICROS_PER_PART.get(_country(address), driver.OTHER_COUNTRIES)


def _problems(driver, text, encoding, parts):
    if not text.strip():
        yield Problem(part="text", text="The text is empty: it would not be sent.", is_error=True)
    if len(text) > driver.MAX_CHARACTERS:
        yield Problem(
            part="text",
            text=f"{len(text)} characters: {driver.NAME} takes {driver.MAX_CHARACTERS}.",
            is_error=True,
        )
    if encoding != "GSM-7":
        found = list(
            dict.fromkeys(each for each in text if each not in GSM_BASIC and each not in GSM_EXTENDED)
        )
        names = " ".join(each if each.isprintable() else f"U+{ord(each):04X}" for each in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield Problem(
            part="text",
            text=(
                f"Because of {names}{more} an SMS holds {UCS2_UNITS} characters instead of "
                f"{SEPTETS}: phones write it in UCS-2."
            ),
        )
    if parts > 1:
        yield Problem(part="text", text=f"It takes {parts} parts and costs as much as {parts} SMS.")


def _country(address):
    """The country of a phone number, such as “US”, or None."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address, None))
    except phonenumbers.NumberParseException:
        return None


def _e164(address):
    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        raise Skipped("invalid_address", "Not a valid phone number in international form (+44 …).")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


handler = make_handler(
    send,
    session=open_session,
    at_most_once=True,
    horizon_hours=HORIZON_HOURS,
    concurrency=CONCURRENCY,
    rate=lambda: _driver().RATE,
)
