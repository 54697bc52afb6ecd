"""Two alarms per route: a message was given up, and messages are not taken. And one of the stack: what is
urgent is late.

They tell the topic of those on duty, unless a person has chosen somebody else.
"""

from notifier.observing import NAMESPACE, TIME_TO_SENT
from notifier.queue.subscribers import on_duty_topic

from .kind import Kind

# A batch that fails comes back after its visibility timeout, six minutes. Twice is bad luck, from then on
# something is wrong.
OLDEST_SECONDS = 15 * 60
# How often SQS tells its figures, while a queue is in use:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
PERIOD_SECONDS = 60
# Urgent messages are few: of five minutes' something can be said.
LATE_SECONDS, LATE_PERIOD_SECONDS = 60, 300
TELLS = "TellsSomebody"


class Alarms(Kind):
    """``TellsSomebody`` is whether it has an action at all: which, is a person's choice."""

    label = "alarm"

    def wanted(self):
        alarms = {}
        for route in self.stack.routes:
            queue = f"{self.stack.name}-{route}"
            alarms[f"{queue}-given-up"] = _alarm(
                f"{queue}-dlq", "ApproximateNumberOfMessagesVisible", above=0
            )
            alarms[f"{queue}-not-taken"] = _alarm(
                queue, "ApproximateAgeOfOldestMessage", above=OLDEST_SECONDS
            )
        alarms[f"{self.stack.name}-urgent-late"] = _late_alarm(self.stack.name)
        return alarms

    def found(self):
        pages = self.account.client("cloudwatch").get_paginator("describe_alarms")
        listed = pages.paginate(AlarmNamePrefix=f"{self.stack.name}-", AlarmTypes=["MetricAlarm"])
        return {
            each["AlarmName"]: each | {TELLS: bool(each.get("AlarmActions"))}
            for page in listed
            for each in page["MetricAlarms"]
        }

    def is_ours(self, name):
        if name in self.wanted():
            return True
        arn = self.account.arn("cloudwatch", f"alarm:{name}")
        return self.account.is_tagged(
            self.account.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
        )

    def create(self, name, attributes):
        self._put(name, {"AlarmActions": [self._on_duty]}, Tags=self.account.tag_list)

    def change(self, name, attributes):
        """The call replaces the whole alarm; who is told about it is a person's choice and stays."""
        actions = ("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")
        kept = {key: value for key, value in self.found()[name].items() if key in actions}
        self._put(name, kept if kept.get("AlarmActions") else kept | {"AlarmActions": [self._on_duty]})

    @property
    def _on_duty(self):
        return self.account.arn("sns", on_duty_topic(self.stack.name))

    def _put(self, name, told, **more):
        described = {key: value for key, value in self.wanted()[name].items() if key != TELLS}
        self.account.client("cloudwatch").put_metric_alarm(AlarmName=name, **described, **told, **more)

    def delete(self, name):
        self.account.client("cloudwatch").delete_alarms(AlarmNames=[name])


def _late_alarm(stack):
    """Of a hundred urgent messages more than five took longer than LATE_SECONDS until they were sent."""
    return {
        "Namespace": NAMESPACE,
        "MetricName": TIME_TO_SENT,
        "Dimensions": [{"Name": "stack", "Value": stack}, {"Name": "lane", "Value": "urgent"}],
        "ExtendedStatistic": "p95",
        "Period": LATE_PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "Threshold": float(LATE_SECONDS),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        TELLS: True,
    }


def _alarm(queue, metric, *, above):
    return {
        "Namespace": "AWS/SQS",
        "MetricName": metric,
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
        "Statistic": "Maximum",
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "Threshold": float(above),
        "ComparisonOperator": "GreaterThanThreshold",
        # A queue that nobody uses tells nothing.
        "TreatMissingData": "notBreaching",
        TELLS: True,
    }
