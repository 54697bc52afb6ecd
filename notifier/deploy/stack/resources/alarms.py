"""Two alarms per route: a message was given up, and messages are not taken.

They are seen in CloudWatch; nobody is written to.
"""

from .kind import Kind

# A batch that fails comes back after its visibility timeout, six minutes. Twice is bad luck, from then on
# something is wrong.
OLDEST_SECONDS = 15 * 60
# How often SQS tells its figures, while a queue is in use:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
PERIOD_SECONDS = 60


class Alarms(Kind):
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
        return alarms

    def found(self):
        pages = self.account.client("cloudwatch").get_paginator("describe_alarms")
        listed = pages.paginate(AlarmNamePrefix=f"{self.stack.name}-", AlarmTypes=["MetricAlarm"])
        return {each["AlarmName"]: each for page in listed for each in page["MetricAlarms"]}

    def is_ours(self, name):
        if name in self.wanted():
            return True
        arn = self.account.arn("cloudwatch", f"alarm:{name}")
        return self.account.is_tagged(
            self.account.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
        )

    def create(self, name, attributes):
        self.account.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Tags=self.account.tag_list, **attributes
        )

    def change(self, name, attributes):
        """The call replaces the whole alarm; who is told about it is a person's choice and stays."""
        actions = ("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")
        kept = {key: value for key, value in self.found()[name].items() if key in actions}
        self.account.client("cloudwatch").put_metric_alarm(AlarmName=name, **kept, **self.wanted()[name])

    def delete(self, name):
        self.account.client("cloudwatch").delete_alarms(AlarmNames=[name])


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
    }
