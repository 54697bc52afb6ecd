"""The topic that everything goes through, the one where AWS tells what became of a mail or an SMS, and the
one that alarms tell those on duty by.
"""

import json

from notifier.queue.subscribers import on_duty_topic

from .kind import Kind, policy, statement, unless

MISSING = ("NotFound",)


class Topics(Kind):
    label = "topic"
    needs_functions = False

    @property
    def feedback(self):
        return f"{self.stack.name}-feedback"

    @property
    def on_duty(self):
        return on_duty_topic(self.stack.name)

    def wanted(self):
        topics = {
            self.stack.name: {"Policy": policy(self._account_publishes())},
            self.on_duty: {"Policy": policy(self._alarms_publish())},
        }
        if self.stack.feedback_topic:
            texts = [self._sms_publishes()] if self.stack.texts else []
            topics[self.feedback] = {"Policy": policy(self._ses_publishes(), *texts)}
        return topics

    def found(self):
        sns, topics = self.account.client("sns"), {}
        for name in (self.stack.name, self.on_duty, self.feedback):
            if answer := unless(MISSING, sns.get_topic_attributes, TopicArn=self.account.arn("sns", name)):
                topics[name] = {"Policy": json.loads(answer["Attributes"].get("Policy") or "{}")}
        return topics

    def create(self, name, attributes):
        as_text = {key: json.dumps(value) for key, value in attributes.items()}
        self.account.client("sns").create_topic(Name=name, Attributes=as_text, Tags=self.account.tag_list)

    def change(self, name, attributes):
        for key, value in attributes.items():
            self.account.client("sns").set_topic_attributes(
                TopicArn=self.account.arn("sns", name), AttributeName=key, AttributeValue=json.dumps(value)
            )

    def delete(self, name):
        unless(MISSING, self.account.client("sns").delete_topic, TopicArn=self.account.arn("sns", name))

    def _account_publishes(self):
        account = self.account
        return {
            "Sid": "OnlyFromThisAccount",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{account.partition}:iam::{account.id}:root"},
            "Action": "sns:Publish",
            "Resource": account.arn("sns", self.stack.name),
        }

    def _alarms_publish(self):
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"""
        account = self.account
        return statement(
            sid="OnlyFromOurAlarms",
            service="cloudwatch",
            action="sns:Publish",
            resource=account.arn("sns", self.on_duty),
            StringEquals={"aws:SourceAccount": account.id},
            ArnLike={"aws:SourceArn": account.arn("cloudwatch", f"alarm:{self.stack.name}-*")},
        )

    def _ses_publishes(self):
        """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html"""
        account = self.account
        return statement(
            sid="OnlyFromOurMail",
            service="ses",
            action="sns:Publish",
            resource=account.arn("sns", self.feedback),
            StringEquals={
                "aws:SourceAccount": account.id,
                "aws:SourceArn": account.arn("ses", f"configuration-set/{self.stack.name}"),
            },
        )

    def _sms_publishes(self):
        """https://docs.aws.amazon.com/sms-voice/latest/userguide/cross-service-confused-deputy-prevention.html"""
        account = self.account
        return statement(
            sid="OnlyFromOurSms",
            service="sms-voice",
            action="sns:Publish",
            resource=account.arn("sns", self.feedback),
            StringEquals={"aws:SourceAccount": account.id},
        )
