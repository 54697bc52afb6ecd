"""Each queue's subscription to its topic: its own route's messages, as they were published; of the feedback's
topic all.
"""

import json

from ..declaration import FEEDBACK
from .kind import Kind, unless

MISSING = ("NotFound",)


class Subscriptions(Kind):
    label = "subscription"
    needs_functions = False

    def __init__(self, account):
        super().__init__(account)
        self._arns = {}

    def wanted(self):
        return {
            f"{self.stack.name}-{route}": {
                "RawMessageDelivery": "true",
                # What SES publishes has no attributes.
                **(
                    {}
                    if route == FEEDBACK
                    else {"FilterPolicyScope": "MessageAttributes", "FilterPolicy": {"route": [route]}}
                ),
            }
            for route in self.stack.routes
        }

    def found(self):
        return {name: self._read(arn) for name, arn in self._listed().items()}

    def create(self, name, attributes):
        self.account.client("sns").subscribe(
            TopicArn=self.account.arn("sns", self.stack.topic_of(name.removeprefix(f"{self.stack.name}-"))),
            Protocol="sqs",
            Endpoint=self.account.arn("sqs", name),
            Attributes={key: _as_text(value) for key, value in attributes.items()},
        )

    def change(self, name, attributes):
        for key, value in attributes.items():
            self.account.client("sns").set_subscription_attributes(
                SubscriptionArn=self._arns[name], AttributeName=key, AttributeValue=_as_text(value)
            )

    def delete(self, name):
        unless(MISSING, self.account.client("sns").unsubscribe, SubscriptionArn=self._arns[name])

    def _listed(self):
        """The subscriptions of queues that are named as this stack names them; all others to a topic are left
        alone.
        """
        for topic in (self.stack.name, f"{self.stack.name}-{FEEDBACK}"):
            self._list(self.account.arn("sns", topic))
        return self._arns

    def _list(self, topic_arn):
        sns, prefix, more = self.account.client("sns"), self.account.arn("sqs", f"{self.stack.name}-"), {}
        while answer := unless(MISSING, sns.list_subscriptions_by_topic, TopicArn=topic_arn, **more):
            ours = [each for each in answer["Subscriptions"] if each["Endpoint"].startswith(prefix)]
            self._arns |= {each["Endpoint"].rpartition(":")[2]: each["SubscriptionArn"] for each in ours}
            if not answer.get("NextToken"):
                break
            more = {"NextToken": answer["NextToken"]}

    def _read(self, arn):
        answer = unless(
            MISSING, self.account.client("sns").get_subscription_attributes, SubscriptionArn=arn
        ) or {"Attributes": {}}
        return answer["Attributes"] | {
            "FilterPolicy": json.loads(answer["Attributes"].get("FilterPolicy") or "null")
        }


def _as_text(value):
    return json.dumps(value) if isinstance(value, dict) else value
