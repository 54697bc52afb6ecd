"""Notifications on people's phones, through SNS's endpoints of APNs and FCM. Next: the result goes to
deliveries.
"""

import json
import logging
import os
import re
from bisect import bisect_right
from contextlib import closing, contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from notifier.channels.message import Examination, Problem
from notifier.channels.recipient import Recipient
from notifier.exceptions import OutcomeUnknown, Rejected, SendError, Skipped, TryAgain

from ._aws import SNS_ERRORS, single_request_config, sns_errors_as_ours, sns_refusal
from ._handler import make_handler

logger = logging.getLogger(__name__)

# What people read for it.
LABEL = "Push"
VERB = "notify on the phone"
WAY = "on the phone"
MARK = "●"
CONNECT_SECONDS, READ_SECONDS = 3, 10
HORIZON_HOURS = 24
# A phone that was off for longer shows no more of it: https://docs.aws.amazon.com/sns/latest/dg/sns-ttl.html
TTL_SECONDS = HORIZON_HOURS * 3600
# https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification and
# https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type
MAX_BYTES = 4096
# Ours. Phones show less of a title, and with a text both fit.
MAX_TITLE_CHARACTERS, MAX_LINK_BYTES, MAX_ICON_CHARACTERS = 150, 1000, 100
# Once one of a person's devices has it, the others are tried this often.
MAX_PARTIAL_ATTEMPTS = 5
# 0.50 USD a million after the first million of a month, rounded up: https://aws.amazon.com/sns/pricing/
# (2025)
MICROS_PER_PUSH = 1
# ARNs of the platform applications, with commas between them. Which platform each is of, it says itself.
APPLICATIONS = "PUSH_APPLICATIONS"
# Platform of a device → its name in ARNs and messages:
# https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
KEYS = {"fcm": "GCM", "apns": "APNS", "apns_sandbox": "APNS_SANDBOX"}
# The ids of endpoints are SNS's own, and applications have whichever names the account gave them.
PERMISSIONS = [
    {
        "Sid": "MakeEndpointsOfDevices",
        "Effect": "Allow",
        "Action": ["sns:CreatePlatformEndpoint"],
        "Resource": "arn:{partition}:sns:{region}:{account}:app/*",
    },
    {
        "Sid": "SendToDevicesAndToNoTopic",
        "Effect": "Allow",
        "Action": ["sns:Publish", "sns:SetEndpointAttributes", "sns:DeleteEndpoint"],
        "Resource": "arn:{partition}:sns:{region}:{account}:endpoint/*",
    },
]


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
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
NO_ENDPOINT, BAD_TOKEN = "No endpoint found", "Token Reason:"


def send(message, sns):
    """Send to each of the person's devices that has not had it yet; the id of the first that took it.

    A device that is gone is dropped and the others go on. While no device has taken it, the delivery fares as
    the first that failed; once one has, the others are tried MAX_PARTIAL_ATTEMPTS times, and never one of
    them twice that took it.
    """
    from notifier.models import Device, DevicePush  # Django is set up by then

    recipient = Recipient.parse(message.recipient)
    if not recipient.is_user:
        raise Skipped("invalid_address", "Only users have devices.")
    if not (message.subject.strip() or message.text.strip()):
        raise Rejected("empty")
    had = (
        dict(DevicePush.objects.filter(delivery=message.delivery).values_list("device", "provider_id"))
        if message.attempt > 1
        else {}
    )
    left = list(
        Device.objects.filter(user=recipient.user_key, enabled=True).exclude(pk__in=had).order_by("pk")
    )
    taken, failed = _send_to_all(left, message, sns)
    again = [error for error in failed if not isinstance(error, Rejected)]
    if again and not ((had or taken) and message.attempt >= MAX_PARTIAL_ATTEMPTS):
        DevicePush.objects.bulk_create(
            [
                DevicePush(delivery=message.delivery, device=device, provider_id=each)
                for device, each in taken.items()
            ],
            ignore_conflicts=True,
        )
        raise again[0]
    for provider_id in (*had.values(), *taken.values()):
        return provider_id
    raise failed[0] if failed else Skipped("no_device")


def _send_to_all(devices, message, sns):
    """``(device → id, SendErrors)``."""
    taken, failed, arns = {}, [], applications()
    for device in devices:
        try:
            taken[device] = _send_to(device, message, sns, arns)
        except DeviceGone:
            _drop(device, sns)
        except EndpointLost:
            type(device).objects.filter(pk=device.pk).update(endpoint_arn="")
            failed.append(TryAgain("endpoint_lost", "SNS had no such endpoint any more; another is made."))
        except SendError as error:
            failed.append(error)
            if not isinstance(error, Rejected):
                # It is SNS that has no time or does not answer, for all of them: nobody waits for it once a
                # device.
                break
    return taken, failed


def _send_to(device, message, sns, arns):
    key = KEYS[device.platform]
    if key not in arns:
        raise Rejected("not_configured", f"{APPLICATIONS} names no application of {key}.")
    payload = json.dumps({"default": "…", key: payload_of(key, message)}, ensure_ascii=False)
    endpoint = device.endpoint_arn or _make_endpoint(device, arns[key], sns)
    with sns_errors_as_ours(_refusal_of, OutcomeUnknown):
        return sns.publish(
            TargetArn=endpoint,
            Message=payload,
            MessageStructure="json",
            MessageAttributes=_attributes(key, message),
        )["MessageId"]


def _make_endpoint(device, application, sns):
    """The ARN of the device's endpoint, made, or found and switched on. Nothing is sent by it."""
    with sns_errors_as_ours(_refusal_of, TryAgain):
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


def _drop(device, sns):
    """Switch a device off, and take its endpoint away: a new registration makes both anew."""
    type(device).objects.filter(pk=device.pk).update(enabled=False, endpoint_arn="")
    logger.info("Device %d is gone and is switched off.", device.pk)
    if device.endpoint_arn:
        try:
            sns.delete_endpoint(EndpointArn=device.endpoint_arn)
        except (BotoCoreError, ClientError) as error:
            logger.warning("The endpoint of device %d stays in SNS: %s", device.pk, type(error).__name__)


def applications(named=None):
    """Key of the platform (``GCM``, ``APNS``, ``APNS_SANDBOX``) → ARN of its application, of ``named`` or of
    the environment's.
    """
    text = os.environ.get(APPLICATIONS, "") if named is None else named
    arns = [arn.strip() for arn in text.split(",") if arn.strip()]
    return {arn.split("/")[1]: arn for arn in arns if arn.count("/") == 2}


def _attributes(key, message):
    """Reserved attributes:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html#sns-attrib-mobile-reserved
    """
    found = {f"AWS.SNS.MOBILE.{'FCM' if key == 'GCM' else key}.TTL": str(TTL_SECONDS)}
    if key != "GCM":
        # A second copy of one delivery takes the place of the first.
        found |= {"AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert", "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": _tag(message)}
    return {name: {"DataType": "String", "StringValue": value} for name, value in found.items()}


def _tag(message):
    return f"delivery-{message.delivery}"


def payload_of(key, message):
    """The JSON for one platform, MAX_BYTES at most: of a text that is longer as much as fits, and an
    ellipsis.
    """
    build = _build_apns if key != "GCM" else _build_fcm
    text = _sound(message.text.strip())

    def size_with(length):
        return len(build(message, text[:length].rstrip() + "…").encode())

    whole = build(message, text)
    if len(whole.encode()) <= MAX_BYTES:
        return whole
    fitting = bisect_right(range(min(len(text), MAX_BYTES)), MAX_BYTES, key=size_with) - 1
    return build(message, text[: max(0, fitting)].rstrip() + "…")


def _build_fcm(message, text):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-fcm-v1-payloads.html"""
    return _json({
        "fcmV1Message": {
            "message": {
                "notification": {"title": _title(message), "body": text},
                "data": _data(message),
                "android": {"priority": "high", "notification": {"tag": _tag(message)}},
            }
        }
    })  # fmt: skip


def _build_apns(message, text):
    """https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification"""
    alert = {"title": _title(message), "body": text} if _title(message) else {"body": text}
    return _json({"aps": {"alert": alert, "sound": "default"}, **_data(message)})


def _data(message):
    """What the app gets beside what is shown.

    FCM takes texts only. A link that was cut off would lead somewhere else.
    """
    link = message.link if len(message.link.encode(errors="replace")) <= MAX_LINK_BYTES else ""
    found = {
        "delivery": str(message.delivery),
        "link": _sound(link),
        "icon": _sound(message.icon)[:MAX_ICON_CHARACTERS],
    }
    return {name: value for name, value in found.items() if value}


def _title(message):
    title = _sound(message.subject.strip())
    return title if len(title) <= MAX_TITLE_CHARACTERS else title[: MAX_TITLE_CHARACTERS - 1] + "…"


def _sound(text):
    """``text`` without halves of characters, which no JSON in UTF-8 can hold, and control characters, which
    phones cannot show.
    """
    sound = text.encode(errors="replace").decode()
    return sound if sound.isprintable() else CONTROL.sub(" ", sound)


def _json(payload):
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def examine(message):
    """What phones will show of it. Pure; never raises."""
    problems = []
    if not (message.subject.strip() or message.text.strip()):
        problems.append(Problem(part="text", text="The text is empty: it would not be sent.", is_error=True))
    length = max(
        len(build(message, _sound(message.text.strip())).encode()) for build in (_build_fcm, _build_apns)
    )
    if length > MAX_BYTES:
        cut = (
            f"{length} bytes with all that goes along: phones take {MAX_BYTES}, so the end of the "
            "text is cut off."
        )
        problems.append(Problem(part="text", text=cut))
    if len(message.subject.strip()) > MAX_TITLE_CHARACTERS:
        problems.append(
            Problem(part="subject", text=f"The title is cut off after {MAX_TITLE_CHARACTERS} characters.")
        )
    if len(message.link.encode(errors="replace")) > MAX_LINK_BYTES:
        problems.append(
            Problem(part="text", text=f"The link is longer than {MAX_LINK_BYTES} bytes and is left out.")
        )
    return Examination(
        problems=tuple(problems), length=length, limit=MAX_BYTES, unit="bytes", cost_micros=MICROS_PER_PUSH
    )


def price(_message):
    """What SNS asks for a push to one device, in millionths of a US dollar; how many a person has is not told
    here.
    """
    return MICROS_PER_PUSH


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The SNS client of one batch.

    It never repeats a call by itself: Publish has no token against doubles.
    """
    config = single_request_config(connect_seconds, read_seconds)
    with closing(boto3.session.Session().client("sns", config=config)) as sns:
        yield sns


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


handler = make_handler(send, session=open_session, at_most_once=False, horizon_hours=HORIZON_HOURS)
