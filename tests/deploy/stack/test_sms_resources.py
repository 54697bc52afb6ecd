"""What AWS End User Messaging needs where it sends the SMS: made, put right, and taken away again."""

import json
from itertools import count

import boto3
import pytest

from notifier.deploy.stack.resources.sms import SERVICE
from notifier.local.sms_voice import SIMULATED
from tests.deploy.stack.conftest import account_of, apply, destroy, plan

_numbers = count(1)
VARIABLES = {"SECRETS": "SECRET_KEY", "DEFAULT_FROM_EMAIL": "shop@example.org"}


@pytest.fixture
def stack(make_stack):
    """``stack(driver)``: of one name, as its stage says."""
    name = f"texts{next(_numbers)}"

    def make(driver="aws"):
        variables = VARIABLES | {"SMS_DRIVER": driver}
        return make_stack(name, channels=["sms", "feedback"], aws_environment_variables=variables)

    return make


def client():
    return boto3.client(SERVICE)


def described(stack):
    [found] = client().describe_configuration_sets(ConfigurationSetNames=[stack.name])["ConfigurationSets"]
    return found


def of_sms(changes):
    return [f"{each.action} {each.resource}" for each in changes if "SMS" in each.resource]


def test_a_set_and_its_destination_are_made_once_and_taken_away_with_the_driver(stack):
    made = stack()
    names = [f"SMS configuration set {made.name}", f"SMS event destination {made.name}-feedback"]
    assert of_sms(plan(made)) == of_sms(apply(made).changes) == [f"create {each}" for each in names]
    [destination] = described(made)["EventDestinations"]
    topic = account_of(made).arn("sns", f"{made.name}-feedback")
    assert (destination["MatchingEventTypes"], destination["SnsDestination"]) == (
        ["TEXT_ALL"],
        {"TopicArn": topic},
    )
    assert of_sms(plan(made)) == []
    assert of_sms(apply(stack("sns")).changes) == [f"delete {each}" for each in reversed(names)]
    destroy(stack("sns"))


def test_nobody_else_gets_any_of_it(stack):
    for driver in ("sns", "twilio", "", "AWS"):
        assert of_sms(plan(stack(driver))) == []


@pytest.mark.parametrize(
    ("attribute", "changed"),
    [
        ("Enabled", {"Enabled": False}),
        ("Events", {"MatchingEventTypes": ["TEXT_SPAM"]}),
        ("TopicArn", {"SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:another"}}),
    ],
)
def test_what_was_changed_by_hand_is_found_and_put_right(stack, attribute, changed):
    made = stack()
    apply(made)
    named = {"ConfigurationSetName": made.name, "EventDestinationName": f"{made.name}-feedback"}
    client().update_event_destination(**named, **changed)
    [found] = [each for each in plan(made) if "SMS" in each.resource]
    assert attribute in found.differences
    apply(made)
    assert of_sms(plan(made)) == []
    destroy(made)


def test_what_becomes_of_an_sms_comes_to_the_queue_of_feedback_and_to_nobody_elses(stack):
    made = stack()
    queue = apply(made).queues["feedback"]
    policy = boto3.client("sns").get_topic_attributes(
        TopicArn=account_of(made).arn("sns", f"{made.name}-feedback")
    )["Attributes"]["Policy"]
    publishers = {
        each["Principal"]["Service"]: each["Condition"]["StringEquals"]["aws:SourceAccount"]
        for each in json.loads(policy)["Statement"]
    }
    assert publishers == {"ses.amazonaws.com": "123456789012", "sms-voice.amazonaws.com": "123456789012"}
    number, (event, _status, _words) = next(iter(SIMULATED.items()))
    client().send_text_message(
        DestinationPhoneNumber=number, MessageBody="Hello", ConfigurationSetName=made.name
    )
    [message] = boto3.client("sqs").receive_message(QueueUrl=queue.url)["Messages"]
    assert json.loads(message["Body"])["eventType"] == event
    destroy(made)


def test_destroyed_nothing_is_left(stack):
    made = stack()
    apply(made)
    destroy(made)
    assert client().describe_configuration_sets()["ConfigurationSets"] == []


def test_who_may_not_ask_the_service_and_does_not_use_it_gets_the_plan(stack, session_cloud):
    session_cloud.sms_voice.refuse_all("AccessDeniedException")
    try:
        assert of_sms(plan(stack("sns"))) == []
        with pytest.raises(Exception, match="AccessDenied"):
            plan(stack("aws"))
    finally:
        session_cloud.sms_voice.reset()


def test_where_the_region_has_no_such_service_nobody_is_asked(stack):
    account = account_of(stack("sns"))
    assert account.is_offered(SERVICE)
    account.region = "ap-east-1"
    assert not account.is_offered(SERVICE)
