"""The events of AWS End User Messaging about an SMS that it had taken.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

import datetime as dt
import json
import logging
import re
from typing import Any

from django.utils import timezone

from ..exceptions import MalformedMessage
from ..models import Feedback, Suppression
from .failures import Failure
from .reports import DELIVERY_TAG, Report, delivery_id_of, key_of, without_addresses
from .sms import CHANNEL, failure_of

logger = logging.getLogger(__name__)

ITS_OWN = re.compile(r'"eventType"\s*:\s*"[A-Z]+_[A-Z_]+"')
# Any: see `deliveries.claims`.
Kind: Any = Feedback.Kind
Reason: Any = Suppression.Reason

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html; of the first
# nothing is kept, as the answer to the call has said so.
ON_ITS_WAY = {"TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"}
# A carrier that took it is the last that is heard in many countries.
DELIVERED = {"TEXT_DELIVERED", "TEXT_SUCCESSFUL"}
# Its words are SNS's, for which it sends, and say more than the type where `sms` knows them.
FAILED = {
    "TEXT_BLOCKED": Failure("the phone or its carrier blocks it"),
    "TEXT_CARRIER_BLOCKED": Failure("the carrier has blocked it", Kind.REFUSED),
    "TEXT_CARRIER_UNREACHABLE": Failure("the carrier cannot be reached"),
    "TEXT_INVALID": Failure("there is no such number", permanent=True, suppress=Reason.BOUNCED),
    "TEXT_INVALID_MESSAGE": Failure("the text is not allowed", Kind.REFUSED),
    "TEXT_PROTECT_BLOCKED": Failure("a rule of our account blocks it", Kind.REFUSED),
    "TEXT_SPAM": Failure("the carrier takes it for spam", Kind.REFUSED),
    "TEXT_TTL_EXPIRED": Failure("it could not be handed over in time"),
    "TEXT_UNKNOWN": Failure("nobody knows why"),
    "TEXT_UNREACHABLE": Failure("the phone cannot be reached"),
}


def is_its_own(body: str) -> bool:
    """Whether a message of the feedback's queue is such an event, and none of SES's."""
    return bool(ITS_OWN.search(body))


def read_event(body: str) -> Report | None:
    """The Report in one event's text; None where there is nothing to report.

    Raises MalformedMessage, which quotes nothing.
    """
    try:
        event = json.loads(body)
        name, message_id = event["eventType"], event["messageId"]
        if not isinstance(message_id, str):
            raise MalformedMessage("no event of AWS End User Messaging")
        failure = _failure_of(name, event)
        return _report(name, message_id, failure, event) if failure else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"no event of AWS End User Messaging ({type(error).__name__})") from None


def _failure_of(name: str, event: dict[str, Any]) -> Failure | None:
    if name in DELIVERED:
        return Failure("", Kind.DELIVERED)
    if name in FAILED:
        said = failure_of(str(event.get("messageStatusDescription") or ""))
        return (said if said.words else FAILED[name]) if event.get("isFinal", True) else None
    if name not in ON_ITS_WAY:
        logger.info("AWS End User Messaging has an event that is not known here. It is left out.")
    return None


def _report(name: str, message_id: str, failure: Failure, event: dict[str, Any]) -> Report:
    number = str(event.get("destinationPhoneNumber") or "")
    said = str(event.get("messageStatusDescription") or "") if failure.kind != Kind.DELIVERED else ""
    return Report(
        channel=CHANNEL,
        kind=failure.kind,
        key=key_of("sms-voice", message_id, name),
        message_id=message_id,
        happened_at=_moment_of(event.get("eventTimestamp")),
        sent_at=_moment_of(event.get("messageRequestTimestamp")),
        addresses=(number,) if number else (),
        delivery_id=delivery_id_of((event.get("context") or {}).get(DELIVERY_TAG)),
        detail=without_addresses(said or FAILED[name].words if name in FAILED else "", [number]),
        permanent=failure.permanent,
        suppress=failure.suppress,
        of_account=failure.of_account,
    )


def _moment_of(milliseconds: Any) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return timezone.now()
