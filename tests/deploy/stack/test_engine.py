"""What is planned is done, what is done is not planned again, and what is deleted is gone."""

import io
import json
from dataclasses import replace
from functools import cache

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from notifier.channels.registry import channel_names
from notifier.deploy.stack import Change, RouteSettings, Stack
from notifier.deploy.stack.resources import KINDS
from notifier.deploy.stack.resources.bucket import Bucket
from notifier.exceptions import ConfigurationError
from tests.deploy.stack.conftest import (
    SENDER,
    account_of,
    apply,
    deploy,
    destroy,
    make_settings,
    plan,
    shared_session,
    undeploy,
)
from tests.support.sizes import full_or


@cache
def client(service):
    return shared_session().client(service)


def lines(changes):
    return [f"{change.action} {change.resource}" for change in changes]


def resources(stack):
    """``(label, name)`` of everything that the stack declares."""
    return [
        (kind.label, name) for kind in (each(account_of(stack)) for each in KINDS) for name in kind.wanted()
    ]


def listed(service, operation, key, name=None):
    """What a list holds, page by page: many tests share the account."""
    pages = client(service).get_paginator(operation).paginate()
    return [each[name] if name else each for page in pages for each in page.get(key, ())]


def everything(word):
    """Names of all that the local AWS holds and that ``word`` is part of."""
    found = [
        *listed("sns", "list_topics", "Topics", "TopicArn"),
        *listed("sns", "list_subscriptions", "Subscriptions", "Endpoint"),
        *listed("sqs", "list_queues", "QueueUrls"),
        *listed("iam", "list_roles", "Roles", "Arn"),
        *listed("logs", "describe_log_groups", "logGroups", "logGroupName"),
        *(each["Name"] for each in client("s3").list_buckets()["Buckets"]),
        *listed("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        *listed("events", "list_rules", "Rules", "Name"),
        *listed("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
        *client("sesv2").list_configuration_sets()["ConfigurationSets"],
        *(each["IdentityName"] for each in client("sesv2").list_email_identities()["EmailIdentities"]),
    ]
    return [name for name in found if word in name]


# Planning and applying.


def test_a_plan_on_an_empty_account_writes_nothing_and_names_everything(stack, recorded):
    session, writes = recorded

    planned = plan(stack, session)

    assert writes == []
    assert [change.resource for change in planned if change.resource != f"SES identity {SENDER}"] == [
        f"{label} {name}" for label, name in resources(stack) if name != SENDER
    ]
    assert everything(stack.name) == []


def test_what_is_planned_is_what_is_done(stack):
    planned = plan(stack)

    assert apply(stack).changes == planned


def test_what_needs_a_function_waits_for_it(stack):
    applied = apply(stack)

    waiting = [
        f"wait alarm {stack.name}-sweep-silent",
        f"wait schedule {stack.name}-sweep",
        f"wait permission to call {stack.name}-sweep",
        f"wait asynchronous calls of {stack.name}-sweep",
        f"wait event source mapping {stack.name}-fanout",
        f"wait event source mapping {stack.name}-email",
        f"wait event source mapping {stack.name}-sms",
    ]
    assert lines(plan(stack)) == waiting

    deploy(stack, applied, only=("email",))
    assert lines(apply(stack).changes) == [
        line.replace("wait", "create") if line.endswith("-email") else line for line in waiting
    ]


def test_with_its_functions_nothing_is_left_to_do(long_lived, recorded):
    session, writes = recorded

    again = apply(long_lived, session)

    assert (again.changes, writes) == ([], [])
    assert again == apply(long_lived)


def test_however_often_it_is_applied_there_is_one_permission(long_lived):
    for _ in range(3):
        apply(long_lived)

    policy = json.loads(client("lambda").get_policy(FunctionName=f"{long_lived.name}-sweep")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"].endswith(f":rule/{long_lived.name}-sweep")


def test_a_function_that_was_undeployed_and_came_back_is_connected_again(deployed):
    undeploy(deployed)
    deploy(deployed, apply(deployed))

    apply(deployed)

    assert plan(deployed) == []


def test_the_applied_stack_tells_what_a_deploy_needs(long_lived):
    applied, account = apply(long_lived), account_of(long_lived)

    roles = {
        function.name: f"arn:aws:iam::{account.id}:role/{long_lived.name}/{function.name}"
        for function in long_lived.functions
    }
    assert applied.role_arns == roles
    assert applied.topic_arn == f"arn:aws:sns:{account.region}:{account.id}:{long_lived.name}"
    assert applied.bucket == f"{long_lived.name}-packages-{account.id}-{account.region}"
    assert applied.configuration_set == long_lived.name
    assert sorted(applied.queues) == ["email", "fanout", "sms"]


# Drift.


def edit_queue(stack, *, route="email", **attributes):
    sqs = client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=f"{stack.name}-{route}")["QueueUrl"], Attributes=attributes
    )


def edit_topic(stack, name, **attributes):
    arn = account_of(stack).arn("sns", name)
    for key, value in attributes.items():
        client("sns").set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)


def edit_subscription(stack, **attributes):
    sns = client("sns")
    listed = sns.list_subscriptions_by_topic(TopicArn=account_of(stack).arn("sns", stack.name))[
        "Subscriptions"
    ]
    (arn,) = [each["SubscriptionArn"] for each in listed if each["Endpoint"].endswith("-email")]
    for key, value in attributes.items():
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=key, AttributeValue=value)


def edit_mapping(stack, **arguments):
    functions = client("lambda")
    listed = functions.list_event_source_mappings(
        EventSourceArn=account_of(stack).arn("sqs", f"{stack.name}-email")
    )
    functions.update_event_source_mapping(UUID=listed["EventSourceMappings"][0]["UUID"], **arguments)


def edit_destination(stack, **changed):
    described = {
        "Enabled": True,
        "MatchingEventTypes": ["BOUNCE"],
        "SnsDestination": {"TopicArn": feedback_arn(stack)},
    } | changed
    client("sesv2").update_configuration_set_event_destination(
        ConfigurationSetName=stack.name,
        EventDestinationName=f"{stack.name}-feedback",
        EventDestination=described,
    )


def feedback_arn(stack):
    return account_of(stack).arn("sns", f"{stack.name}-feedback")


def edit_alarm(stack, **changed):
    cloudwatch, name = client("cloudwatch"), f"{stack.name}-email-given-up"
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    kept = (
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "Threshold",
        "ComparisonOperator",
        "AlarmActions",
    )
    cloudwatch.put_metric_alarm(AlarmName=name, **{key: found[key] for key in kept} | changed)


def edit_rule(stack, **changed):
    client("events").put_rule(
        Name=f"{stack.name}-sweep", **{"ScheduleExpression": "rate(1 minute)"} | changed
    )


def aim_rule(stack, id_):
    target = {"Id": id_, "Arn": account_of(stack).arn("lambda", f"function:{stack.name}-email")}
    client("events").put_targets(Rule=f"{stack.name}-sweep", Targets=[target])


def edit_permission(stack):
    functions, name = client("lambda"), f"{stack.name}-sweep"
    functions.remove_permission(FunctionName=name, StatementId="schedule")
    functions.add_permission(
        FunctionName=name,
        StatementId="schedule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )


def call_late(stack, **arguments):
    client("lambda").put_function_event_invoke_config(
        FunctionName=f"{stack.name}-sweep",
        **{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60} | arguments,
    )


def call_role(stack, operation, **arguments):
    getattr(client("iam"), operation)(RoleName=f"{stack.name}-email", **arguments)


def attach_to_role(stack):
    policy = client("iam").create_policy(
        PolicyName=f"{stack.name}-more", PolicyDocument=json.dumps(ANYTHING)
    )["Policy"]
    call_role(stack, "attach_role_policy", PolicyArn=policy["Arn"])


def call_bucket(stack, operation, **arguments):
    getattr(client("s3"), operation)(Bucket=Bucket.name_in(account_of(stack)), **arguments)


ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ANYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish"}]}
)
TRUSTED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
MONTH = {
    "Rules": [{"ID": "packages", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}]
}
OPEN = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
)


def open_to_everybody(stack):
    """As Zappa makes it: no condition, so that anybody may invoke the function with Python of their own."""
    named = {"FunctionName": stack.name, "StatementId": "FunctionURLAllowPublicAccessInvoke"}
    client("lambda").remove_permission(**named)
    client("lambda").add_permission(**named, Action="lambda:InvokeFunction", Principal="*")


# What a person, or another tool, may have changed, and the attribute in which it shows.
EDITS = [
    # First: SES takes no topic that it may not publish to, which the next row but one sees to.
    ("SES event destination {}-feedback", "Events", edit_destination),
    ("SES event destination {}-feedback", "Enabled", lambda stack: edit_destination(stack, Enabled=False)),
    ("topic {}", "Policy", lambda stack: edit_topic(stack, stack.name, Policy=ANYBODY)),
    ("topic {}-feedback", "Policy", lambda stack: edit_topic(stack, f"{stack.name}-feedback",
     Policy=ANYBODY)),
    ("topic {}-on-duty", "Policy", lambda stack: edit_topic(stack, f"{stack.name}-on-duty", Policy=ANYBODY)),
    ("queue {}-email", "VisibilityTimeout", lambda stack: edit_queue(stack, VisibilityTimeout="1")),
    ("queue {}-email", "RedrivePolicy", lambda stack: edit_queue(stack, RedrivePolicy="")),
    ("queue {}-email", "Policy", lambda stack: edit_queue(stack, Policy="")),
    ("queue {}-email-dlq", "MessageRetentionPeriod", lambda stack: edit_queue(stack, route="email-dlq",
     MessageRetentionPeriod="60")),
    ("subscription {}-email", "FilterPolicy", lambda stack: edit_subscription(stack,
     FilterPolicy='{"route": ["sms"]}')),
    ("subscription {}-email", "RawMessageDelivery", lambda stack: edit_subscription(stack,
     RawMessageDelivery="false")),
    ("log group /aws/lambda/{}-email", "retentionInDays", lambda stack: client("logs").put_retention_policy(
        logGroupName=f"/aws/lambda/{stack.name}-email", retentionInDays=1)),
    ("log group /aws/lambda/{}-email", "retentionInDays",
     lambda stack: client("logs").delete_retention_policy(
        logGroupName=f"/aws/lambda/{stack.name}-email")),
    ("role {}-email", "Trust", lambda stack: call_role(stack, "update_assume_role_policy",
     PolicyDocument=TRUSTED)),
    ("role {}-email", "Policy", lambda stack: call_role(
        stack, "put_role_policy", PolicyName="function", PolicyDocument=json.dumps(ANYTHING))),
    ("role {}-email", "Policy", lambda stack: call_role(stack, "delete_role_policy", PolicyName="function")),
    ("role {}-email", "OtherPolicies", lambda stack: call_role(
        stack, "put_role_policy", PolicyName="more", PolicyDocument=json.dumps(ANYTHING))),
    ("role {}-email", "OtherPolicies", attach_to_role),
    ("bucket {}-packages-123456789012-us-east-1", "PublicAccessBlock", lambda stack: call_bucket(
        stack, "put_public_access_block", PublicAccessBlockConfiguration=OPEN)),
    ("bucket {}-packages-123456789012-us-east-1", "PublicAccessBlock", lambda stack: call_bucket(stack,
     "delete_public_access_block")),
    ("bucket {}-packages-123456789012-us-east-1", "Lifecycle", lambda stack: call_bucket(
        stack, "put_bucket_lifecycle_configuration", LifecycleConfiguration=MONTH)),
    ("bucket {}-packages-123456789012-us-east-1", "Lifecycle", lambda stack: call_bucket(stack,
     "delete_bucket_lifecycle")),
    ("alarm {}-email-given-up", "Threshold", lambda stack: edit_alarm(stack, Threshold=99.0)),
    ("alarm {}-email-given-up", "MetricName", lambda stack: edit_alarm(stack,
     MetricName="NumberOfMessagesSent")),
    ("alarm {}-email-given-up", "TellsSomebody", lambda stack: edit_alarm(stack, AlarmActions=[])),
    ("alarm {}-email-given-up", "Period", lambda stack: edit_alarm(stack, Period=300)),
    ("alarm {}-email-given-up", "TreatMissingData", lambda stack: edit_alarm(stack,
     TreatMissingData="breaching")),
    ("schedule {}-sweep", "ScheduleExpression", lambda stack: edit_rule(stack,
     ScheduleExpression="rate(1 day)")),
    ("schedule {}-sweep", "State", lambda stack: edit_rule(stack, State="DISABLED")),
    ("schedule {}-sweep", "Targets", lambda stack: aim_rule(stack, "sweep")),
    ("schedule {}-sweep", "Targets", lambda stack: aim_rule(stack, "another")),
    ("permission to call {}-sweep", "Condition", edit_permission),
    ("asynchronous calls of {}-sweep", "MaximumRetryAttempts", lambda stack: call_late(stack,
     MaximumRetryAttempts=2)),
    ("asynchronous calls of {}-sweep", "MaximumEventAgeInSeconds", lambda stack: call_late(stack,
     MaximumEventAgeInSeconds=21600)),
    ("public access to {}", "only through its URL", open_to_everybody),
    ("event source mapping {}-email", "State", lambda stack: edit_mapping(stack, Enabled=False)),
    ("event source mapping {}-email", "BatchSize", lambda stack: edit_mapping(stack, BatchSize=10)),
    ("event source mapping {}-email", "FunctionResponseTypes", lambda stack: edit_mapping(stack,
     FunctionResponseTypes=[])),
    ("event source mapping {}-email", "ScalingConfig", lambda stack: edit_mapping(stack,
     ScalingConfig={"MaximumConcurrency": 999})),
    ("event source mapping {}-email", "MaximumBatchingWindowInSeconds", lambda stack: edit_mapping(
        stack, MaximumBatchingWindowInSeconds=300)),
    ("event source mapping {}-email", "FunctionArn", lambda stack: edit_mapping(stack,
     FunctionName=f"{stack.name}-sms")),
]  # fmt: skip


def rounds(edits):
    """The rows in rounds, of which none has a resource twice: what costs time is to look at everything, not
    how much is found.
    """
    found = []
    for row in edits:
        for taken in found:
            if all(row[0] != other[0] for other in taken):
                taken.append(row)
                break
        else:
            found.append([row])
    return found


@pytest.mark.parametrize("edits", rounds(EDITS))
def test_what_was_changed_by_hand_is_found_and_put_right(long_lived, edits):
    for _, _, edit in edits:
        edit(long_lived)

    found = plan(long_lived)
    assert {(each.resource, each.action) for each in found} == {
        (row[0].format(long_lived.name), "change") for row in edits
    }
    differences = {each.resource: each.differences for each in found}
    for resource, attribute, _ in edits:
        assert attribute in differences[resource.format(long_lived.name)]

    assert apply(long_lived).changes == found
    assert plan(long_lived) == []


def test_every_attribute_that_is_declared_has_its_row_above(long_lived):
    """The table would say nothing about a kind that is added later."""
    rows = {(resource.split(" {}")[0].split(" /")[0], attribute) for resource, attribute, _ in EDITS}
    kinds = [each(account_of(long_lived)) for each in KINDS]
    declared = {
        (kind.label, key) for kind in kinds for attributes in kind.wanted().values() for key in attributes
    }
    same_call = {
        ("alarm", key)
        for key in (
            "Namespace",
            "Dimensions",
            "Statistic",
            "ExtendedStatistic",
            "EvaluationPeriods",
            "ComparisonOperator",
        )
    }
    cannot_change = {("subscription", "FilterPolicyScope"), ("SES event destination", "TopicArn")}
    statement = {("permission to call", key) for key in ("Sid", "Effect", "Principal", "Action", "Resource")}
    assert declared - rows == same_call | cannot_change | statement


# Every second kind at a time, so that what is missing stands beside what needs it, or is needed by it.
HALVES = {"the first, third, …": KINDS[::2], "the second, fourth, …": KINDS[1::2]}


def delete_by_hand(stack, kinds):
    """Delete all of these kinds; returns what should come back, as lines of a plan."""
    gone = []
    for kind in [each(account_of(stack)) for each in kinds]:
        there = kind.found()
        names = [name for name in kind.wanted() if name != SENDER and name in there]
        for name in names:
            kind.delete(name)
        gone += [f"create {kind.label} {name}" for name in names]
    return gone


@pytest.mark.parametrize("kinds", HALVES.values(), ids=HALVES)
def test_whatever_was_deleted_by_hand_comes_back(long_lived, kinds):
    gone = delete_by_hand(long_lived, kinds)

    assert set(gone) <= set(lines(plan(long_lived)))

    apply(long_lived)
    assert plan(long_lived) == []


def test_a_permission_that_was_changed_is_replaced_and_not_joined_by_another(long_lived):
    edit_permission(long_lived)

    apply(long_lived)

    policy = json.loads(client("lambda").get_policy(FunctionName=f"{long_lived.name}-sweep")["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["schedule"]


def test_what_may_not_be_asked_is_an_error_and_not_something_missing(stack):
    session = boto3.session.Session()
    refusal = AWSResponse("http://localhost", 403, {}, io.BytesIO(b""))
    refusal._content = (
        b"<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>"
    )
    session.events.register("before-send.sns.GetTopicAttributes", lambda **_: refusal)

    with pytest.raises(ClientError, match="AuthorizationError"):
        plan(stack, session)


def test_alarms_tell_those_on_duty_where_nobody_has_chosen_otherwise(long_lived):
    on_duty = [account_of(long_lived).arn("sns", f"{long_lived.name}-on-duty")]

    def told():
        found = client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{long_lived.name}-")["MetricAlarms"]
        return [each["AlarmActions"] for each in found]

    edit_alarm(long_lived, AlarmActions=[])
    assert [] in told()
    apply(long_lived)
    assert told() == [on_duty] * len(told())


def test_who_is_told_about_an_alarm_stays_a_persons_choice(long_lived):
    edit_alarm(long_lived, Threshold=99.0, AlarmActions=[feedback_arn(long_lived)])

    apply(long_lived)

    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[f"{long_lived.name}-email-given-up"])[
        "MetricAlarms"
    ]
    assert (alarm["Threshold"], alarm["AlarmActions"]) == (0.0, [feedback_arn(long_lived)])


# Less than before, and nothing.


def test_a_stage_that_is_gone_takes_its_resources_along_and_no_others(deployed, make_stack):
    project = deployed.name.removesuffix("-production")
    smaller = make_stack(project, channels=("email",))
    client("lambda").delete_function(FunctionName=f"{deployed.name}-sms")
    others = [name for name in everything(deployed.name) if "-sms" not in name]

    changes = lines(apply(smaller).changes)

    assert sorted(changes) == [
        f"change role {deployed.name}-sweep",  # which may ask that dead-letter queue how deep it is
        f"delete alarm {deployed.name}-sms-errors",
        f"delete alarm {deployed.name}-sms-given-up",
        f"delete alarm {deployed.name}-sms-not-taken",
        f"delete alarm {deployed.name}-sms-throttled",
        f"delete event source mapping {deployed.name}-sms",
        f"delete log group /aws/lambda/{deployed.name}-sms",
        f"delete queue {deployed.name}-sms",
        f"delete queue {deployed.name}-sms-dlq",
        f"delete role {deployed.name}-sms",
        f"delete subscription {deployed.name}-sms",
    ]
    assert everything(deployed.name) == others
    assert plan(smaller) == []


def test_a_function_whose_stage_is_gone_keeps_its_queue_and_its_role_until_it_is_undeployed(
    deployed, make_stack
):
    before = everything(deployed.name)
    with pytest.raises(
        ConfigurationError, match=f"{deployed.name}-sms is deployed, and .* Put the stage back"
    ):
        apply(make_stack(deployed.name.removesuffix("-production"), channels=("email",)))
    assert everything(deployed.name) == before


@pytest.mark.parametrize(
    ("name", "bucket"),
    [
        ("shop-production", "shop-production-packages-123456789012-us-east-1"),
        ("a" * 31, "a" * 31 + "-packages-123456789012-us-east-1"),  # as long as may be
        ("a" * 32, "a" * 22 + "-cab11777-packages-123456789012-us-east-1"),
    ],
)
def test_the_buckets_name_is_one_that_s3_takes(cloud, name, bucket):
    assert Bucket.name_in(account_of(Stack(name=name))) == bucket
    assert len(bucket) <= 63


def test_destroying_leaves_nothing_and_twice_is_harmless(deployed):
    s3, bucket = client("s3"), Bucket.name_in(account_of(deployed))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="package.zip", Body=b"a package that an interrupted deploy left")
    s3.delete_object(Bucket=bucket, Key="package.zip")
    assert len(everything(deployed.name)) > 30

    deleted = destroy(deployed)

    assert everything(deployed.name) == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client("lambda").get_policy(FunctionName=f"{deployed.name}-sweep")
    assert {change.action for change in deleted} == {"delete"}
    assert destroy(deployed) == []


@pytest.mark.parametrize("kinds", HALVES.values(), ids=HALVES)
def test_what_is_only_half_there_can_be_destroyed(deployed, kinds):
    assert delete_by_hand(deployed, kinds)

    destroy(deployed)

    assert everything(deployed.name) == []


def test_destroying_finds_what_the_settings_file_no_longer_names(deployed, make_stack):
    destroy(make_stack(deployed.name.removesuffix("-production"), channels=()))

    assert everything(deployed.name) == []


def test_a_dry_run_deletes_nothing(deployed, recorded):
    session, writes = recorded

    doomed = destroy(deployed, session, dry_run=True)

    assert writes == []
    assert lines(doomed) == lines(destroy(deployed))


def test_a_senders_identity_stays_as_another_environment_may_send_by_it(make_stack):
    shared = "shared@example.org"
    production, staging = replace(make_stack(), sender=shared), replace(make_stack(), sender=shared)
    apply(staging)
    apply(production)
    destroy(staging)

    assert shared in [
        each["IdentityName"] for each in client("sesv2").list_email_identities()["EmailIdentities"]
    ]
    assert plan(production) == [change for change in plan(production) if change.action == "wait"]


def test_two_environments_in_one_account_do_not_touch_each_other(deployed, make_stack):
    project = deployed.name.removesuffix("-production")
    # The second's name begins like the first's.
    for environment in full_or(["production_eu"], full=["staging", "production_eu"]):
        before = everything(deployed.name + "-") if environment == "staging" else None
        other = make_stack(settings=make_settings(project, environment))
        deploy(other, apply(other))
        apply(other)
        assert plan(deployed) == []
        assert plan(other) == []
        destroy(other)
        assert plan(deployed) == []
        assert before in (None, everything(deployed.name + "-"))
    other = make_stack(settings=make_settings(project, "production_asia"))
    apply(other)
    destroy(deployed)
    assert {change.action for change in plan(other)} == {"wait"}


# What a route and a function say about themselves.


def test_every_channel_has_its_concurrency_from_its_own_file(make_stack):
    stack = make_stack(channels=channel_names())

    found = {route: settings.maximum_concurrency for route, settings in stack.routes.items()}
    lower = {
        route: number for route, number in found.items() if number != RouteSettings().maximum_concurrency
    }
    assert lower == {"twitter": 2, "chat": 2, "inbox": 4}
    # A small database of RDS takes about 80 connections, and the website needs some: docs/deploy.md.
    assert sum(found.values()) <= 60


def test_a_slower_function_has_a_queue_that_waits_longer(make_stack):
    settings = make_settings("shop")
    settings["production_email"]["timeout_seconds"] = 120

    routes = make_stack(settings=settings).routes

    assert routes["email"].visibility_timeout_seconds == 6 * 120
    assert routes["sms"].visibility_timeout_seconds == 6 * 60


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (Change(resource="topic shop", action="create"), "+ create topic shop"),
        (Change(resource="topic shop", action="delete"), "- delete topic shop"),
        (
            Change(resource="schedule shop", action="wait"),
            "… wait schedule shop (its function is not deployed)",
        ),
        (
            Change(
                resource="queue shop",
                action="change",
                differences={"VisibilityTimeout": ("1", "360"), "Policy": (None, {"a": 1})},
            ),
            '~ change queue shop: VisibilityTimeout is "1", should be "360"; Policy is not '
            'set, should be {"a": 1}',
        ),
        # A policy in full is more than a person reads.
        (
            Change(resource="queue shop", action="change", differences={"Policy": ({"a": "b" * 99}, {})}),
            "~ change queue shop: Policy differs",
        ),
    ],
)
def test_a_change_is_a_line_for_the_terminal(change, line):
    assert str(change) == line
