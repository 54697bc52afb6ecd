"""Sends to one device through its endpoint in SNS, which it makes, switches on and takes away. Called by
``push``.
"""

import json
import logging
import os
import re

from botocore.exceptions import BotoCoreError, ClientError

from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain

from ._aws import SNS_ERRORS, aws_errors_as_ours, sns_refusal
from ._push_payload import attributes_of, payload_of

logger = logging.getLogger(__name__)

# ARNs of the platform applications, with commas between them. Which platform each is of, it says itself.
APPLICATIONS = "PUSH_APPLICATIONS"
# Platform of a device → its name in ARNs and messages:
# https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
KEYS = {"fcm": "GCM", "apns": "APNS", "apns_sandbox": "APNS_SANDBOX"}


class EndpointLost(Exception):
    """SNS has no such endpoint any more; the next attempt makes another."""


class DeviceGone(Exception):
    """The platform does not know the token any more: the app was removed.

    It is not sent to again until the app comes back.
    """


# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, .../API_CreatePlatformEndpoint.html and
# .../CommonErrors.html
ERRORS = {
    **SNS_ERRORS,
    "EndpointDisabled": (DeviceGone, "disabled"),
    "EndpointDisabledException": (DeviceGone, "disabled"),
    "NotFound": (EndpointLost, "lost"),
    "NotFoundException": (EndpointLost, "lost"),
    "PlatformApplicationDisabled": (Rejected, "not_configured"),
    "PlatformApplicationDisabledException": (Rejected, "not_configured"),
}
# What only the words of an InvalidParameter tell apart:
# https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html
SAME_TOKEN = re.compile(r"Endpoint (arn:[^ ]+) already exists with the same Token")
NO_ENDPOINT, BAD_TOKEN = "No endpoint found", "Token Reason:"


def applications(named=None):
    """Key of the platform (``GCM``, ``APNS``, ``APNS_SANDBOX``) → ARN of its application, of ``named`` or of
    the environment's.
    """
    text = os.environ.get(APPLICATIONS, "") if named is None else named
    arns = [arn.strip() for arn in text.split(",") if arn.strip()]
    return {arn.split("/")[1]: arn for arn in arns if arn.count("/") == 2}


def push_to(device, message, sns, arns):
    """SNS's id of one message to one device. Raises DeviceGone, EndpointLost or a SendError."""
    key = KEYS[device.platform]
    if key not in arns:
        raise Rejected("not_configured", f"{APPLICATIONS} names no application of {key}.")
    payload = json.dumps({"default": "…", key: payload_of(key, message)}, ensure_ascii=False)
    endpoint = device.endpoint_arn or _make_endpoint(device, arns[key], sns)
    with aws_errors_as_ours(_refusal_of, OutcomeUnknown):
        return sns.publish(
            TargetArn=endpoint,
            Message=payload,
            MessageStructure="json",
            MessageAttributes=attributes_of(key, message),
        )["MessageId"]


def _make_endpoint(device, application, sns):
    """The ARN of the device's endpoint, made, or found and switched on. Nothing is sent by it."""
    with aws_errors_as_ours(_refusal_of, TryAgain):
        try:
            arn = sns.create_platform_endpoint(PlatformApplicationArn=application, Token=device.token)[
                "EndpointArn"
            ]
        except ClientError as error:
            if not (same := SAME_TOKEN.search(_words_of(error))):
                raise
            arn = same[1]
        # One that is there already may be switched off, and says nothing of it.
        sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "true", "Token": device.token})
    device.endpoint_arn = arn
    type(device).objects.filter(pk=device.pk).update(endpoint_arn=arn)
    return arn


def drop(device, sns):
    """Switch a device off, and take its endpoint away: a new registration makes both again."""
    type(device).objects.filter(pk=device.pk).update(enabled=False, endpoint_arn="")
    logger.info("Device %d is gone and is switched off.", device.pk)
    if device.endpoint_arn:
        try:
            sns.delete_endpoint(EndpointArn=device.endpoint_arn)
        except (BotoCoreError, ClientError) as error:
            logger.warning("The endpoint of device %d stays in SNS: %s", device.pk, type(error).__name__)


def _words_of(error):
    # None where the answer has the element and nothing in it.
    return error.response["Error"].get("Message") or ""


def _refusal_of(error, no_answer):
    words = _words_of(error)
    if NO_ENDPOINT in words:
        return EndpointLost()
    if error.response["Error"]["Code"].startswith("InvalidParameter") and BAD_TOKEN in words:
        return DeviceGone()
    return sns_refusal(error, ERRORS, no_answer)
