"""The permissions of each function, named as exactly as AWS allows.

A channel's own calls stand in its own file, as ``PERMISSIONS``.
"""

from notifier.queue.ring import FANOUT
from notifier.queue.subscribers import PROTOCOLS, on_duty_topic

from ..constants import declared
from ..stages import WEB
from .schedule import SWEEP

PUBLISHING = (WEB, FANOUT, SWEEP)
# Lambda needs them on everything:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
NETWORK = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def statements_of(function, account):
    """The statements of a function's policy.

    A channel's ``PERMISSIONS`` are statements in which ``{partition}``, ``{region}``, ``{account}``,
    ``{stack}``, ``{function}`` and ``{sender}`` are filled in; or these by the value of one of the stage's
    variables, of which the first stands for any other value. A stage's ``extra_permissions``, Zappa's own
    key, are taken as they are.
    """
    names = {
        "partition": account.partition,
        "region": account.region,
        "account": account.id,
        "stack": account.stack.name,
        "function": function.name,
        "sender": account.stack.sender,
    }
    own = [_filled_in(each, names) for each in _declared(function)]
    return [
        *_common(function, account),
        *_queue(function, account),
        *own,
        *function.config.get("extra_permissions", []),
    ]


def _declared(function):
    found = declared(function.handler, "PERMISSIONS", [])
    if not isinstance(found, dict):
        return found
    ((variable, by_value),) = found.items()
    default = next(iter(by_value))
    return by_value.get(function.environment.get(variable, default), by_value[default])


def _common(function, account):
    log_group = account.arn("logs", f"log-group:/aws/lambda/{function.name}")
    yield _allow("WriteItsLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group}:*")
    if function.secrets:
        path = function.environment.get("SECRETS_PATH", f"/{account.stack.name}")
        # No kms:Decrypt: the key that Parameter Store has of itself lets everybody in who may read the
        # parameter. https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
        secrets = [account.arn("ssm", f"parameter{path}/{name}") for name in function.secrets]
        yield _allow("ReadItsSecrets", ["ssm:GetParameters"], secrets)
    if function.module in PUBLISHING:
        yield _allow("RingAtTheTopic", ["sns:Publish"], account.arn("sns", account.stack.name))
    if function.module == WEB:
        yield from _subscribers(account)
    if function.module == SWEEP:
        dead_letters = [
            account.arn("sqs", f"{account.stack.name}-{route}-dlq") for route in account.stack.routes
        ]
        yield _allow("CountDeadLetters", ["sqs:GetQueueAttributes"], dead_letters)
    if function.config.get("vpc_config"):
        yield _allow("JoinTheNetwork", NETWORK, "*")
        # That is Lambda's own doing, and comes without this key; what the code calls comes with it:
        # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        own = account.arn("lambda", f"function:{function.name}")
        by_code = {"Effect": "Deny", "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": own}}}
        yield _allow("NotByItsCode", NETWORK, "*") | by_code


def _subscribers(account):
    """The calls of the admin's page of those on duty. What is asked of a subscription, AWS compares with its
    topic: https://docs.aws.amazon.com/service-authorization/latest/reference/list_sns.html
    """
    topic, on_duty = (
        account.arn("sns", name) for name in (account.stack.name, on_duty_topic(account.stack.name))
    )
    yield _allow("ListSubscribers", ["sns:ListSubscriptionsByTopic"], [topic, on_duty])
    yield _allow("ReadTheirFilters", ["sns:GetSubscriptionAttributes"], topic)
    # Mail alone: whoever takes the admin over can have nothing delivered to a server of theirs.
    # https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html#sns-policy-keys
    only_mail = {"Condition": {"StringEquals": {"sns:Protocol": PROTOCOLS[0]}}}
    yield _allow("SubscribeThoseOnDuty", ["sns:Subscribe"], on_duty) | only_mail
    yield _allow("UnsubscribeThem", ["sns:Unsubscribe"], on_duty)


def _queue(function, account):
    """The calls that the event source mapping makes in the function's name, and moving a malformed message
    aside.
    """
    if function.module in account.stack.routes:
        queue = account.arn("sqs", f"{account.stack.name}-{function.module}")
        yield _allow(
            "TakeMessages", ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], queue
        )
        yield _allow("PutMessagesAside", ["sqs:GetQueueUrl", "sqs:SendMessage"], f"{queue}-dlq")


def _allow(sid, actions, resource):
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _filled_in(value, names):
    if isinstance(value, dict):
        return {key: _filled_in(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled_in(each, names) for each in value]
    return value.format_map(names)
