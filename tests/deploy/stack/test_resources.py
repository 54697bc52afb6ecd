"""The stack is what it says, the second time too, and each queue gets its own route's messages and no
others.
"""

import json

import boto3
import pytest

from notifier.channels.registry import channel_names
from notifier.deploy.stack import RouteSettings, Stack, default_routes
from tests.deploy.stack.conftest import account_of, apply, deploy, destroy, plan


@pytest.fixture
def stack(cloud, request):
    """A stack of this test's own, in the local cloud, without functions."""
    return Stack(
        name=f"stack-{abs(hash(request.node.name))}",
        routes={
            "email": RouteSettings(visibility_timeout_seconds=7, max_receive_count=3),
            "sms": RouteSettings(),
        },
    )


def attributes(url):
    return boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def receive(url):
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in found.get("Messages", [])]


def test_by_default_there_is_a_queue_for_the_fanout_each_channel_and_the_feedback():
    assert sorted(Stack().routes) == sorted(["fanout", *channel_names(), "feedback"])


def test_settings_can_be_given_to_all_routes_at_once():
    assert {settings.batch_size for settings in default_routes(batch_size=1).values()} == {1}


def test_each_queue_has_its_settings_and_its_dead_letter_queue(stack):
    queue = apply(stack).queues["email"]

    found = attributes(queue.url)
    assert found["QueueArn"] == queue.arn
    assert queue.arn.endswith(f"{stack.name}-email")
    assert found["VisibilityTimeout"] == "7"
    assert json.loads(found["RedrivePolicy"]) == {"deadLetterTargetArn": queue.dlq_arn, "maxReceiveCount": 3}
    assert attributes(queue.dlq_url)["QueueArn"] == queue.dlq_arn
    assert attributes(queue.dlq_url)["MessageRetentionPeriod"] == "1209600"


def test_a_queue_takes_messages_from_the_topic_only(stack):
    applied = apply(stack)

    (statement,) = json.loads(attributes(applied.queues["sms"].url)["Policy"])["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == applied.queues["sms"].arn
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": applied.topic_arn}}


@pytest.mark.parametrize(
    ("message_attributes", "email", "sms"),
    [
        ({"route": {"DataType": "String", "StringValue": "email"}}, ["hello"], []),  # one route
        ({"route": {"DataType": "String", "StringValue": "sms"}}, [], ["hello"]),  # the other
        ({"route": {"DataType": "String", "StringValue": "fax"}}, [], []),  # a route nobody has
        ({}, [], []),  # no route at all
    ],
)
def test_a_message_reaches_the_queue_of_its_route_raw(stack, message_attributes, email, sms):
    applied = apply(stack)

    boto3.client("sns").publish(
        TopicArn=applied.topic_arn, Message="hello", MessageAttributes=message_attributes
    )

    assert receive(applied.queues["email"].url) == email
    assert receive(applied.queues["sms"].url) == sms


def test_a_message_that_is_received_too_often_goes_to_the_dead_letter_queue(cloud):
    routes = {"email": RouteSettings(visibility_timeout_seconds=0, max_receive_count=2)}
    queue = apply(Stack(name="poisoned", routes=routes)).queues["email"]
    boto3.client("sqs").send_message(QueueUrl=queue.url, MessageBody="poison")

    assert [receive(queue.url) for _ in range(3)] == [["poison"], ["poison"], []]
    assert receive(queue.dlq_url) == ["poison"]


def test_applying_twice_changes_nothing(stack, recorded):
    first = apply(stack)
    session, writes = recorded

    assert apply(stack, session) == first
    assert writes == []


def test_what_was_changed_by_hand_is_put_right_and_nothing_else_touched(stack, recorded):
    applied = apply(stack)
    boto3.client("sqs").set_queue_attributes(
        QueueUrl=applied.queues["sms"].url, Attributes={"VisibilityTimeout": "1", "Policy": ""}
    )
    session, writes = recorded

    apply(stack, session)

    assert attributes(applied.queues["sms"].url)["VisibilityTimeout"] == "360"
    assert "OnlyFromTheTopic" in attributes(applied.queues["sms"].url)["Policy"]
    assert writes == ["SetQueueAttributes"]


def test_without_functions_there_is_only_what_messages_pass_through(stack):
    kinds = {change.resource.rpartition(" ")[0] for change in plan(stack)}
    assert kinds == {"topic", "queue", "subscription"}


def test_a_new_route_is_added_to_what_is_there(stack):
    before = apply(stack)

    after = apply(Stack(name=stack.name, routes={**stack.routes, "fax": RouteSettings()}))

    assert before.queues.items() <= after.queues.items()
    assert sorted(after.queues) == ["email", "fax", "sms"]


def test_the_sender_is_made_known_to_ses_once(stack, recorded):
    asked = Stack(name=stack.name, routes=stack.routes, sender="known@example.org")
    apply(asked)
    session, writes = recorded
    apply(asked, session)

    identities = boto3.client("sesv2").list_email_identities()["EmailIdentities"]
    assert "known@example.org" in [identity["IdentityName"] for identity in identities]
    assert writes == []


def test_what_ses_publishes_reaches_the_queue_of_the_feedback_as_it_is_and_no_other(make_stack):
    stack = make_stack(channels=("email", "feedback"))
    applied = apply(stack)
    topic = account_of(stack).arn("sns", f"{stack.name}-feedback")

    boto3.client("sns").publish(TopicArn=topic, Message='{"eventType": "Bounce"}')

    assert receive(applied.queues["feedback"].url) == ['{"eventType": "Bounce"}']
    assert receive(applied.queues["email"].url) == []
    (statement,) = json.loads(attributes(applied.queues["feedback"].url)["Policy"])["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}
    assert {change.action for change in apply(stack).changes} == {"wait"}
    destroy(stack)
    assert {change.action for change in destroy(stack)} == set()


def test_a_queue_feeds_the_version_that_has_a_snapshot_once_there_is_one(make_stack):
    """By what is asked of AWS: moto forgets which version a mapping is for."""
    from zappa.core import SNAPSTART_LAMBDA_ALIAS

    session, asked = boto3.session.Session(), []
    session.events.register(
        "provide-client-params.lambda.CreateEventSourceMapping",
        lambda params, **_: asked.append(params["FunctionName"].partition(":function:")[2]),
    )
    stack = make_stack(snap_start="PublishedVersions")
    name = f"{stack.name}-email"
    deploy(stack, apply(stack))
    apply(stack, session)
    assert asked == []
    boto3.client("lambda").create_alias(
        FunctionName=name, FunctionVersion="$LATEST", Name=SNAPSTART_LAMBDA_ALIAS
    )
    apply(stack, session)
    assert asked == [f"{name}:{SNAPSTART_LAMBDA_ALIAS}"]
