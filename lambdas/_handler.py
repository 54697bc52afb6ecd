"""Queue records → claim → render → send → record, once for all channels. Next hop: a channel's ``send``, then ``notifier.deliveries``."""

import datetime as dt
import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from traceback import format_tb

from ._clock import RESERVE_SECONDS, Clock  # noqa: F401 - the first, for whoever asks how long a call may take
from ._django import set_up
from ._observing import keys, measure, observed

set_up()

from django.db import close_old_connections  # noqa: E402 - Django must be set up first

from notifier import canary, channels, deliveries, gates, hooks, messages  # noqa: E402
from notifier.composing import compose_messages  # noqa: E402
from notifier.exceptions import MalformedMessage, OutcomeUnknown, SendError  # noqa: E402

from ._outcomes import count_outcomes  # noqa: E402

logger = logging.getLogger(__name__)

# A dead-letter queue that takes longer is left; the message comes again.
BURY_SECONDS = 2


def make_queue_handler(route, process):
    """A Lambda handler for an SQS event source mapping with ReportBatchItemFailures.

    ``process(rings, clock)`` gets message id → Ring and returns the ids of the messages that must come again. A message that this
    project did not write goes to the dead-letter queue at once.
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
            again += [record["messageId"] for record in malformed if not _bury(record)]
            close_old_connections()
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    return handler


def _process(process, rings, context):
    canaries = {message: ring for message, ring in rings.items() if ring.canary}
    others = {message: ring for message, ring in rings.items() if not ring.canary}
    try:
        again = [message for message, ring in canaries.items() if not canary.receive(ring)]
        if others:
            with Clock(context) as clock:
                again += process(others, clock)
        return again
    except Exception:
        logger.exception("%d messages failed and will come again.", len(rings))
        return list(rings)


def _ids_of(rings):
    """What the messages ring for, as keys of log lines: ``event_ids`` or ``delivery_ids``."""
    found = {}
    for ring in rings.values():
        name = "canary_ids" if ring.canary else "event_ids" if ring.route == messages.FANOUT else "delivery_ids"
        found.setdefault(name, []).extend(ring.ids)
    return found


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
        clock.callback(count_outcomes, works)
        left = {work.pk for work in self._send_all(works, clock)}
        return [message for message, ring in rings.items() if left.intersection(ring.ids)]

    def _send_all(self, works, clock):
        """Send until time is up; returns the Work that was given back."""
        answers = gates.ask_all(works, self.name)
        self._record([(work, answer) for work, answer in zip(works, answers, strict=True) if answer])
        ready, refused = compose_messages([work for work, answer in zip(works, answers, strict=True) if not answer], self.name)
        self._record(refused)
        session = clock.session(self.session) if ready else None
        queue = iter(ready)
        while batch := list(islice(queue, self.batch_size)):
            if clock.is_time_up():
                left = [work for work, _ in (*batch, *queue)]
                deliveries.release(left)
                return left
            works = [work for work, _ in batch]
            with keys(event_ids=sorted({work.event_id for work in works}), delivery_ids=[work.pk for work in works]):
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
        started = time.perf_counter()
        answers = self._call(batch, session)
        milliseconds = (time.perf_counter() - started) * 1000
        measure("ProviderLatency", milliseconds, "Milliseconds")
        messages = [message for _, message in batch]
        answers = [self._priced(answer, message) for answer, message in zip(answers, messages, strict=True)]
        self._record(list(zip(works, answers, strict=True)))
        taken = sum(isinstance(answer, deliveries.Sent) for answer in answers)
        logger.info("%s took %d of %d in %d ms.", self.name, taken, len(answers), milliseconds)

    def _record(self, answers):
        """Store what came of them, then tell whoever listens. A receiver that takes long takes it from the next batch, not from this."""
        hooks.announce_outcomes(deliveries.record_answers(answers, self.policy), channel=self.name)

    def _priced(self, answer, message):
        """What was sent, with about what it costs. The message is out: not knowing its price is no failure."""
        if isinstance(answer, SendError):
            return answer
        try:
            return deliveries.Sent(answer, channels.price(self.name, message))
        except Exception as error:
            logger.warning("What delivery %d costs is not known: %s", message.delivery, type(error).__name__)
            return deliveries.Sent(answer)

    def _call(self, batch, session):
        """What the channel answers to each of the batch: a provider's id, or a SendError."""
        try:
            return _checked(self.send_batch([message for _, message in batch], session), len(batch))
        except SendError as error:
            return [error] * len(batch)
        except Exception as error:
            # The error's own text stays out of the log: it may hold the address or the message.
            ids, trace = [work.pk for work, _ in batch], "".join(format_tb(error.__traceback__))
            logger.error("%s failed at deliveries %s: %s\n%s", self.name, ids, type(error).__name__, trace)
            return [OutcomeUnknown("error", type(error).__name__)] * len(batch)


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
