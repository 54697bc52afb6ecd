"""No role is granted what AWS would never compare with a call, and none lacks what a service passes on."""

import json
from pathlib import Path

import pytest

from notifier.channels.registry import channel_names
from notifier.deploy.stack import Stack
from notifier.deploy.stack.resources.permissions import statements_of
from notifier.deploy.stack.stages import read_deployment
from tests.deploy.stack.conftest import account_of
from tests.e2e.authorization import FORWARDED, FORWARDED_BY, could_be, faults
from tests.e2e.policies import allows

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
IN_A_NETWORK = {"vpc_config": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}


def policies(stack):
    return {each.name: statements_of(each, account_of(stack)) for each in stack.functions}


def own_stacks():
    stages = json.loads(Path("zappa_settings.json").read_text())
    webs = [name for name, config in stages.items() if "extends" not in config]
    return [Stack.of(read_deployment(name)) for name in webs]


@pytest.mark.parametrize("described", [{}, IN_A_NETWORK], ids=["plain", "in a network"])
def test_aws_could_match_each_grant_of_each_role(make_stack, described):
    channels = [*channel_names(), "feedback"]
    for stack in [make_stack(channels=channels, **described), *own_stacks()]:
        for name, statements in policies(stack).items():
            assert list(faults(statements)) == [], name


@pytest.mark.parametrize(
    ("driver", "own"),
    [
        ("", {"sns:Publish", *FORWARDED, *FORWARDED.values()}),
        ("nobody", {"sns:Publish", *FORWARDED, *FORWARDED.values()}),  # that is SNS as well
        ("aws", {"sms-voice:SendTextMessage"}),
        ("twilio", set()),
    ],
)
def test_each_driver_of_sms_gets_its_own_calls_and_no_other(make_stack, driver, own):
    variables = {"SECRETS": "SECRET_KEY", "SMS_DRIVER": driver}
    stack = make_stack(channels=["sms"], aws_environment_variables=variables)
    statements = policies(stack)[f"{stack.name}-sms"]
    assert list(faults(statements)) == []
    found = {action for each in statements for action in each["Action"]}
    assert {each for each in found if each.startswith(("sns:", "sms-voice:"))} == own
    policy = [{"Statement": statements}]
    assert allows(policy, "sms-voice:SendTextMessage", "*") is (driver == "aws")


@pytest.mark.parametrize("action", FORWARDED)
def test_what_sns_asks_with_its_callers_rights_is_granted_by_that_way_only(make_stack, action):
    stack = make_stack(channels=["sms", "push", "email"])
    for name, statements in policies(stack).items():
        passed_on = FORWARDED[action], ARN.format("sms-voice", "opt-out-list/Default")
        policy = [{"Statement": statements}]
        asks_of_phones = allows(policy, action, "+12065550123")
        assert allows(policy, *passed_on, FORWARDED_BY) is asks_of_phones, name
        assert not allows(policy, *passed_on)


@pytest.mark.parametrize(
    ("pattern", "kind", "could"),
    [
        ("*", "queue", True),
        (ARN.format("sns", "bell"), "topic", True),
        (ARN.format("sns", "bell:*"), "topic", False),  # a subscription's, which has no type
        (ARN.format("sns", "*"), "topic", True),
        (ARN.format("sns", "endpoint/*"), "topic", True),
        (ARN.format("sqs", "bell"), "topic", False),  # of another service
        (ARN.format("logs", "log-group:/aws/lambda/f:*"), "log-stream", True),
        (ARN.format("logs", "log-group:/aws/lambda/f"), "log-stream", False),  # the group
        (ARN.format("sms-voice", "pool/*"), "Pool", True),
        (ARN.format("sms-voice", "sender-id/*"), "SenderId", True),
        (ARN.format("sms-voice", "sender-id/Shop"), "SenderId", False),  # without its country
        ("arn:aws:sns:*:*:pl?ms", "topic", True),
        ("+1206555????", "phone", True),
        ("", "topic", False),
    ],
)
def test_a_pattern_is_compared_with_the_form_of_a_resource(pattern, kind, could):
    assert could_be(pattern, kind) is could


@pytest.mark.parametrize(
    ("action", "resource", "words"),
    [
        ("sns:SetEndpointAttributes", ARN.format("sns", "endpoint/*"), "nothing that it is about"),
        ("sns:Unsubscribe", ARN.format("sns", "bell:*"), "nothing that it is about"),
        ("ses:SendEmail", ARN.format("ses", "configuration-set/shop"), "it needs identity*"),
        ("sns:SetEndpointAttribute", "*", "the table does not have it"),
    ],
)
def test_a_grant_that_aws_never_matches_is_found(action, resource, words):
    [(found, why)] = faults([{"Effect": "Allow", "Action": [action], "Resource": resource}])
    assert found == action
    assert words in why
