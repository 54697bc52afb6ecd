"""Per route a queue that only its topic may send to, and its dead-letter queue."""

import json

from .kind import Kind, policy, statement, unless

MISSING = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
# The longest there is. A message keeps its age on its way into the dead-letter queue:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
DLQ_RETENTION_SECONDS = 14 * 24 * 60 * 60
MOST_LISTED = 1000


class Queues(Kind):
    label = "queue"
    needs_functions = False

    def __init__(self, account):
        super().__init__(account)
        # Of all queues that exist, by name.
        self.urls = {}

    def wanted(self):
        queues = {}
        for route, settings in self.stack.routes.items():
            name = f"{self.stack.name}-{route}"
            # The dead-letter queue first: the other names it.
            queues[f"{name}-dlq"] = {"MessageRetentionPeriod": str(DLQ_RETENTION_SECONDS)}
            queues[name] = {
                "VisibilityTimeout": str(settings.visibility_timeout_seconds),
                "RedrivePolicy": {
                    "deadLetterTargetArn": self.account.arn("sqs", f"{name}-dlq"),
                    "maxReceiveCount": settings.max_receive_count,
                },
                "Policy": policy(self._topic_sends(name, self.stack.topic_of(route))),
            }
        return queues

    def found(self):
        pages = self.account.client("sqs").get_paginator("list_queues")
        listed = pages.paginate(
            QueueNamePrefix=f"{self.stack.name}-", PaginationConfig={"PageSize": MOST_LISTED}
        )
        self.urls = {url.rpartition("/")[2]: url for page in listed for url in page.get("QueueUrls", ())}
        wanted, queues = self.wanted(), {}
        for name, url in self.urls.items():
            # A queue is listed for a while after it was deleted.
            if (attributes := self._read(url) if name in wanted else {}) is not None:
                queues[name] = attributes
        return queues

    def is_ours(self, name):
        if name in self.wanted():
            return True
        answer = unless(MISSING, self.account.client("sqs").list_queue_tags, QueueUrl=self.urls[name]) or {}
        return self.account.is_tagged(answer.get("Tags", {}))

    def create(self, name, attributes):
        sqs = self.account.client("sqs")
        self.urls[name] = sqs.create_queue(
            QueueName=name, Attributes=_as_text(attributes), tags=self.account.tags
        )["QueueUrl"]

    def change(self, name, attributes):
        self.account.client("sqs").set_queue_attributes(
            QueueUrl=self.urls[name], Attributes=_as_text(attributes)
        )

    def delete(self, name):
        unless(MISSING, self.account.client("sqs").delete_queue, QueueUrl=self.urls[name])

    def _read(self, url):
        answer = unless(
            MISSING, self.account.client("sqs").get_queue_attributes, QueueUrl=url, AttributeNames=["All"]
        )
        return answer and {key: _as_data(key, value) for key, value in answer["Attributes"].items()}

    def _topic_sends(self, name, topic):
        return statement(
            sid="OnlyFromTheTopic",
            service="sns",
            action="sqs:SendMessage",
            resource=self.account.arn("sqs", name),
            ArnEquals={"aws:SourceArn": self.account.arn("sns", topic)},
        )


def _as_data(key, text):
    return json.loads(text or "null") if key in ("Policy", "RedrivePolicy") else text


def _as_text(attributes):
    return {key: json.dumps(value) if isinstance(value, dict) else value for key, value in attributes.items()}
