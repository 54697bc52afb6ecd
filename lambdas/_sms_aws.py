"""SMS through AWS End User Messaging, which sends for SNS as well. A driver of ``sms``.

It tells of each message by an event, and of who has opted out by refusing to send. There is no token against
doubles, so no call is ever repeated.
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

import os
from contextlib import closing, contextmanager

from notifier.channels.limits import Limit
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.feedback.reports import DELIVERY_TAG

from ._aws import aws_errors_as_ours, make_client, single_request_config

NAME = "AWS End User Messaging"
MAX_CHARACTERS = 1600
# SNS's, for which it sends. What an origination identity may send a second, AWS tells for each: from one to a
# hundred parts. https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-mps.html
RATE = Limit(number=20)
# As for SNS: https://aws.amazon.com/end-user-messaging/pricing/ (2026)
MICROS_PER_PART = {"US": 5_810, "KR": 24_140}
OTHER_COUNTRIES = 40_000
# Variable → the parameter that it fills in, where it is set: the pool, number or sender that an SMS comes
# from, in any form that AWS takes; the set whose events are heard, which the stack names; the most that one
# may cost, in US dollars.
OPTIONS = {
    "SMS_ORIGINATION_IDENTITY": "OriginationIdentity",
    "SMS_CONFIGURATION_SET": "ConfigurationSetName",
    "SMS_MAX_PRICE": "MaxPrice",
}

# AWS's reason, else its code → ours. All of them stand in the service's own description, which botocore has.
ERRORS = {
    # Of the person
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": (Skipped, "opted_out"),
    "DestinationPhoneNumber": (Skipped, "invalid_address"),
    # Of what is set up
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": (Rejected, "trial_account"),
    "DESTINATION_COUNTRY_BLOCKED": (Rejected, "country_not_enabled"),
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": (Rejected, "country_not_enabled"),
    "COUNTRY_NOT_ENABLED": (Rejected, "country_not_enabled"),
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": (Rejected, "country_not_enabled"),
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": (Rejected, "country_not_enabled"),
    "SENDER_ID_NOT_REGISTERED": (Rejected, "country_not_enabled"),
    "SENDER_ID_NOT_SUPPORTED": (Rejected, "country_not_enabled"),
    "SENDER_ID_REQUIRES_REGISTRATION": (Rejected, "country_not_enabled"),
    "MESSAGE_TYPE_MISMATCH": (Rejected, "not_configured"),
    "NO_ORIGINATION_IDENTITIES_FOUND": (Rejected, "not_configured"),
    "NUMBER_CAPABILITIES_MISMATCH": (Rejected, "not_configured"),
    "RESOURCE_NOT_ACCESSIBLE": (Rejected, "not_configured"),
    "RESOURCE_NOT_ACTIVE": (Rejected, "not_configured"),
    "ResourceNotFoundException": (Rejected, "not_configured"),
    "ACCOUNT_DISABLED": (Rejected, "account_suspended"),
    "INSUFFICIENT_ACCOUNT_REPUTATION": (Rejected, "account_suspended"),
    "AccessDeniedException": (Rejected, "unauthorized"),
    "InvalidSignatureException": (Rejected, "unauthorized"),
    "UnrecognizedClientException": (Rejected, "unauthorized"),
    # Of the message
    "MAXIMUM_SIZE_EXCEEDED": (Rejected, "too_long"),
    "PRICE_OVER_THRESHOLD": (Rejected, "too_dear"),
    # What passes: the limit when somebody raises it, or the month ends.
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": (TryAgain, "no_credits"),
    "ExpiredTokenException": (TryAgain, "credentials_expired"),
    "ThrottlingException": (TryAgain, "throttled"),
}


@contextmanager
def open_sender(connect_seconds, read_seconds):
    """``send(number, text, delivery)``, which returns AWS's message id."""
    config = single_request_config(connect_seconds, read_seconds)
    with closing(make_client("pinpoint-sms-voice-v2", config=config)) as client:
        yield lambda number, text, delivery: _send(client, number, text, delivery)


def _send(client, number, text, delivery):
    options = {
        name: value for variable, name in OPTIONS.items() if (value := os.environ.get(variable, "").strip())
    }
    with aws_errors_as_ours(_refusal_of, OutcomeUnknown, who="AWS"):
        return client.send_text_message(
            DestinationPhoneNumber=number,
            MessageBody=text,
            MessageType="TRANSACTIONAL",
            # It comes back with each event.
            Context={DELIVERY_TAG: str(delivery)},
            **options,
        )["MessageId"]


def _refusal_of(error, no_answer):
    said, status = error.response, error.response["ResponseMetadata"]["HTTPStatusCode"]
    code, fields = said["Error"]["Code"], [each.get("Name") for each in said.get("Fields") or ()]
    names = [said.get("Reason"), *fields, code]
    unlisted = (no_answer, "provider_failed") if status >= 500 else (Rejected, "refused")
    ours, reason = next((ERRORS[each] for each in names if each in ERRORS), unlisted)
    return ours(reason, f"AWS answered {' '.join(filter(None, [code, said.get('Reason')]))}.")
