"""SMS through Amazon SNS, straight to a phone number. A driver of ``sms``."""

import logging
from contextlib import closing, contextmanager
from functools import cache

from notifier.channels.limits import Limit
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain

from ._aws import SNS_ERRORS, aws_errors_as_ours, make_client, single_request_config, sns_refusal

logger = logging.getLogger(__name__)

NAME = "Amazon SNS"
# What one Publish takes: https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
MAX_CHARACTERS = 1600
# What SNS delivers of an account, unless AWS was asked for more:
# https://docs.aws.amazon.com/general/latest/gr/sns.html#limits_sns
RATE = Limit(number=20)
# About what a part costs, in millionths of a US dollar, by the country of the number; carriers' own fees come
# on top. The page lists some 200 countries from 0.003 to 0.3 dollars and has no list to load: where a country
# is not here, OTHER_COUNTRIES stands for it, an average of ours. https://aws.amazon.com/sns/sms-pricing/
# (2025)
MICROS_PER_PART = {"US": 5_810, "KR": 24_140}
OTHER_COUNTRIES = 40_000

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and .../CommonErrors.html; SNS uses both
# families of names.
ERRORS = {
    **SNS_ERRORS,
    "OptedOut": (Skipped, "opted_out"),
    "ValidationError": (Rejected, "refused"),
}


@contextmanager
def open_sender(connect_seconds, read_seconds):
    """``send(number, text, delivery)``, which returns SNS's message id.

    It never repeats a call by itself: Publish has no token against doubles.
    """
    config = single_request_config(connect_seconds, read_seconds)
    with closing(make_client("sns", config=config)) as sns:
        yield lambda number, text, _delivery: _send(sns, number, text)


def _send(sns, number, text):
    if _has_opted_out(sns, number):
        raise Skipped("opted_out", "Of messages to this number, says the provider.")
    with aws_errors_as_ours(_refusal_of, OutcomeUnknown):
        attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        return sns.publish(PhoneNumber=number, Message=text, MessageAttributes=attributes)["MessageId"]


def _has_opted_out(sns, number):
    try:
        # What fails here is only a question: whatever the answer's fate, nothing was sent.
        with aws_errors_as_ours(_refusal_of, TryAgain):
            return sns.check_if_phone_number_is_opted_out(phoneNumber=number)["isOptedOut"]
    except Rejected as refused:
        if refused.reason != "unauthorized":
            raise
        # SNS delivers nothing to who has opted out, so the question spares a charge and tells us sooner.
        _say_that_nobody_is_asked()
        return False


@cache
def _say_that_nobody_is_asked():
    """Once a process. https://docs.aws.amazon.com/sns/latest/dg/sns-sms-access-management.html"""
    logger.warning(
        "SNS may not tell who has opted out, and SMS are sent unasked: sms-voice:DescribeOptedOutNumbers is "
        "allowed neither by this function's role nor by the policy of End User Messaging's list Default."
    )


def _refusal_of(error, no_answer):
    return sns_refusal(error, ERRORS, no_answer)
