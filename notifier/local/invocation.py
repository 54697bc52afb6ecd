"""The event that Lambda hands a function for a batch of SQS messages, and its reading of the answer."""

import base64
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """A Lambda context: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    function_name: str
    aws_request_id: str
    timeout_seconds: float
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self):
        """Milliseconds until the function's timeout, not below 0."""
        return max(0, round((self.started + self.timeout_seconds - time.monotonic()) * 1000))


def event_of(messages, queue_arn):
    """The event for ``messages``, as ReceiveMessage gave them:
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {"Records": [_record(message, queue_arn) for message in messages]}


def failed_ids(answer, everything):
    """The ids of the batch that an answer reports as failed; None for an answer that makes Lambda keep the
    whole batch.

    No answer, or one without failures, is a success. The rules stand under "Success and failure conditions"
    in https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if not answer:
        return set()
    if not isinstance(answer, dict):
        return None
    failures = answer.get("batchItemFailures") or []
    if not isinstance(failures, list) or not all(isinstance(failure, dict) for failure in failures):
        return None
    failed = [failure.get("itemIdentifier") for failure in failures]
    return set(failed) if all(isinstance(each, str) and each in everything for each in failed) else None


def _record(message, queue_arn):
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value):
    values = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "BinaryValue" in value:
        return {"binaryValue": base64.b64encode(value["BinaryValue"]).decode(), **values}
    return {"stringValue": value["StringValue"], **values}
