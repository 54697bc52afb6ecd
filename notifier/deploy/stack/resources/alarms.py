"""The alarms: of each queue, of each function, of the sweep, and of what is said of the account.

They tell the topic of those on duty, unless a person has chosen somebody else, and the topic that ALERT_EMAIL
names.
"""

from notifier.exceptions import ConfigurationError
from notifier.observing import BUDGET_USED, NAMESPACE, TIME_TO_SENT
from notifier.queue.ring import FANOUT
from notifier.queue.subscribers import on_duty_topic

from .kind import Kind
from .schedule import SWEEP

# A batch that fails comes back after its visibility timeout, six minutes. Twice is bad luck, from then on
# something is wrong.
OLDEST_SECONDS = 15 * 60
# How often SQS tells its figures, while a queue is in use:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
MINUTE, FIVE_MINUTES, HOUR = 60, 300, 3600
# Urgent messages are few: of five minutes' something can be said.
LATE_SECONDS = 60
# Minutes without a tick of the schedule.
SILENT_MINUTES = 5
# The shares of mails from which on SES reviews an account, and what is told while nothing is sent:
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
MOST_BOUNCES, MOST_COMPLAINTS = 0.05, 0.001
SES, LAMBDA, SQS = "AWS/SES", "AWS/Lambda", "AWS/SQS"
TELLS = "TellsSomebody"
# Of a queue or a function that nobody uses there are no figures.
QUIET = "notBreaching"
ABOVE, FROM, BELOW = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"


class Alarms(Kind):
    """``TellsSomebody`` is whether it has an action at all, and the one that ALERT_EMAIL names: who else is
    told, is a person's choice.
    """

    label = "alarm"

    def wanted(self):
        self._refuse_a_topic_elsewhere()
        name = self.stack.name
        alarms = {}
        for route in self.stack.routes:
            alarms |= _of_queue(f"{name}-{route}")
        for function in self.stack.functions:
            alarms |= _of_function(function)
        alarms[f"{name}-urgent-late"] = _late(name)
        alarms[f"{name}-budget-used-up"] = _budget(name)
        if self.stack.sender:
            alarms[f"{name}-bounces"] = _share_of_mails("Reputation.BounceRate", MOST_BOUNCES)
            alarms[f"{name}-complaints"] = _share_of_mails("Reputation.ComplaintRate", MOST_COMPLAINTS)
        return alarms

    def needed(self, name):
        """What has no figures rings, and before its first deploy nobody should be woken for it."""
        sweeps = [each.name for each in self.stack.functions if each.module == SWEEP]
        return next((sweep for sweep in sweeps if name == f"{sweep}-silent"), None)

    def found(self):
        pages = self.account.client("cloudwatch").get_paginator("describe_alarms")
        listed = pages.paginate(AlarmNamePrefix=f"{self.stack.name}-", AlarmTypes=["MetricAlarm"])
        return {
            each["AlarmName"]: each | {TELLS: self._tells(each.get("AlarmActions", []))}
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
        self._put(name, self._told([]), Tags=self.account.tag_list)

    def change(self, name, attributes):
        """The call replaces the whole alarm; who is told about it is a person's choice and stays."""
        found = self.found()[name]
        actions = ("ActionsEnabled", "OKActions", "InsufficientDataActions")
        kept = {key: value for key, value in found.items() if key in actions}
        self._put(name, kept | self._told(found.get("AlarmActions", [])))

    def _tells(self, actions):
        return set(self.stack.alert_topics) <= set(actions) if actions else False

    def _told(self, actions):
        on_duty = self.account.arn("sns", on_duty_topic(self.stack.name))
        missing = [topic for topic in self.stack.alert_topics if topic not in actions]
        return {"AlarmActions": [*(actions or [on_duty]), *missing]}

    def _refuse_a_topic_elsewhere(self):
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"""
        for topic in self.stack.alert_topics:
            if (region := topic.split(":")[3]) != self.account.region:
                raise ConfigurationError(
                    f"ALERT_EMAIL names a topic in {region}, and alarms tell topics of their own region "
                    f"alone: name one in {self.account.region}, or an address."
                )

    def _put(self, name, told, **more):
        described = {key: value for key, value in self.wanted()[name].items() if key != TELLS}
        self.account.client("cloudwatch").put_metric_alarm(AlarmName=name, **described, **told, **more)

    def delete(self, name):
        self.account.client("cloudwatch").delete_alarms(AlarmNames=[name])


def _of_queue(queue):
    """A message was given up, and messages are not taken."""
    waiting = {"statistic": "Maximum", "period": MINUTE}
    return {
        f"{queue}-given-up": _alarm(
            SQS, "ApproximateNumberOfMessagesVisible", {"QueueName": f"{queue}-dlq"}, ABOVE, 0, **waiting
        ),
        f"{queue}-not-taken": _alarm(
            SQS, "ApproximateAgeOfOldestMessage", {"QueueName": queue}, ABOVE, OLDEST_SECONDS, **waiting
        ),
    }


def _of_function(function):
    """Figures of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    name, own = function.name, {"FunctionName": function.name}
    found = {
        f"{name}-errors": _alarm(LAMBDA, "Errors", own, ABOVE, 0),
        f"{name}-throttled": _alarm(LAMBDA, "Throttles", own, ABOVE, 0),
    }
    if function.module == SWEEP:
        # All that recovers, does so by it.
        found[f"{name}-silent"] = _alarm(
            LAMBDA, "Invocations", own, BELOW, 1, period=MINUTE, periods=SILENT_MINUTES, missing="breaching"
        )
    if function.module == FANOUT:
        # Of those that a queue feeds it alone rings; what rings for itself is ended as a loop.
        found[f"{name}-loop-ended"] = _alarm(LAMBDA, "RecursiveInvocationsDropped", own, ABOVE, 0)
    return found


def _late(stack):
    """Of a hundred urgent messages more than five took longer than LATE_SECONDS until they were sent."""
    return _alarm(
        NAMESPACE, TIME_TO_SENT, {"stack": stack, "lane": "urgent"}, ABOVE, LATE_SECONDS, statistic="p95"
    )


def _budget(stack):
    """A channel's money for the month is spent; the sweep tells it, in percent."""
    own = {"stack": stack, "channel": SWEEP}
    return _alarm(NAMESPACE, BUDGET_USED, own, FROM, 100, statistic="Maximum")


def _share_of_mails(metric, most):
    return _alarm(SES, metric, {}, FROM, most, statistic="Average", period=HOUR, missing="ignore")


def _alarm(
    namespace, metric, dimensions, comparison, threshold, *,
    statistic="Sum", period=FIVE_MINUTES, periods=1, missing=QUIET,
):  # fmt: skip
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "ExtendedStatistic" if statistic.startswith("p") else "Statistic": statistic,
        "Period": period,
        "EvaluationPeriods": periods,
        "Threshold": float(threshold),
        "ComparisonOperator": comparison,
        "TreatMissingData": missing,
        TELLS: True,
    }


def set_off(account):
    """Put an alarm of the stack into the state in which it tells those on duty, though nothing is wrong.

    So all is tried on the way to a person: the alarm's actions, the topic and its subscriptions. CloudWatch
    puts the state right by itself soon. Returns the alarm's name. Raises ClientError where it is not there.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    name, reason = f"{account.stack.name}-urgent-late", "A test by manage.py stack. Nothing is wrong."
    # Only a change is told.
    for state in ("OK", "ALARM"):
        account.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)
    return name
