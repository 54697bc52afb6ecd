"""Reads each queue and calls its function's handler, as an SQS event source mapping with partial responses
does.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
import logging
import time
import uuid
from threading import Event, Thread

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.db import connections

from ..observing import log_failure
from .invocation import Context, event_of, failed_ids

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MOST_PER_RECEIVE = 10
# A thread that waits for messages looks this often whether it should stop.
LONG_POLL_SECONDS = 1
# How often drain looks whether a delayed message has come.
LOOK_SECONDS = 0.1
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Pump:
    """``queues`` are the applied stack's, by route; ``handlers`` are ``handler(event, context)``, by route.

    A queue without a handler is left alone. ``function_timeout_seconds`` is what a handler's context counts
    down from; nothing is cut off when it is over.
    """

    def __init__(self, queues, handlers, *, function_timeout_seconds=60):
        if missing := handlers.keys() - queues.keys():
            raise KeyError(f"no queue for {', '.join(sorted(missing))}")
        self._routes = {route: (queues[route], handler) for route, handler in handlers.items()}
        self._timeout_seconds = function_timeout_seconds
        self._sqs = boto3.session.Session().client("sqs")
        self._threads, self._stopping = [], Event()

    def drain(self, patience_seconds=60):
        """Handle messages in this thread until no queue holds any. What fails comes again at once.

        Returns how many were received. Raises TimeoutError, naming the queues, when some are left and nothing
        has come for ``patience_seconds``.
        """
        received, since = 0, time.monotonic()
        while True:
            failed = []
            handled = sum(self._pass_on(route, failed=failed) for route in self._routes)
            for queue, message in failed:
                self._bring_back(queue, message)
            if handled:
                received, since = received + handled, time.monotonic()
                continue
            waiting = {route: held for route in self._routes if (held := self._held(route))}
            if not waiting:
                return received
            if time.monotonic() - since >= patience_seconds:
                raise TimeoutError(
                    f"for {patience_seconds} s nothing has come of the messages that are left: {waiting}"
                )
            self._stopping.wait(LOOK_SECONDS)

    def start(self):
        """Serve every queue from a thread of its own, until :meth:`stop`."""
        self._stopping.clear()
        self._threads = [
            Thread(target=self._serve, args=(route,), name=f"pump-{route}") for route in self._routes
        ]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Let the batches under way end, and the threads with them."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _serve(self, route):
        try:
            while not self._stopping.is_set():
                try:
                    self._pass_on(route, wait_seconds=LONG_POLL_SECONDS)
                except (BotoCoreError, ClientError) as error:
                    logger.warning("queue %s cannot be read: %s", route, error)
                    self._stopping.wait(LONG_POLL_SECONDS)
        finally:
            connections.close_all()

    def _pass_on(self, route, wait_seconds=0, failed=None):
        """Receive one batch, give it to the handler, delete what it did not report as failed.

        Returns the batch's size. ``failed`` is a list that gets ``(queue, message)`` of what stays.
        """
        queue, handler = self._routes[route]
        messages = self._sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=min(queue.settings.batch_size, MOST_PER_RECEIVE),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if messages:
            staying = self._invoke(route, handler, event_of(messages, queue.arn))
            self._delete(queue, [message for message in messages if message["MessageId"] not in staying])
            if failed is not None:
                failed += [(queue, message) for message in messages if message["MessageId"] in staying]
        return len(messages)

    def _invoke(self, route, handler, event):
        """The ids of the messages that stay in the queue."""
        everything = {record["messageId"] for record in event["Records"]}
        context = Context(
            function_name=route, aws_request_id=str(uuid.uuid4()), timeout_seconds=self._timeout_seconds
        )
        try:
            # Lambda turns the event into a function's objects and its answer into JSON; what does not survive
            # is an error.
            answer = json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))
        except Exception:
            log_failure(
                logger, "function %s failed; its batch of %d stays in the queue", route, len(everything)
            )
            return everything
        failed = failed_ids(answer, everything)
        if failed is None:
            logger.error("function %s gave an answer that Lambda does not understand; its batch stays", route)
            return everything
        return failed

    def _delete(self, queue, messages):
        if not messages:
            return
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
        for failure in self._sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries).get("Failed", []):
            logger.warning("a handled message of %s was not deleted: %s", queue.arn, failure["Code"])

    def _bring_back(self, queue, message):
        self._sqs.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def _held(self, route):
        """The number of messages that the queue holds: visible, being handled or waiting after a failure,
        delayed.
        """
        queue, _ = self._routes[route]
        attributes = self._sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=list(COUNTS))[
            "Attributes"
        ]
        return sum(int(attributes[count]) for count in COUNTS)
