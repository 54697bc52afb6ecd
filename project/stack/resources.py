"""The topic, and per route a queue with its dead-letter queue and its subscription: declared here, applied with boto3.

Applying reads first and writes only what differs, so a second time changes nothing.
"""

import json
import logging
from dataclasses import dataclass, field

import boto3
from botocore.exceptions import ClientError

from notifier.channels import channel_names

logger = logging.getLogger(__name__)

FANOUT = "fanout"
# A queue's visibility timeout should be six times its function's timeout, here a minute, and a message should get five
# tries before it goes aside: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_TIMEOUT_SECONDS = 360
MAX_RECEIVE_COUNT = 5
# Five messages are 250 deliveries: 20 s of mails at 80 ms each, so a function ends well before its minute does.
BATCH_SIZE = 5
# The longest there is. A message keeps its age on its way into the dead-letter queue:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
DLQ_RETENTION_SECONDS = 14 * 24 * 60 * 60

QUEUE_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteSettings:
    """How one route's queue treats messages; ``batch_size`` is what its function gets at once."""

    visibility_timeout_seconds: int = VISIBILITY_TIMEOUT_SECONDS
    batch_size: int = BATCH_SIZE
    max_receive_count: int = MAX_RECEIVE_COUNT


def default_routes(**settings):
    """Settings per route: the fan-out and every channel that exists, each with ``settings`` over the defaults."""
    return {route: RouteSettings(**settings) for route in [FANOUT, *channel_names()]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """What a deployment should have. ``sender`` is an address or domain to make known to SES, or empty.

    ``region`` None means the one of the environment.
    """

    name: str = "notifier"
    region: str | None = None
    routes: dict[str, RouteSettings] = field(default_factory=default_routes)
    sender: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """An applied route's queue and where its failed messages go."""

    url: str
    arn: str
    dlq_url: str
    dlq_arn: str
    settings: RouteSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What is there after :func:`apply`."""

    topic_arn: str
    queues: dict[str, Queue]


def apply(stack, session=None):
    """Make AWS hold what ``stack`` declares, and return it as :class:`Applied`.

    ``session`` is a boto3 session; without one, the environment's. Resources that the stack does not name are left alone.
    """
    session = session or boto3.session.Session()
    sns, sqs = (session.client(service, region_name=stack.region) for service in ("sns", "sqs"))
    # CreateTopic is its own look-up: it answers with the ARN of a topic that exists, and changes nothing.
    topic_arn = sns.create_topic(Name=stack.name)["TopicArn"]
    queues = {route: _apply_queue(sqs, f"{stack.name}-{route}", topic_arn, settings) for route, settings in stack.routes.items()}
    _apply_subscriptions(sns, topic_arn, queues)
    if stack.sender:
        _apply_sender(session.client("sesv2", region_name=stack.region), stack.sender)
    return Applied(topic_arn=topic_arn, queues=queues)


def _apply_queue(sqs, name, topic_arn, settings):
    dlq_url, dlq_arn = _ensure_queue(sqs, f"{name}-dlq", {"MessageRetentionPeriod": str(DLQ_RETENTION_SECONDS)})
    url, arn = _ensure_queue(
        sqs,
        name,
        {
            "VisibilityTimeout": str(settings.visibility_timeout_seconds),
            "RedrivePolicy": {"deadLetterTargetArn": dlq_arn, "maxReceiveCount": settings.max_receive_count},
            "Policy": _only_from(topic_arn, dlq_arn.removesuffix("-dlq")),
        },
    )
    return Queue(url=url, arn=arn, dlq_url=dlq_url, dlq_arn=dlq_arn, settings=settings)


def _only_from(topic_arn, queue_arn):
    """A queue policy under which one topic may send to the queue, and no other sender."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyFromTheTopic",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }


def _ensure_queue(sqs, name, wanted):
    """URL and ARN of the queue ``name``, whose attributes are ``wanted`` afterwards."""
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in QUEUE_MISSING:
            raise
        url = sqs.create_queue(QueueName=name, Attributes=_as_text(wanted))["QueueUrl"]
        logger.info("created queue %s", name)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if differing := _differing(wanted, found):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=_as_text(differing))
        logger.info("changed %s of queue %s", ", ".join(differing), name)
    return url, found["QueueArn"]


def _apply_subscriptions(sns, topic_arn, queues):
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    existing = {found["Endpoint"]: found["SubscriptionArn"] for page in pages for found in page["Subscriptions"]}
    for route, queue in queues.items():
        wanted = {
            "RawMessageDelivery": "true",
            "FilterPolicyScope": "MessageAttributes",
            "FilterPolicy": {"route": [route]},
        }
        if queue.arn not in existing:
            sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue.arn, Attributes=_as_text(wanted))
            logger.info("subscribed %s", queue.arn)
            continue
        arn = existing[queue.arn]
        found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        for attribute, value in _as_text(_differing(wanted, found)).items():
            sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=attribute, AttributeValue=value)
            logger.info("changed %s of the subscription of %s", attribute, queue.arn)


def _apply_sender(ses, sender):
    try:
        ses.get_email_identity(EmailIdentity=sender)
    except ses.exceptions.NotFoundException:
        ses.create_email_identity(EmailIdentity=sender)
        logger.info("created the SES identity; it can send once it is verified")


def _differing(wanted, found):
    """The attributes of ``wanted`` that ``found``, AWS's answer, does not hold. Policies are compared as data."""
    return {key: value for key, value in wanted.items() if _as_data(found.get(key), like=value) != value}


def _as_data(text, *, like):
    return json.loads(text) if text and isinstance(like, dict) else text


def _as_text(attributes):
    return {key: json.dumps(value) if isinstance(value, dict) else value for key, value in attributes.items()}
