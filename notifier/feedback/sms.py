"""SNS's delivery status of SMS, as CloudWatch Logs passes it on to ``lambdas.feedback``.

SNS publishes it to no topic; it writes a line into a log group, once that is switched on for the account:
docs/feedback.md. https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""

import base64
import binascii
import gzip
import json
import re
import zlib
from typing import Any

from django.utils import timezone

from ..exceptions import MalformedMessage
from ..models import Feedback, Suppression
from .failures import Failure
from .reports import Report, key_of, moment_of, without_addresses

CHANNEL = "sms"
# Any: see `deliveries.claims`.
Kind: Any = Feedback.Kind
Reason: Any = Suppression.Reason

# SNS has several wordings for a reason ("Phone number is opted out", "+1… is opted out"), so it is told by
# a part of its words, in lower case; the first that fits counts. What is not here is a bounce that may pass:
# a carrier or a phone that is out of reach, or nobody knows.
# https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html#sms_stats_delivery_fail_reasons
# Those that AWS does not list are from https://github.com/GSA/notifications-admin/issues/935 and
# https://github.com/cds-snc/notification-api/pull/1892
FAILURES = (
    Failure("opted out", Kind.REFUSED, permanent=True, suppress=Reason.OPTED_OUT),
    Failure("opt-out", Kind.REFUSED, permanent=True, suppress=Reason.OPTED_OUT),
    # The account's, and nothing about the number.
    Failure("quota", Kind.REFUSED, of_account=True),
    Failure("spend limit", Kind.REFUSED, of_account=True),
    Failure("spending limit", Kind.REFUSED, of_account=True),
    Failure("rate exceeded", Kind.REFUSED, of_account=True),
    # About this text.
    Failure("max price", Kind.REFUSED),
    Failure("message body", Kind.REFUSED),
    Failure("blocked as spam", Kind.REFUSED),
    Failure("blocked this message", Kind.REFUSED),
    # About the number.
    Failure("invalid phone number", permanent=True, suppress=Reason.BOUNCED),
    Failure("phone number is invalid", permanent=True, suppress=Reason.BOUNCED),
)
MAY_PASS = Failure("")
PHONE = re.compile(r"\+?[\d\s().-]{5,30}")


def failure_of(said: str) -> Failure:
    """The meaning of a reason in SNS's words."""
    lower = " ".join(said.casefold().split())
    return next((each for each in FAILURES if each.words in lower), MAY_PASS)


def read_receipts(event):
    """The Reports in what a subscription of CloudWatch Logs calls a function with. Raises MalformedMessage.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    try:
        data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        lines = data["logEvents"] if data["messageType"] == "DATA_MESSAGE" else []
        return [report for line in lines if (report := read_receipt(line["message"]))]
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error, binascii.Error) as error:
        raise MalformedMessage(f"no line of CloudWatch Logs ({type(error).__name__})") from None


def read_receipt(text):
    """The Report in one line, or None where it is none: other things may be written to the same log group."""
    try:
        line = json.loads(text)
        message, delivery, status = line["notification"], line["delivery"], line["status"]
        number, said = str(delivery.get("destination") or ""), str(delivery.get("providerResponse") or "")
        message_id = str(message["messageId"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # A line about a phone's app, or of another kind, whose words mean other things.
    if number and not PHONE.fullmatch(number) or status not in ("SUCCESS", "FAILURE"):
        return None
    sent_at = moment_of(message.get("timestamp")) or timezone.now()
    failure = Failure("", Kind.DELIVERED) if status == "SUCCESS" else failure_of(said)
    return Report(
        channel=CHANNEL,
        kind=failure.kind,
        key=key_of("sns-sms", message_id, str(status), said),
        message_id=message_id,
        happened_at=sent_at,
        sent_at=sent_at,
        addresses=(number,) if number else (),
        detail=without_addresses(said, [number]),
        permanent=failure.permanent,
        suppress=failure.suppress,
        of_account=failure.of_account,
    )
