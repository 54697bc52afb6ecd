"""What was changed by hand, by the stack's own plan."""

import boto3

from notifier.deploy.doctor.findings import Severity
from notifier.deploy.stack import Stack, apply

DRIFT = "topic, queues, filters, mappings, roles and alarms"


def loosen_filter():
    sns = boto3.client("sns")
    (topic,) = [
        each["TopicArn"]
        for each in sns.list_topics()["Topics"]
        if each["TopicArn"].endswith(":shop-production")
    ]
    subscription = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue='{"route": ["fax"]}'
    )


def delete_mapping():
    client = boto3.client("lambda")
    mapping = client.list_event_source_mappings()["EventSourceMappings"][0]
    client.delete_event_source_mapping(UUID=mapping["UUID"])


def widen_role():
    iam = boto3.client("iam")
    (policy,) = iam.list_role_policies(RoleName="shop-production-email")["PolicyNames"]
    everything = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    iam.put_role_policy(RoleName="shop-production-email", PolicyName=policy, PolicyDocument=everything)


def delete_alarm():
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=[cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"]])


def test_what_was_changed_by_hand_is_an_error_until_the_stack_is_applied(shop, visit):
    # All in one, as a stack takes seconds to make; each has its own line.
    for number, change in enumerate([loosen_filter, delete_mapping, widen_role, delete_alarm], start=1):
        change()
        found = visit(DRIFT)
        assert len(found) == number, change.__name__
    assert {finding.severity for finding in found} == {Severity.ERROR}
    assert {finding.remedy for finding in found} == {"python manage.py stack apply production"}
    said = "\n".join(finding.what for finding in found)
    assert "was changed (FilterPolicy)" in said
    assert said.count("is missing") == 2

    apply(Stack.of(shop))
    assert visit(DRIFT) == []


def test_what_waits_for_a_function_is_told_by_the_function_alone(account, visit):
    apply(Stack.of(account))
    assert visit(DRIFT) == []
