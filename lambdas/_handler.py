"""A queue's records, read and handed on, once for all functions.

Calls ``notifier.deliveries.worker`` for what they ring for.
"""

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, cast

from notifier.observing import keys, log_failure, observed

from ._django import set_up

set_up()

from notifier import deliveries  # noqa: E402 - Django must be set up first
from notifier.channels import credentials, registry  # noqa: E402
from notifier.channels.constants import defines  # noqa: E402
from notifier.deliveries.calls import SendBatch  # noqa: E402
from notifier.deliveries.clock import RESERVE_SECONDS, Clock, OpenSession  # noqa: E402, F401 - the first, for modules that ask how long a call may take
from notifier.deliveries.worker import Channel, Part, Rate, Send  # noqa: E402
from notifier.deploy.connections import connected  # noqa: E402
from notifier.exceptions import ConfigurationError, MalformedMessage  # noqa: E402
from notifier.queue import canary  # noqa: E402
from notifier.queue.ring import FANOUT, Ring, parse as parse_ring  # noqa: E402

logger = logging.getLogger(__name__)

# A dead-letter queue that takes longer is left; the message comes again.
BURY_SECONDS = 2

# What Lambda calls, with what SQS brings and Lambda's context; the answer names the messages that come again.
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
# One message as the event source mapping gives it.
Record = dict[str, Any]
# By the message's id.
Rings = dict[str, Ring]
# Gets the rings of one batch and returns the ids of the messages that must come again.
Process = Callable[[Rings, Clock], list[str]]


def make_queue_handler(route: str, process: Process) -> Handler:
    """A Lambda handler for an SQS event source mapping with ReportBatchItemFailures.

    A message that this project did not write goes to the dead-letter queue at once.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with observed(route, context), connected():
            rings, malformed = _read(event["Records"], route)
            with keys(**_ids_of(rings)):
                again = _process(process, rings, context)
            # Afterwards: a dead-letter queue that does not answer must not cost the good messages their time.
            again += [record["messageId"] for record in malformed if not bury(record)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    return handler


def _process(process: Process, rings: Rings, context: Any) -> list[str]:
    canaries = {message: ring for message, ring in rings.items() if ring.canary}
    others = {message: ring for message, ring in rings.items() if not ring.canary}
    try:
        again = [message for message, ring in canaries.items() if not canary.receive(ring)]
        if others:
            with clock_of(context) as clock:
                again += process(others, clock)
        return again
    except Exception:
        log_failure(logger, "%d messages failed and will come again.", len(rings))
        return list(rings)


def clock_of(context: Any) -> Clock:
    """A Clock that ends with the invocation."""
    return Clock(lambda: context.get_remaining_time_in_millis() / 1000)


def _ids_of(rings: Rings) -> dict[str, list[int]]:
    """The ids that the messages ring for, as keys of log lines: ``event_ids`` or ``delivery_ids``."""
    found: dict[str, list[int]] = {}
    for ring in rings.values():
        name = "canary_ids" if ring.canary else "event_ids" if ring.route == FANOUT else "delivery_ids"
        found.setdefault(name, []).extend(ring.ids)
    return found


def _read(records: Iterable[Record], route: str) -> tuple[Rings, list[Record]]:
    """The Rings, and the records that are no messages of ours."""
    rings: Rings = {}
    malformed = []
    for record in records:
        try:
            rings[record["messageId"]] = parse_ring(record["body"], route=route)
        except MalformedMessage as error:
            logger.error("Message %s is %s. It goes to the dead-letter queue.", record["messageId"], error)
            malformed.append(record)
    return rings, malformed


def bury(record: Record) -> bool:
    """Move a message to its queue's dead-letter queue now, not after five receives. False when that fails."""
    import boto3
    from botocore.config import Config

    # The SDK's own patience is longer than the function's.
    limits = Config(
        connect_timeout=BURY_SECONDS, read_timeout=BURY_SECONDS, retries={"total_max_attempts": 1}
    )
    try:
        sqs = boto3.client("sqs", region_name=record.get("awsRegion"), config=limits)
        name = record["eventSourceARN"].rpartition(":")[2]
        url = sqs.get_queue_url(QueueName=f"{name}-dlq")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=record["body"])
    except Exception:
        log_failure(logger, "Message %s could not be moved to the dead-letter queue.", record["messageId"])
        return False
    return True


def make_handler(
    send: Send | SendBatch,
    *,
    session: OpenSession = nullcontext,
    at_most_once: bool,
    horizon_hours: float,
    batch_size: int = 1,
    concurrency: int = 1,
    rate: Rate | None = None,
    part: Part | None = None,
    used_up: Callable[[Any], int] | None = None,
) -> Handler:
    """The Lambda handler of the channel whose module defines ``send``.

    With a ``batch_size`` above 1, ``send`` is a SendBatch. ``horizon_hours``: how long a delivery is tried.
    ``concurrency``: how many calls a function makes at once, each in a thread and with a session of its own;
    above 1, ``send`` must not touch the database.

    ``rate`` is the provider's, or None where it is not known: over all functions together, no more is sent.
    ``used_up(session)`` returns for how many seconds the provider has said that it takes no more, or 0.
    """
    if batch_size > 1 and (rate or part):
        raise ConfigurationError(
            "A rate is kept message by message: give a channel either a batch_size or a rate."
        )
    _refuse_impossible(concurrency, send.__module__)
    _refuse_unusable_credentials(send.__module__)
    channel = Channel(
        name=send.__module__.rpartition(".")[2],
        send_batch=cast(SendBatch, send) if batch_size > 1 else _one_by_one(cast(Send, send)),
        session=session,
        policy=deliveries.Policy(
            at_most_once=at_most_once,
            horizon=dt.timedelta(hours=horizon_hours),
            can_ask=defines(send.__module__, "find_sent"),
        ),
        batch_size=batch_size,
        concurrency=concurrency,
        rate=rate,
        part=part,
        used_up=used_up,
    )
    return make_channel_handler(channel)


def _refuse_impossible(concurrency: int, module: str) -> None:
    if type(concurrency) is not int or concurrency < 1:
        raise ConfigurationError(
            f"The concurrency of {module} is {concurrency!r}: write how many calls it makes at once, a whole "
            "number from 1 on."
        )


def _refuse_unusable_credentials(module: str) -> None:
    """Let the function of ``module`` not start with a key that each message would be refused for.

    What is for it waits in its queue meanwhile. Other functions import the module too, and need no keys.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (``_HANDLER``)
    """
    if not os.environ.get("_HANDLER", "").startswith(f"{module}."):
        return
    if problem := credentials.unusable(registry.credentials(module.rpartition(".")[2])):
        raise ConfigurationError(f"{problem} Store it again, as its provider shows it.")


def _one_by_one(send: Send) -> SendBatch:
    return lambda batch, opened: [send(batch[0], opened)]


def make_channel_handler(channel: Channel) -> Handler:
    """The Lambda handler that lets a ``worker.Channel`` deliver what its queue rings for: one claim for all
    messages of a batch.
    """

    def process(rings: Rings, clock: Clock) -> list[str]:
        channel.deliver([pk for ring in rings.values() for pk in ring.ids], clock)
        return []

    return make_queue_handler(channel.name, process)
