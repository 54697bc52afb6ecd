"""Hears providers afterwards: the events of SES and of AWS End User Messaging by a queue, SNS's receipts of
SMS by CloudWatch Logs.

Calls ``notifier.feedback``.

The queue holds AWS's events as they are: its subscription delivers raw, as those of all our queues do. SNS's
envelope would add an id that differs each time that AWS says the same, and its signature proves nothing here:
the queue takes from the topic alone, the topic from these services of our own account.
"""

import logging

from notifier.observing import log_failure, measure, observed

from ._django import set_up
from ._handler import bury

set_up()

from notifier.deploy.connections import connected  # noqa: E402 - Django must be set up first
from notifier.exceptions import MalformedMessage  # noqa: E402
from notifier.feedback import end_user_messaging, ses, sms  # noqa: E402
from notifier.feedback.recording import record  # noqa: E402

logger = logging.getLogger(__name__)

# Nobody waits for it, and each copy holds a connection to the database.
MAXIMUM_CONCURRENCY = 2


def handler(event, context):
    """For an SQS event source mapping with ReportBatchItemFailures, and for a subscription of CloudWatch
    Logs.
    """
    with observed("feedback", context), connected():
        if "awslogs" in event:
            return _hear_receipts(event)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in hear(event["Records"])]}


def hear(messages):
    """Store what the messages of the queue say. Returns the ids of those that must come again."""
    return [message["messageId"] for message in messages if not _hear(message)]


def _hear(message):
    """Hear one message of the queue; tell whether it is dealt with, else it must come again."""
    try:
        body = message["body"]
        reader = end_user_messaging if end_user_messaging.is_its_own(body) else ses
        if report := reader.read_event(body):
            _record(report)
    except MalformedMessage as error:
        logger.error("Message %s is %s. It goes to the dead-letter queue.", message["messageId"], error)
        return bury(message)
    except Exception:
        log_failure(logger, "Message %s could not be stored and will come again.", message["messageId"])
        return False
    return True


def _hear_receipts(event):
    """An error that is raised lets Lambda call twice more:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
    """
    try:
        reports = sms.read_receipts(event)
    except MalformedMessage as error:
        logger.error("A call is %s.", error)
        return {"heard": 0}
    return {"heard": sum(bool(_record(report)) for report in reports)}


def _record(report):
    found = record(report)
    if found:
        # "Bounced", "Complained", "Delivered", …
        measure(found.kind.capitalize(), 1, "Count")
    return found
