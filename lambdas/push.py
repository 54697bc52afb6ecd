"""Notifications on people's phones, through SNS's endpoints of APNs and FCM."""

# First of all: it sets Django up, which the devices' models need.
from ._handler import make_handler  # isort: split

from contextlib import closing, contextmanager
from typing import Any

from notifier.channels.message import Examination, Message, Problem
from notifier.channels.recipient import Recipient
from notifier.exceptions import Rejected, SendError, Skipped, TryAgain
from notifier.models import Device, DevicePush
from notifier.people import devices

from ._aws import make_client, single_request_config
from ._push_endpoints import DeviceGone, EndpointLost, applications, drop, push_to
from ._push_payload import HORIZON_HOURS, MAX_BYTES, MAX_LINK_BYTES, MAX_TITLE_CHARACTERS, size_of

# What people read for it.
LABEL = "Push"
VERB = "notify on the phone"
WAY = "on the phone"
MARK = "●"
# A person is reached by their key, and has devices or not.
ADDRESS = "pk"
refuse = devices.refuse_without_device
reachable = devices.with_device
CONNECT_SECONDS, READ_SECONDS = 3, 10
# It reads and writes devices in the database, which one thread of a function has.
CONCURRENCY = 1
# Once one of a person's devices has it, the others are tried this often.
MAX_PARTIAL_ATTEMPTS = 5
# 0.50 USD a million after the first million of a month, rounded up: https://aws.amazon.com/sns/pricing/
# (2025)
MICROS_PER_PUSH = 1
# The ids of endpoints are SNS's own. Applications and endpoints are no resources that a policy could name,
# unless for a message: https://docs.aws.amazon.com/service-authorization/latest/reference/list_sns.html
PERMISSIONS = [
    {
        "Sid": "KeepEndpointsOfDevices",
        "Effect": "Allow",
        "Action": ["sns:CreatePlatformEndpoint", "sns:SetEndpointAttributes", "sns:DeleteEndpoint"],
        "Resource": "*",
    },
    {
        "Sid": "SendToDevicesAndToNoTopic",
        "Effect": "Allow",
        "Action": ["sns:Publish"],
        "Resource": "arn:{partition}:sns:{region}:{account}:endpoint/*",
    },
]


def send(message: Message, sns: Any) -> str:
    """Send to each of the person's devices that has not had it yet; the id of the first that took it.

    A device that is gone is dropped and the others go on. While no device has taken it, the delivery fares as
    the first that failed; once one has, the others are tried MAX_PARTIAL_ATTEMPTS times, and never one of
    them twice that took it.
    """
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
    taken, arns = {}, applications()
    failed: list[SendError] = []
    for device in devices:
        try:
            taken[device] = push_to(device, message, sns, arns)
        except DeviceGone:
            drop(device, sns)
        except EndpointLost:
            Device.objects.filter(pk=device.pk).update(endpoint_arn="")
            failed.append(TryAgain("endpoint_lost", "SNS had no such endpoint any more; another is made."))
        except SendError as error:
            failed.append(error)
            if not isinstance(error, Rejected):
                # It is SNS that has no time or does not answer, for all of them: nobody waits for it once a
                # device.
                break
    return taken, failed


def examine(message: Message) -> Examination:
    """The message as phones will show it. Pure; never raises."""
    problems = []
    if not (message.subject.strip() or message.text.strip()):
        problems.append(Problem(part="text", text="The text is empty: it would not be sent.", is_error=True))
    length = size_of(message)
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


def price(_message: Message) -> int:
    """The price that SNS asks for a push to one device, in millionths of a US dollar; how many a person has
    is not told here.
    """
    return MICROS_PER_PUSH


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The SNS client of one batch.

    It never repeats a call by itself: Publish has no token against doubles.
    """
    config = single_request_config(connect_seconds, read_seconds)
    with closing(make_client("sns", config=config)) as sns:
        yield sns


handler = make_handler(
    send,
    session=open_session,
    at_most_once=False,
    horizon_hours=HORIZON_HOURS,
    concurrency=CONCURRENCY,
)
