"""SQS keeps the name of a deleted queue to itself for a while.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""

import json
import time

from werkzeug.wrappers import Response

CODE = "QueueDeletedRecently"
WORDS = "You must wait 60 seconds after deleting a queue before you can create another with the same name."


class BlockedNames:
    """``seconds`` are AWS's minute, or as much of it as a test has."""

    def __init__(self, seconds):
        self._seconds, self._deleted_at, self.refused = seconds, {}, 0

    def answer(self, call):
        """The refusal of a call of SQS; None leaves it to moto."""
        if call.operation == "DeleteQueue":
            self._deleted_at[call.parameters["QueueUrl"].rpartition("/")[2]] = time.monotonic()
        if call.operation != "CreateQueue":
            return None
        deleted_at = self._deleted_at.get(call.parameters["QueueName"])
        if deleted_at is None or time.monotonic() - deleted_at >= self._seconds:
            return None
        self.refused += 1
        body = json.dumps({"__type": f"com.amazonaws.sqs#{CODE}", "message": WORDS})
        headers = {"x-amzn-query-error": f"AWS.SimpleQueueService.{CODE};Sender"}
        return Response(body, status=400, headers=headers, content_type="application/x-amz-json-1.0")
