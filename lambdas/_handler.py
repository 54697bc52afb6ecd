"""Queue records → claim → render → send → record, once for all channels. Next hop: a channel's ``send``, then ``notifier.deliveries``."""

import datetime as dt
import logging
import os
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from ._django import set_up

set_up()

from django.db import close_old_connections  # noqa: E402 - Django must be set up first

from notifier import audiences, contents, deliveries, messages  # noqa: E402
from notifier.channels import Message  # noqa: E402
from notifier.exceptions import MalformedMessage, OutcomeUnknown, Rejected, SendError  # noqa: E402

logger = logging.getLogger(__name__)

# No provider's call is begun with less time left: its own time-out must fit in.
RESERVE_SECONDS = 10
# How many events a warm function keeps specialised templates for.
CACHED_EVENTS = 64


def make_queue_handler(route, process):
    """A Lambda handler for an SQS event source mapping with ReportBatchItemFailures.

    ``process(ring, clock)`` returns True when the message is done with. A message that this project did not write goes to the dead-letter
    queue at once; one whose processing fails or runs out of time comes back alone.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def handler(event, context):
        # Event functions get no request signals, which would do this.
        close_old_connections()
        failures = []
        with Clock(context) as clock:
            for record in event["Records"]:
                if not _process_record(record, route, process, clock):
                    failures.append({"itemIdentifier": record["messageId"]})
        close_old_connections()
        return {"batchItemFailures": failures}

    return handler


def _process_record(record, route, process, clock):
    try:
        return process(messages.parse(record["body"], route=route), clock)
    except MalformedMessage as error:
        logger.error("Message %s is %s. It goes to the dead-letter queue.", record["messageId"], error)
        return _bury(record)
    except Exception:
        logger.exception("Message %s failed and will come again.", record["messageId"])
        return False


def _bury(record):
    """Move a message to its queue's dead-letter queue now, not after five receives. False when that fails."""
    import boto3

    try:
        sqs = boto3.client("sqs", region_name=record.get("awsRegion"))
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

    def process(self, ring, clock):
        works = deliveries.claim_deliveries(ring.ids, channel=self.name, lease_seconds=clock.seconds_left())
        return not works or self._send_all(works, clock)

    def _send_all(self, works, clock):
        ready, refused = _render_all(works)
        if refused:
            deliveries.record_answers(refused, self.policy)
        session = clock.session(self.session) if ready else None
        queue = iter(ready)
        while batch := list(islice(queue, self.batch_size)):
            if clock.is_time_up():
                deliveries.release([work for work, _ in (*batch, *queue)])
                return False
            self._send(batch, session)
        return True

    def _send(self, batch, session):
        """One call, its results stored before the next. No transaction is open while the provider is called: it can take a minute."""
        works = [work for work, _ in batch]
        if self.policy.at_most_once and not deliveries.mark_sending(works):
            logger.error("The claim on deliveries %s ended before they were sent; whoever has it sends them.", [w.pk for w in works])
            return
        try:
            answers = list(self.send_batch([message for _, message in batch], session))
        except SendError as error:
            answers = [error] * len(works)
        except Exception as error:
            logger.exception("The channel %s failed at deliveries %s", self.name, [work.pk for work in works])
            answers = [OutcomeUnknown("error", type(error).__name__)] * len(works)
        deliveries.record_answers(list(zip(works, answers, strict=True)), self.policy)


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


def _render_all(works):
    """``[(Work, Message)]`` that can be sent, and ``[(Work, SendError)]`` that cannot."""
    ready, refused = [], []
    by_content = {}
    for work in works:
        by_content.setdefault((work.event_id, work.version_id), []).append(work)
    for (event_id, version_id), group in by_content.items():
        content = _content_for(event_id, version_id)
        people = _people_of(group, content.user_paths)
        for work in group:
            try:
                ready.append((work, _message_for(work, content, people.get(work.recipient, {}))))
            except SendError as error:
                refused.append((work, error))
    return ready, refused


def _message_for(work, content, person):
    if work.attempts > deliveries.MAX_ATTEMPTS:
        raise Rejected("gave_up", f"Taken up {work.attempts} times without a result.")
    try:
        parts = content.render(person)
    except Exception as error:
        # Whatever a template does, it harms its own deliveries only.
        logger.warning("Delivery %d: its template failed with %s", work.pk, type(error).__name__)
        raise Rejected("template_failed", f"{type(error).__name__}: {error}") from error
    return Message(delivery=work.pk, attempt=work.attempts, address=work.address, **parts)


@lru_cache(maxsize=CACHED_EVENTS)
def _content_for(event_id, version_id):
    from notifier.models import Event

    data = Event.objects.values_list("data", flat=True).get(pk=event_id)
    return contents.EventContent(contents.compiled_version(version_id), data)


def _people_of(works, tree):
    """What the template reads of each recipient: ``"user:<key>"`` → frozen data."""
    keys = [work.recipient.partition(":")[2] for work in works if work.recipient.startswith("user:")]
    return {f"user:{key}": person for key, person in audiences.read_people(keys, tree).items()}
