"""A queue's records, read and handed on, once for all functions.

Calls ``notifier.deliveries.worker`` for what they ring for.
"""

import datetime as dt
import logging
from contextlib import nullcontext

from notifier.observing import keys, observed

from ._django import set_up

set_up()

from django.db import close_old_connections  # noqa: E402 - Django must be set up first

from notifier import deliveries  # noqa: E402
from notifier.deliveries.clock import RESERVE_SECONDS, Clock  # noqa: E402, F401 - the first, for whoever asks how long a call may take
from notifier.deliveries.worker import Channel  # noqa: E402
from notifier.exceptions import ConfigurationError, MalformedMessage  # noqa: E402
from notifier.queue import canary  # noqa: E402
from notifier.queue.ring import FANOUT, parse as parse_ring  # noqa: E402

logger = logging.getLogger(__name__)

# A dead-letter queue that takes longer is left; the message comes again.
BURY_SECONDS = 2


def make_queue_handler(route, process):
    """A Lambda handler for an SQS event source mapping with ReportBatchItemFailures.

    ``process(rings, clock)`` gets message id → Ring and returns the ids of the messages that must come again.
    A message that this project did not write goes to the dead-letter queue at once.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def handler(event, context):
        with observed(route, context):
            # Event functions get no request signals, which would do this.
            close_old_connections()
            rings, malformed = _read(event["Records"], route)
            with keys(**_ids_of(rings)):
                again = _process(process, rings, context)
            # Afterwards: a dead-letter queue that does not answer must not cost the good messages their time.
            again += [record["messageId"] for record in malformed if not bury(record)]
            close_old_connections()
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    return handler


def _process(process, rings, context):
    canaries = {message: ring for message, ring in rings.items() if ring.canary}
    others = {message: ring for message, ring in rings.items() if not ring.canary}
    try:
        again = [message for message, ring in canaries.items() if not canary.receive(ring)]
        if others:
            with clock_of(context) as clock:
                again += process(others, clock)
        return again
    except Exception:
        logger.exception("%d messages failed and will come again.", len(rings))
        return list(rings)


def clock_of(context):
    """A Clock that ends with the invocation."""
    return Clock(lambda: context.get_remaining_time_in_millis() / 1000)


def _ids_of(rings):
    """What the messages ring for, as keys of log lines: ``event_ids`` or ``delivery_ids``."""
    found = {}
    for ring in rings.values():
        name = "canary_ids" if ring.canary else "event_ids" if ring.route == FANOUT else "delivery_ids"
        found.setdefault(name, []).extend(ring.ids)
    return found


def _read(records, route):
    """``(message id → Ring, the records that are no messages of ours)``."""
    rings, malformed = {}, []
    for record in records:
        try:
            rings[record["messageId"]] = parse_ring(record["body"], route=route)
        except MalformedMessage as error:
            logger.error("Message %s is %s. It goes to the dead-letter queue.", record["messageId"], error)
            malformed.append(record)
    return rings, malformed


def bury(record):
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
        logger.exception("Message %s could not be moved to the dead-letter queue.", record["messageId"])
        return False
    return True


def make_handler(
    send,
    *,
    session=nullcontext,
    at_most_once,
    horizon_hours,
    batch_size=1,
    rate=None,
    part=None,
    used_up=None,
):
    """The Lambda handler of the channel whose module defines ``send``.

    ``send(message, session)`` returns the provider's id, or raises one of ``notifier.exceptions``'
    SendErrors. With a ``batch_size`` above 1 it is ``send(messages, session)`` and returns an id or a
    SendError for each. ``session`` makes the context manager whose value each call of one invocation gets.
    ``horizon_hours``: how long a delivery is tried.

    ``rate`` is the provider's ``channels.limits.Limit``, or a function that returns it, or None where it is
    not known: over all functions together, no more is sent. ``part(message)`` returns ``(key, Limit)`` of
    what has a limit of its own, such as one chat, or None. ``used_up(session)`` returns for how many seconds
    the provider has said that it takes no more, or 0.
    """
    if batch_size > 1 and (rate or part):
        raise ConfigurationError(
            "A rate is kept message by message: give a channel either a batch_size or a rate."
        )
    channel = Channel(
        name=send.__module__.rpartition(".")[2],
        send_batch=send if batch_size > 1 else lambda batch, opened: [send(batch[0], opened)],
        session=session,
        policy=deliveries.Policy(at_most_once=at_most_once, horizon=dt.timedelta(hours=horizon_hours)),
        batch_size=batch_size,
        rate=rate,
        part=part,
        used_up=used_up,
    )
    return make_channel_handler(channel)


def make_channel_handler(channel):
    """The Lambda handler that lets a ``worker.Channel`` deliver what its queue rings for: one claim for all
    messages of a batch.
    """

    def process(rings, clock):
        left = channel.deliver([pk for ring in rings.values() for pk in ring.ids], clock)
        return [message for message, ring in rings.items() if left.intersection(ring.ids)]

    return make_queue_handler(channel.name, process)
