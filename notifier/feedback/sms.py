"""SNS's delivery status of SMS, as CloudWatch Logs passes it on to ``lambdas.feedback``.

SNS publishes it to no topic; it writes a line into a log group, once that is switched on for the account:
docs/feedback.md. https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""

import base64
import binascii
import gzip
import json
import zlib
from typing import Any

from django.utils import timezone

from ..exceptions import MalformedMessage
from ..models import Feedback, Suppression
from .reports import Report, key_of, moment_of, without_addresses

CHANNEL = "sms"
# Any: see `deliveries.claims`.
Kind: Any = Feedback.Kind
Reason: Any = Suppression.Reason
# What says something about the number itself, or that nothing was sent; every other failure is a bounce that
# may pass.
# https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html#sms_stats_delivery_fail_reasons
FAILURES = {
    "Phone number is opted out": (Kind.REFUSED, True, Reason.OPTED_OUT),
    "Invalid phone number": (Kind.BOUNCED, True, Reason.BOUNCED),
    "Message body is invalid": (Kind.REFUSED, False, ""),
    "This delivery would exceed max price": (Kind.REFUSED, False, ""),
}


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
        number, said = str(delivery["destination"]), str(delivery.get("providerResponse") or "")
        message_id = str(message["messageId"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    sent_at = moment_of(message.get("timestamp")) or timezone.now()
    kind, permanent, suppress = (
        (Kind.DELIVERED, False, "") if status == "SUCCESS" else FAILURES.get(said, (Kind.BOUNCED, False, ""))
    )
    return Report(
        channel=CHANNEL,
        kind=kind,
        key=key_of("sns-sms", message_id, str(status), said),
        message_id=message_id,
        happened_at=sent_at,
        sent_at=sent_at,
        addresses=(number,),
        detail=without_addresses(said, [number]),
        permanent=permanent,
        suppress=suppress,
    )
