"""Which link is broken, as a deploy says when its canary did not arrive."""

import time

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from notifier.deploy.stack.links import YOUNG_SECONDS, find_loss
from notifier.local.cloud import REGION

from .conftest import shared_session


def queue_url(name):
    return boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


def lost(stack, **known):
    return find_loss(stack, "email", shared_session(), stage="production", **known)


def said(stack):
    return lost(stack).text


def age(name, seconds):
    """Let the queue have been made so long ago."""
    sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[name].created_timestamp = time.time() - seconds


def test_a_subscription_that_filters_for_another_route(deployed):
    sns = boto3.client("sns")
    topic = next(
        each["TopicArn"]
        for each in sns.list_topics()["Topics"]
        if each["TopicArn"].endswith(f":{deployed.name}")
    )
    (arn,) = [
        each["SubscriptionArn"]
        for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if each["Endpoint"].endswith("-email")
    ]
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"route": ["sms"]}'
    )
    assert "FilterPolicy" in said(deployed)
    assert "stack apply production" in said(deployed)


def test_a_queue_that_the_topic_may_not_send_to(deployed):
    boto3.client("sqs").set_queue_attributes(
        QueueUrl=queue_url(f"{deployed.name}-email"), Attributes={"Policy": ""}
    )
    assert "Policy" in said(deployed)


def test_a_mapping_that_is_switched_off(deployed):
    client = boto3.client("lambda")
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    (mapping,) = [each for each in mappings if each["EventSourceArn"].endswith(f":{deployed.name}-email")]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    assert "event source mapping" in said(deployed)


def test_messages_that_nobody_takes(deployed):
    boto3.client("sqs").send_message(QueueUrl=queue_url(f"{deployed.name}-email"), MessageBody="{}")
    assert "1 messages wait in queue" in said(deployed)


def test_a_function_that_takes_them_and_does_not_get_done(deployed):
    sqs, url = boto3.client("sqs"), queue_url(f"{deployed.name}-email")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=url)
    assert f"function {deployed.name}-email takes messages (1 under way)" in said(deployed)
    assert "zappa tail production_email" in said(deployed)


def test_a_queue_that_is_busy_is_no_broken_link(deployed):
    sqs, url = boto3.client("sqs"), queue_url(f"{deployed.name}-email")
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=url)
    assert lost(deployed) is None


@pytest.mark.parametrize(
    ("seconds", "fresh", "is_young"),
    [
        (0, False, True),
        (YOUNG_SECONDS - 60, False, True),
        (YOUNG_SECONDS + 60, False, False),
        (YOUNG_SECONDS + 60, True, True),  # its filter was put right a moment ago
    ],
)
def test_nothing_has_come_at_all_as_may_be_while_the_subscription_is_young(
    deployed, seconds, fresh, is_young
):
    age(f"{deployed.name}-email", seconds)
    found = lost(deployed, fresh=fresh)
    assert "nothing has come to queue" in found.text
    assert found.is_young == is_young


def test_what_has_come_and_is_stuck_is_no_matter_of_age(deployed):
    boto3.client("sqs").send_message(QueueUrl=queue_url(f"{deployed.name}-email"), MessageBody="{}")
    assert not lost(deployed, fresh=True).is_young


def test_a_route_whose_queue_is_gone(deployed):
    boto3.client("sqs").delete_queue(QueueUrl=queue_url(f"{deployed.name}-email"))
    assert "create queue" in said(deployed)
