"""Each function may do what it does, and nothing else."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from notifier.channels.registry import channel_names
from notifier.deploy.stack.constants import declared
from notifier.deploy.stack.resources.permissions import statements_of
from notifier.exceptions import ConfigurationError
from tests.deploy.stack.conftest import SENDER, account_of, make_settings

LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
SECRETS = {"ssm:GetParameters"}
QUEUE = {
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:GetQueueUrl",
    "sqs:SendMessage",
}
# All that each function does, and what Lambda does for it.
ACTIONS = {
    "web": LOG
    | SECRETS
    | {"sns:Publish"}
    # Who is on duty
    | {"sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes", "sns:Subscribe", "sns:Unsubscribe"},
    "fanout": LOG | SECRETS | QUEUE | {"sns:Publish"},
    "sweep": LOG
    | SECRETS
    | {"sns:Publish", "sqs:GetQueueAttributes", "cloudwatch:GetMetricData", "ses:GetAccount"},
    "email": LOG | SECRETS | QUEUE | {"ses:SendEmail", "ses:SendRawEmail"},
    "feedback": LOG | SECRETS | QUEUE,
    "sms": LOG
    | SECRETS
    | QUEUE
    | {"sns:Publish", "sns:CheckIfPhoneNumberIsOptedOut"}
    | {"sms-voice:SendTextMessage", "sms-voice:DescribeOptedOutNumbers"},
    "twitter": LOG | SECRETS | QUEUE,
    "chat": LOG | SECRETS | QUEUE,
    "inbox": LOG | SECRETS | QUEUE,
    "webhook": LOG | SECRETS | QUEUE,
    "push": LOG
    | SECRETS
    | QUEUE
    | {"sns:Publish", "sns:CreatePlatformEndpoint", "sns:SetEndpointAttributes", "sns:DeleteEndpoint"},
}
# Where AWS takes no name: a question about a phone number, and what SNS passes on of it; push endpoints;
# figures of the whole account, and network interfaces.
WITHOUT_RESOURCE = {
    "AskWhoOptedOut",
    "WhatSNSAsksOfEndUserMessaging",
    "KeepEndpointsOfDevices",
    "JoinTheNetwork",
    "NotByItsCode",
    "ReadReputationAndQuota",
}


@pytest.fixture(scope="module")
def stack(make_stack):
    return make_stack(channels=[*channel_names(), "feedback"])


def policy_of(stack, module):
    (function,) = [each for each in stack.functions if each.module == module]
    return statements_of(function, account_of(stack))


def of(stack, service, resource):
    return account_of(stack).arn(service, resource.format(stack.name))


def allows(statements, action, resource, **context):
    """As IAM decides, for what our policies are made of."""

    def matches(statement):
        if action not in statement["Action"]:
            return False
        refused = statement.get("NotResource")
        named = (
            not fnmatchcase(resource, refused)
            if refused
            else any(fnmatchcase(resource, each) for each in listed(statement))
        )
        return named and all(
            context.get(key) in value
            for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
        )

    return any(map(matches, statements))


def listed(statement):
    resource = statement["Resource"]
    return resource if isinstance(resource, list) else [resource]


@pytest.mark.parametrize("module", ["web", "fanout", "sweep", "feedback", *channel_names()])
def test_a_function_has_exactly_its_actions(stack, module):
    statements = policy_of(stack, module)

    assert {action for statement in statements for action in statement["Action"]} == ACTIONS[module]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert len({statement["Sid"] for statement in statements}) == len(statements)


@pytest.mark.parametrize("module", ["web", "fanout", "sweep", "feedback", *channel_names()])
def test_no_action_is_a_wildcard_and_every_resource_is_named(stack, module):
    for statement in policy_of(stack, module):
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Sid"] not in WITHOUT_RESOURCE and "NotResource" not in statement:
            for arn in listed(statement):
                # A function's own log streams, whichever of the account's identities the sender is, and
                # devices.
                assert "*" not in re.sub(r":(\*|identity/\*|endpoint/\*)$", "", arn), arn


@pytest.mark.parametrize(
    ("module", "action", "service", "resource", "allowed"),
    [
        ("web", "sns:Publish", "sns", "{}", True),
        ("web", "sns:Publish", "sns", "{}-feedback", False),
        ("twitter", "sns:Publish", "sns", "{}", False),  # a channel rings nowhere
        ("email", "sqs:ReceiveMessage", "sqs", "{}-email", True),
        ("email", "sqs:ReceiveMessage", "sqs", "{}-sms", False),  # another's queue
        ("email", "sqs:SendMessage", "sqs", "{}-email-dlq", True),
        ("email", "sqs:SendMessage", "sqs", "{}-email", False),  # its own queue: that is the topic's
        ("email", "logs:PutLogEvents", "logs", "log-group:/aws/lambda/{}-email:log-stream:2026/11/21", True),
        ("email", "logs:PutLogEvents", "logs", "log-group:/aws/lambda/{}-sms:log-stream:2026/11/21", False),
        ("email", "ssm:GetParameters", "ssm", "parameter/{}/SECRET_KEY", True),
        # A secret of another function
        ("email", "ssm:GetParameters", "ssm", "parameter/{}/X_ACCESS_TOKEN", False),
        ("sms", "sns:Publish", "sns", "{}", False),  # a topic is no phone
        ("web", "sns:ListSubscriptionsByTopic", "sns", "{}-on-duty", True),
        ("web", "sns:ListSubscriptionsByTopic", "sns", "{}-feedback", False),
        ("web", "sns:GetSubscriptionAttributes", "sns", "{}", True),
        ("web", "sns:Unsubscribe", "sns", "{}-on-duty", True),
        ("web", "sns:Unsubscribe", "sns", "{}", False),  # the queues'
        ("web", "sns:Publish", "sns", "{}-on-duty", False),
        ("email", "sns:ListSubscriptionsByTopic", "sns", "{}-on-duty", False),
        ("sms", "sns:Publish", "sns", "somebody-elses", False),
        ("push", "sns:Publish", "sns", "endpoint/GCM/shop/1", True),
        ("push", "sns:Publish", "sns", "{}", False),  # a topic is no device
        ("push", "ssm:GetParameters", "ssm", "parameter/{}/WEBHOOK_SIGNING_KEYS", False),
    ],
)
def test_what_is_allowed_is_allowed_on_its_own_resource_only(
    stack, module, action, service, resource, allowed
):
    assert allows(policy_of(stack, module), action, of(stack, service, resource)) is allowed


def test_an_sms_goes_to_a_phone_number(stack):
    assert allows(policy_of(stack, "sms"), "sns:Publish", "+12065550123")
    assert allows(policy_of(stack, "sms"), "sns:CheckIfPhoneNumberIsOptedOut", "*")


@pytest.mark.parametrize(
    ("sender", "resource", "allowed"),
    [
        (SENDER, f"identity/{SENDER}", True),
        (SENDER, "identity/example.org", True),  # the domain was verified, not the address
        (SENDER, "configuration-set/{}", True),
        (SENDER, "configuration-set/another", False),
        ("boss@example.org", "identity/example.org", False),
    ],
)
def test_mail_is_sent_as_the_sender_only(stack, sender, resource, allowed):
    statements = policy_of(stack, "email")
    assert (
        allows(statements, "ses:SendRawEmail", of(stack, "ses", resource), **{"ses:FromAddress": sender})
        is allowed
    )


@pytest.mark.parametrize(
    ("protocol", "resource", "allowed"),
    [
        ("email", "{}-on-duty", True),
        ("https", "{}-on-duty", False),  # nothing is delivered to anybody's server
        ("email", "{}", False),  # the rings are nobody's
    ],
)
def test_the_website_subscribes_mail_to_the_topic_of_those_on_duty_only(stack, protocol, resource, allowed):
    statements = policy_of(stack, "web")
    asked = allows(statements, "sns:Subscribe", of(stack, "sns", resource), **{"sns:Protocol": protocol})
    assert asked is allowed


def test_a_function_without_secrets_reads_none(make_stack):
    stack = make_stack(aws_environment_variables={})
    assert not {action for each in policy_of(stack, "web") for action in each["Action"]} & SECRETS


def test_in_a_network_a_function_may_make_its_interfaces(make_stack):
    stack = make_stack(vpc_config={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
    assert "ec2:CreateNetworkInterface" in {
        action for each in policy_of(stack, "email") for action in each["Action"]
    }


def test_only_lambda_makes_them_and_no_code_of_the_function(make_stack):
    stack = make_stack(vpc_config={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
    of_email = {each["Sid"]: each for each in policy_of(stack, "email")}
    denied = of_email["NotByItsCode"]
    assert (denied["Effect"], denied["Action"]) == ("Deny", of_email["JoinTheNetwork"]["Action"])
    # The name that Lambda gives the calls of a function's code, and of no version:
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    ((key, own),) = denied["Condition"]["ArnEquals"].items()
    assert key == "lambda:SourceFunctionArn"
    assert own == account_of(stack).arn("lambda", f"function:{stack.name}-email")
    assert "NotByItsCode" not in {each["Sid"] for each in policy_of(make_stack(), "email")}


def test_a_project_adds_its_own_permissions_by_zappas_key(make_stack):
    own = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::pictures/*"}
    assert own in policy_of(make_stack(extra_permissions=[own]), "web")


def test_the_roles_hold_these_policies_and_trust_lambda_alone(deployed):
    iam = account_of(deployed).client("iam")
    for function in deployed.functions:
        role = iam.get_role(RoleName=function.name)["Role"]
        held = iam.get_role_policy(RoleName=function.name, PolicyName="function")["PolicyDocument"]
        assert held["Statement"] == policy_of(deployed, function.module)
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Principal"], trust["Action"]) == (
            {"Service": "lambda.amazonaws.com"},
            "sts:AssumeRole",
        )
        assert iam.list_role_policies(RoleName=function.name)["PolicyNames"] == ["function"]
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        assert len(json.dumps(held, separators=(",", ":"))) < 10_240


# What a channel's file says about itself.


def test_a_new_channel_states_its_permissions_in_its_own_file(make_stack, tmp_path, monkeypatch):
    permission = {
        "Sid": "Fax",
        "Effect": "Allow",
        "Action": ["fax:Send"],
        "Resource": "arn:{partition}:fax:{region}:{account}:{stack}",
    }
    source = f"import not_installed_here\nPERMISSIONS = [{permission!r}]\nMAXIMUM_CONCURRENCY = 3\n"
    (tmp_path / "fax.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    settings = make_settings("faxes", channels=())
    settings["production_fax"] = {"extends": "production", "lambda_handler": "fax.handler"}

    stack = make_stack(settings=settings)

    (statement,) = [each for each in policy_of(stack, "fax") if each["Sid"] == "Fax"]
    assert statement["Resource"] == "arn:aws:fax:us-east-1:123456789012:faxes-production"
    assert stack.routes["fax"].maximum_concurrency == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("PERMISSIONS = make_permissions()", "PERMISSIONS of odd must be written out"),
        (None, "there is no such module"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, monkeypatch, source, said):
    if source:
        (tmp_path / "odd.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=said):
        declared("odd.handler", "PERMISSIONS", [])
