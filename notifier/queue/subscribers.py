"""Who subscribes to the topics: the queues to that of the rings, and those on duty, by mail, to that of the
alarms. Called by the admin's page of them.
"""

import json
from dataclasses import dataclass

from . import publisher

# What those on duty are told by; any other protocol is set up by hand.
PROTOCOLS = ("email",)
# What SNS has in place of a subscription's ARN until the link in its mail is opened.
# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
PENDING = "PendingConfirmation"
# Pages of a hundred: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
MOST_PAGES = 5


class SnsRefused(Exception):
    """SNS did not answer, or refused. The text is its error's code, without an address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """One subscription. ``key`` is the end of its ARN, blank while it waits for its confirmation; ``filter``
    is what it takes, blank for all.
    """

    protocol: str
    endpoint: str
    key: str = ""
    filter: str = ""

    @property
    def is_pending(self) -> bool:
        return not self.key


def on_duty_topic(name: str) -> str:
    """The topic that alarms tell, by the name or the ARN of the one that everything goes through."""
    return f"{name}-on-duty"


def queues() -> list[Subscriber]:
    """The subscribers of the topic that everything goes through, with their filters."""
    topic = publisher.topic_arn()
    return [_with_filter(topic, each) for each in _listed(topic)]


def on_duty() -> list[Subscriber]:
    """Those who are told of alarms."""
    return _listed(on_duty_topic(publisher.topic_arn()))


def subscribe(address: str) -> None:
    """Let SNS ask ``address`` whether it wants to be told. Said again while it waits, it asks again."""
    topic = on_duty_topic(publisher.topic_arn())
    _ask("subscribe", TopicArn=topic, Protocol=PROTOCOLS[0], Endpoint=address, ReturnSubscriptionArn=True)


def unsubscribe(key: str) -> Subscriber | None:
    """Remove one of those on duty, whose mail alone is ours to stop; None where there is no such one."""
    topic = on_duty_topic(publisher.topic_arn())
    found = next((each for each in _listed(topic) if each.key == key and each.protocol in PROTOCOLS), None)
    if found and key:
        _ask("unsubscribe", SubscriptionArn=f"{topic}:{key}")
        return found
    return None


def _listed(topic: str) -> list[Subscriber]:
    found, more = [], {}
    for _page in range(MOST_PAGES):
        answer = _ask("list_subscriptions_by_topic", TopicArn=topic, **more)
        found += answer["Subscriptions"]
        if not answer.get("NextToken"):
            break
        more = {"NextToken": answer["NextToken"]}
    return [
        Subscriber(
            protocol=each["Protocol"], endpoint=each["Endpoint"],
            key="" if each["SubscriptionArn"] == PENDING else each["SubscriptionArn"].rpartition(":")[2],
        )
        for each in found
    ]  # fmt: skip


def _with_filter(topic: str, subscriber: Subscriber) -> Subscriber:
    if subscriber.is_pending:
        return subscriber
    answer = _ask("get_subscription_attributes", SubscriptionArn=f"{topic}:{subscriber.key}")
    return Subscriber(
        protocol=subscriber.protocol,
        endpoint=subscriber.endpoint,
        key=subscriber.key,
        filter=_words_of(answer["Attributes"].get("FilterPolicy") or ""),
    )


def _words_of(policy: str) -> str:
    """A filter as people read it: “route: email”; another one as it is."""
    try:
        found = json.loads(policy) if policy else {}
        return ", ".join(f"{name}: {', '.join(map(str, values))}" for name, values in found.items())
    except (ValueError, AttributeError, TypeError):
        return policy


def _ask(operation: str, **arguments: object) -> dict:
    try:
        return getattr(publisher.client(), operation)(**arguments)
    except Exception as error:
        # Boto's errors have no common base; their own words repeat the address.
        answered = getattr(error, "response", None) or {}
        raise SnsRefused(answered.get("Error", {}).get("Code") or type(error).__name__) from None
