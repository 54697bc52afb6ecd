"""Who subscribes to the topics is read of SNS, and only those on duty are changed."""

import pytest

from notifier.channels.registry import channel_names
from notifier.queue import subscribers
from notifier.queue.subscribers import SnsRefused, Subscriber, on_duty_topic

pytestmark = pytest.mark.one_database

ADDRESS = "ops@example.com"
ERROR = f"<Error><Code>AuthorizationError</Code><Message>not for {ADDRESS}</Message></Error>"
REFUSAL = f"<ErrorResponse>{ERROR}</ErrorResponse>"


@pytest.fixture(autouse=True)
def _nobody(cloud, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": cloud.topic_arn}
    for each in subscribers.on_duty():
        subscribers.unsubscribe(each.key)


def test_the_queues_stand_there_with_what_they_take():
    found = {each.endpoint.rpartition("-")[2]: each for each in subscribers.queues()}
    assert {"fanout", *channel_names()} <= found.keys()
    assert found["email"].protocol == "sqs"
    assert (found["email"].filter, found["email"].is_pending) == ("route: email", False)


def test_an_address_is_subscribed_and_removed():
    assert subscribers.on_duty() == []
    subscribers.subscribe(ADDRESS)
    [found] = subscribers.on_duty()
    assert (found.protocol, found.endpoint) == ("email", ADDRESS)
    assert subscribers.unsubscribe(found.key) == found
    assert subscribers.on_duty() == []
    assert subscribers.unsubscribe(found.key) is None, "said again it changes nothing"


def test_one_that_waits_for_its_confirmation_has_no_key(gate, cloud):
    body = f"""<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
        <ListSubscriptionsByTopicResult><Subscriptions><member>
        <TopicArn>{on_duty_topic(cloud.topic_arn)}</TopicArn><Protocol>email</Protocol>
        <SubscriptionArn>PendingConfirmation</SubscriptionArn><Endpoint>{ADDRESS}</Endpoint>
        </member></Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"""
    gate.answer("ListSubscriptionsByTopic", status=200, body=body, content_type="text/xml", times=2)
    assert subscribers.on_duty() == [Subscriber(protocol="email", endpoint=ADDRESS)]
    assert subscribers.unsubscribe("") is None
    assert gate.count("Unsubscribe") == 0


def test_a_queue_is_not_unsubscribed_by_its_key():
    keys = {each.key for each in subscribers.queues()}
    assert {subscribers.unsubscribe(key) for key in keys} == {None}
    assert {each.key for each in subscribers.queues()} == keys


def test_what_sns_refuses_is_one_error_without_the_address(gate):
    gate.answer("Subscribe", status=403, body=REFUSAL, content_type="text/xml")
    with pytest.raises(SnsRefused, match="AuthorizationError") as caught:
        subscribers.subscribe(ADDRESS)
    assert ADDRESS not in str(caught.value)
    gate.cut("ListSubscriptionsByTopic")
    with pytest.raises(SnsRefused):
        subscribers.on_duty()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("", ""),
        ('{"route": ["email"]}', "route: email"),
        ('{"route": ["email", "sms"], "kind": ["a"]}', "route: email, sms, kind: a"),
        ('{"route": [{"prefix": "e"}]}', "route: {'prefix': 'e'}"),  # made by hand
        ("{", "{"),
        ("[1]", "[1]"),
    ],
)
def test_a_filter_in_words(policy, words):
    assert subscribers._words_of(policy) == words
