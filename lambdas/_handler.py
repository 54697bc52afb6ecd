"""Queue records → claim → render → send → record, once for all channels. Next hop: a channel's ``send``, then ``notifier.deliveries``."""

import datetime as dt
import logging
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import islice
from traceback import format_tb

from ._django import set_up

set_up()

from django.db import close_old_connections  # noqa: E402 - Django must be set up first

from notifier import deliveries, messages  # noqa: E402
from notifier.composing import compose_messages  # noqa: E402
from notifier.exceptions import MalformedMessage, OutcomeUnknown, SendError  # noqa: E402

logger = logging.getLogger(__name__)

# No provider's call is begun with less of the function's minute left: the call's own time-outs must fit in.
RESERVE_SECONDS = 25
# A dead-letter queue that takes longer is left; the message comes again.
BURY_SECONDS = 2


def make_queue_handler(route, process):
    """A Lambda handler for an SQS event source mapping with ReportBatchItemFailures.

    ``process(rings, clock)`` gets message id → Ring and returns the ids of the messages that must come again. A message that this
    project did not write goes to the dead-letter queue at once.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def handler(event, context):
        # Event functions get no request signals, which would do this.
        close_old_connections()
        (rings, malformed), again = _read(event["Records"], route), []
        try:
            with Clock(context) as clock:
                again += process(rings, clock)
        except Exception:
            logger.exception("%d messages failed and will come again.", len(rings))
            again += rings
        # Afterwards: a dead-letter queue that does not answer must not cost the good messages their time.
        again += [record["messageId"] for record in malformed if not _bury(record)]
        close_old_connections()
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    return handler


def _read(records, route):
    """``(message id → Ring, the records that are no messages of ours)``."""
    rings, malformed = {}, []
    for record in records:
        try:
            rings[record["messageId"]] = messages.parse(record["body"], route=route)
        except MalformedMessage as error:
            logger.error("Message %s is %s. It goes to the dead-letter queue.", record["messageId"], error)
            malformed.append(record)
    return rings, malformed


def _bury(record):
    """Move a message to its queue's dead-letter queue now, not after five receives. False when that fails."""
    import boto3
    from botocore.config import Config

    # The SDK's own patience is longer than the function's.
    limits = Config(connect_timeout=BURY_SECONDS, read_timeout=BURY_SECONDS, retries={"total_max_attempts": 1})
    try:
        sqs = boto3.client("sqs", region_name=record.get("awsRegion"), config=limits)
        name = record["eventSourceARN"].rpartition(":")[2]
        url = sqs.get_queue_url(QueueName=f"{name}-dlq")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=record["body"])
    except Exception:
        logger.exception("Message %s could not be moved to the dead-letter queue.", record["messageId"])
        return False
    return True


class Clock(ExitStack):
    """The time that an invocation has left, and what is to be closed at its end."""

    def __init__(self, context):
        super().__init__()
        self._context = context
        self._sessions = {}

    def seconds_left(self):
        return self._context.get_remaining_time_in_millis() / 1000

    def is_time_up(self):
        return self.seconds_left() < RESERVE_SECONDS

    def session(self, make):
        """What the context manager ``make()`` yields; opened once an invocation, and only when asked for."""
        if make not in self._sessions:
            self._sessions[make] = self.enter_context(make())
        return self._sessions[make]


@dataclass(kw_only=True)
class Channel:
    """A channel at work: its policy, how to send, and the session that one invocation's calls share."""

    name: str
    send_batch: object
    session: object
    policy: deliveries.Policy
    batch_size: int = 1

    def process(self, rings, clock):
        """Send what the messages ring for: one claim for all of them. See ``make_queue_handler``."""
        ids = [pk for ring in rings.values() for pk in ring.ids]
        works = deliveries.claim_deliveries(ids, channel=self.name, lease_seconds=clock.seconds_left())
        left = {work.pk for work in self._send_all(works, clock)}
        return [message for message, ring in rings.items() if left.intersection(ring.ids)]

    def _send_all(self, works, clock):
        """Send until time is up; returns the Work that was given back."""
        ready, refused = compose_messages(works)
        deliveries.record_answers(refused, self.policy)
        session = clock.session(self.session) if ready else None
        queue = iter(ready)
        while batch := list(islice(queue, self.batch_size)):
            if clock.is_time_up():
                left = [work for work, _ in (*batch, *queue)]
                deliveries.release(left)
                return left
            self._send(batch, session)
        return []

    def _send(self, batch, session):
        """One call, its results stored before the next. No transaction is open while the provider is called: it can take a minute."""
        works = [work for work, _ in batch]
        if self.policy.at_most_once and not deliveries.mark_sending(works):
            logger.error(
                "The claim on deliveries %s ended before they were sent; whoever has it sends them.", [w.pk for w in works]
            )
            return
        try:
            answers = _checked(self.send_batch([message for _, message in batch], session), len(batch))
        except SendError as error:
            answers = [error] * len(works)
        except Exception as error:
            # The error's own text stays out of the log: it may hold the address or the message.
            trace = "".join(format_tb(error.__traceback__))
            logger.error(
                "%s failed at deliveries %s: %s\n%s", self.name, [work.pk for work in works], type(error).__name__, trace
            )
            answers = [OutcomeUnknown("error", type(error).__name__)] * len(works)
        deliveries.record_answers(list(zip(works, answers, strict=True)), self.policy)


def _checked(answers, expected):
    """One answer a message. What a channel gives back, even nothing, was taken by its provider; only an error says otherwise."""
    answers = [answer if isinstance(answer, SendError) else str(answer or "") for answer in answers]
    if len(answers) != expected:
        raise TypeError(f"{len(answers)} answers for {expected} messages")
    return answers


def make_handler(send, *, session=nullcontext, at_most_once, horizon_hours, batch_size=1):
    """The Lambda handler of the channel whose module defines ``send``.

    ``send(message, session)`` returns the provider's id, or raises one of ``notifier.exceptions``' SendErrors. With a ``batch_size``
    above 1 it is ``send(messages, session)`` and returns an id or a SendError for each. ``session`` makes the context manager
    whose value each call of one invocation gets. ``horizon_hours``: how long a delivery is tried.
    """
    channel = Channel(
        name=send.__module__.rpartition(".")[2],
        send_batch=send if batch_size > 1 else lambda batch, opened: [send(batch[0], opened)],
        session=session,
        policy=deliveries.Policy(at_most_once=at_most_once, horizon=dt.timedelta(hours=horizon_hours)),
        batch_size=batch_size,
    )
    return make_queue_handler(channel.name, channel.process)
