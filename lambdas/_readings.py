"""Asks AWS what the database cannot know: dead letters, reputation, quota. Called by ``sweep``.

Nothing here may fail the sweep or make it late: each call is made once, and none is begun when its time is
up.
"""

import datetime as dt
import logging
import time

import boto3

from notifier import conf
from notifier.channels.registry import channel_names
from notifier.operations import gauges
from notifier.queue.ring import FANOUT

from ._aws import single_request_config

logger = logging.getLogger(__name__)

FEEDBACK = "feedback"
EVERY = dt.timedelta(minutes=5)
# All calls together, so that a network without a way to AWS costs a sweep no more.
BUDGET_SECONDS = 8
CONNECT_SECONDS, READ_SECONDS = 2, 3
# SES tells its rates every so often, and not at all while nothing is sent.
REPUTATION_SINCE = dt.timedelta(days=1)
REPUTATION_PERIOD_SECONDS = 3600


def read_gauges():
    """Ask for all readings, unless that was done less than EVERY ago.

    What is not answered keeps its old value and age.
    """
    if not (topic := conf.get("TOPIC_ARN")) or not gauges.is_due(EVERY):
        return
    # First of all: what takes too long is not tried again a minute later.
    gauges.record({gauges.ASKED: None})
    until, found = time.monotonic() + BUDGET_SECONDS, {}
    for ask in (*_dead_letter_questions(topic), _ask_reputation, _ask_account):
        if time.monotonic() > until:
            logger.warning(
                "AWS was too slow to be asked for everything; the overview shows the older readings."
            )
            break
        try:
            found |= ask()
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            logger.warning("A reading for the overview failed: %s %s", type(error).__name__, code)
    gauges.record(found)


def _client(service):
    return boto3.client(service, config=single_request_config(CONNECT_SECONDS, READ_SECONDS))


def _dead_letter_questions(topic):
    *_, account, stack = topic.split(":")
    sqs = _client("sqs")
    for route in [FANOUT, *channel_names(), FEEDBACK]:
        yield lambda route=route: _ask_dead_letters(
            sqs, route, f"{sqs.meta.endpoint_url}/{account}/{stack}-{route}-dlq"
        )


def _ask_dead_letters(sqs, route, url):
    asked = ["ApproximateNumberOfMessages"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)
    return {gauges.dead_letters(route): int(answer["Attributes"][asked[0]])}


def _ask_reputation():
    """https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html"""
    names = {
        "bounces": ("Reputation.BounceRate", gauges.BOUNCE_RATE),
        "complaints": ("Reputation.ComplaintRate", gauges.COMPLAINT_RATE),
    }
    # A minute more: CloudWatch cuts fractions off, and its clock is not ours.
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SES", "MetricName": metric},
                "Period": REPUTATION_PERIOD_SECONDS,
                "Stat": "Average",
            },
        }
        for key, (metric, _) in names.items()
    ]
    answer = _client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - REPUTATION_SINCE, EndTime=now, ScanBy="TimestampDescending"
    )
    return {names[each["Id"]][1]: each["Values"][0] for each in answer["MetricDataResults"] if each["Values"]}


def _ask_account():
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""
    account = _client("sesv2").get_account()
    quota = account["SendQuota"]
    return {
        gauges.QUOTA: quota["Max24HourSend"],
        gauges.QUOTA_USED: quota["SentLast24Hours"],
        gauges.SEND_RATE: quota["MaxSendRate"],
        gauges.SENDING_ENABLED: int(account["SendingEnabled"]),
    }
