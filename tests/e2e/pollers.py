"""Event source mappings: read each queue, call its function, delete what the function did not report as
failed.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
import logging
from threading import Condition, Event, Thread

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.exceptions import UnknownFunctionException
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from notifier.local.cloud import REGION
from notifier.local.invocation import event_of, failed_ids

from .definitions import lambda_backend, plain_name
from .functions import Throttled
from .logs import client_of

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MOST_PER_RECEIVE = 10
# How many batches are under way at once where the mapping sets no maximum: what Lambda begins with.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
CONCURRENCY = 5
LONG_POLL_SECONDS = 1
LOOK_SECONDS = 0.1


class Poller:
    """Serves one mapping, as its role and not as anybody else, from its start until the mapping is gone.

    While ``in_a_hurry()``, what stays in the queue is seen again at once: its visibility timeout is over.
    """

    def __init__(self, mapping, *, functions, url, in_a_hurry):
        self.mapping, self._functions, self._in_a_hurry = mapping, functions, in_a_hurry
        name = plain_name(mapping.function_arn)[0]
        self.queue_name = mapping.event_source_arn.rpartition(":")[2]
        self._queue_url = f"{url}/{DEFAULT_ACCOUNT_ID}/{self.queue_name}"
        self._sqs = client_of(name, "sqs", url)
        self._stopping, self._changed = Event(), Condition()
        self.under_way = self.received = 0
        self._thread = None

    def start(self):
        self._thread = Thread(target=self._serve, name=f"poll {self.queue_name}", daemon=True)
        self._thread.start()

    def stop(self):
        """Let the batches under way end. They are deleted or come back as if nothing had happened."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self.under_way)

    def poll(self, wait_seconds=0):
        """One batch, handled in this thread. Returns its size."""
        messages = self._receive(wait_seconds) if self.mapping.enabled else []
        if messages:
            self._handle(messages)
        return len(messages)

    @property
    def concurrency(self):
        return (self.mapping.scaling_config or {}).get("MaximumConcurrency") or CONCURRENCY

    def _serve(self):
        asked = False
        while not self._stopping.is_set():
            try:
                # As Lambda does before it reads: how long a batch stays out of sight.
                asked = asked or self._sqs.get_queue_attributes(
                    QueueUrl=self._queue_url, AttributeNames=["VisibilityTimeout"]
                )
                self._serve_once()
            except (BotoCoreError, ClientError) as error:
                logger.warning("queue %s cannot be read: %s", self.queue_name, error)
                self._stopping.wait(LOOK_SECONDS)

    def _serve_once(self):
        with self._changed:
            free = self._changed.wait_for(lambda: self.under_way < self.concurrency, LOOK_SECONDS)
        if not free or not self.mapping.enabled:
            self._stopping.wait(0 if not free else LOOK_SECONDS)
            return
        if messages := self._receive(LONG_POLL_SECONDS):
            Thread(
                target=self._handle, args=(messages,), name=f"batch of {self.queue_name}", daemon=True
            ).start()

    def _receive(self, wait_seconds):
        messages = []
        while (missing := int(self.mapping.batch_size) - len(messages)) > 0:
            received = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(missing, MOST_PER_RECEIVE),
                WaitTimeSeconds=0 if messages else wait_seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            messages += received
            if len(received) < min(missing, MOST_PER_RECEIVE):
                break
        if messages:
            self._count(+1)
        return messages

    def _handle(self, messages):
        try:
            failed = self._invoke(messages)
            self._delete([each for each in messages if each["MessageId"] not in failed])
            if self._in_a_hurry():
                self._bring_back([each for each in messages if each["MessageId"] in failed])
        except (BotoCoreError, ClientError) as error:
            logger.warning("a batch of %s was not deleted: %s", self.queue_name, error)
        finally:
            self._count(-1)

    def _invoke(self, messages):
        """The ids that stay in the queue, to be seen again when their visibility timeout is over."""
        everything = {each["MessageId"] for each in messages}
        payload = json.dumps(event_of(messages, self.mapping.event_source_arn)).encode()
        try:
            outcome = self._functions.invoke(self.mapping.function_arn, payload)
        except (Throttled, UnknownFunctionException) as error:
            logger.info("a batch of %s stays: %s", self.queue_name, error)
            return everything
        if outcome.error:
            return everything
        if "ReportBatchItemFailures" not in (self.mapping.function_response_types or ()):
            return set()
        failed = failed_ids(json.loads(outcome.payload), everything)
        return everything if failed is None else failed

    def _delete(self, messages):
        for first in range(0, len(messages), MOST_PER_RECEIVE):
            some = messages[first : first + MOST_PER_RECEIVE]
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(some)]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)

    def _bring_back(self, messages):
        # Behind the account's back: time passes without anybody's permission.
        for each in messages:
            sqs_backends[DEFAULT_ACCOUNT_ID][REGION].change_message_visibility(
                self.queue_name, each["ReceiptHandle"], 0
            )

    def _count(self, change):
        with self._changed:
            self.under_way += change
            self.received += change > 0
            self._changed.notify_all()


def deployed_mappings():
    """moto's event source mappings whose source is a queue, by id. One that has outlived its function reads
    nothing.
    """
    found = dict(lambda_backend()._event_source_mappings)
    there = {each.function_name for each in lambda_backend().list_functions()}
    return {
        uuid: each
        for uuid, each in found.items()
        if ":sqs:" in each.event_source_arn and plain_name(each.function_arn)[0] in there
    }
