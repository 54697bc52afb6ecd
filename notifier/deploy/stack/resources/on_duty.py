"""The address that ALERT_EMAIL names, subscribed to the topic of those on duty."""

from notifier.queue.subscribers import PROTOCOLS, on_duty_topic

from .kind import Kind, unless

MISSING = ("NotFound", "NotFoundException")


class OnDuty(Kind):
    """Named by the topic, as addresses belong into no log. SNS asks the address whether it wants to be told.

    It stays where ALERT_EMAIL names another: somebody may have added it in the admin. With the topic all
    subscriptions end.
    """

    label = "subscription of ALERT_EMAIL to"

    @property
    def topic(self):
        return on_duty_topic(self.stack.name)

    def wanted(self):
        return {self.topic: {}} if self.stack.alert_address else {}

    def found(self):
        if not self.stack.alert_address:
            return {}
        asked = [each["Endpoint"].casefold() for each in subscriptions(self.account.client("sns"), self._arn)]
        return {self.topic: {}} if self.stack.alert_address.casefold() in asked else {}

    def is_ours(self, name):
        return False

    def create(self, name, attributes):
        self.account.client("sns").subscribe(
            TopicArn=self._arn, Protocol=PROTOCOLS[0], Endpoint=self.stack.alert_address
        )

    @property
    def _arn(self):
        return self.account.arn("sns", self.topic)


def subscriptions(sns, topic_arn):
    """All of the topic's, as SNS lists them; none where there is no such topic."""
    found, more = [], {}
    while answer := unless(MISSING, sns.list_subscriptions_by_topic, TopicArn=topic_arn, **more):
        found += answer["Subscriptions"]
        if not answer.get("NextToken"):
            break
        more = {"NextToken": answer["NextToken"]}
    return found
