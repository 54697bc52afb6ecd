"""What AWS's Service Authorization Reference says of the actions that are granted here, as data, and whether
a policy's statement can ever meet it.

Each service has its page, ``…/service-authorization/latest/reference/list_<service>.html``, and the same as
JSON: https://servicereference.us-east-1.amazonaws.com/
"""

import re
from fnmatch import fnmatchcase

OURS = "arn:${Partition}:%s:${Region}:${Account}:%s"
# Type of resource → the form of its name. A phone number is no resource of the reference, and what AWS's own
# refusals name ("not authorized to perform: SNS:Publish on resource: +1…").
FORMS = {
    "topic": OURS % ("sns", "${TopicName}"),
    "phone": "+${Number}",
    "queue": OURS % ("sqs", "${QueueName}"),
    "log-stream": OURS % ("logs", "log-group:${LogGroupName}:log-stream:${LogStreamName}"),
    "parameter": OURS % ("ssm", "parameter/${ParameterNameWithoutLeadingSlash}"),
    "identity": OURS % ("ses", "identity/${IdentityName}"),
    "configuration-set": OURS % ("ses", "configuration-set/${ConfigurationSetName}"),
    "network-interface": OURS % ("ec2", "network-interface/${NetworkInterfaceId}"),
    "subnet": OURS % ("ec2", "subnet/${SubnetId}"),
    "security-group": OURS % ("ec2", "security-group/${SecurityGroupId}"),
    "ConfigurationSet": OURS % ("sms-voice", "configuration-set/${ConfigurationSetName}"),
    "OptOutList": OURS % ("sms-voice", "opt-out-list/${OptOutListName}"),
    "PhoneNumber": OURS % ("sms-voice", "phone-number/${PhoneNumberId}"),
    "Pool": OURS % ("sms-voice", "pool/${PoolId}"),
    "ProtectConfiguration": OURS % ("sms-voice", "protect-configuration/${ProtectConfigurationId}"),
    "SenderId": OURS % ("sms-voice", "sender-id/${SenderId}/${IsoCountryCode}"),
}
# Action → its types of resource, the required ones with a star. Of one without any only "*" is a grant.
TYPES = {
    # list_sns. Subscriptions have no type: AWS compares what is asked of one with its topic. Neither have
    # platform applications and endpoints, though refusals name the application.
    "sns:CheckIfPhoneNumberIsOptedOut": (),
    "sns:CreatePlatformEndpoint": (),
    "sns:DeleteEndpoint": (),
    "sns:GetSubscriptionAttributes": ("topic",),
    "sns:ListSubscriptionsByTopic": ("topic*",),
    # An endpoint has the form of a topic.
    "sns:Publish": ("topic", "phone"),
    "sns:SetEndpointAttributes": (),
    "sns:Subscribe": ("topic*",),
    "sns:Unsubscribe": ("topic",),
    # list_sqs
    "sqs:DeleteMessage": ("queue*",),
    "sqs:GetQueueAttributes": ("queue*",),
    "sqs:GetQueueUrl": ("queue*",),
    "sqs:ReceiveMessage": ("queue*",),
    "sqs:SendMessage": ("queue*",),
    # list_logs
    "logs:CreateLogStream": ("log-stream*",),
    "logs:PutLogEvents": ("log-stream*",),
    # list_ssm
    "ssm:GetParameters": ("parameter*",),
    # list_cloudwatch; its datasets are of OpenTelemetry's metrics, which nothing reads here.
    "cloudwatch:GetMetricData": (),
    # list_ses and list_sesv2
    "ses:GetAccount": (),
    "ses:SendEmail": ("identity*", "configuration-set"),
    "ses:SendRawEmail": ("identity*", "configuration-set"),
    # list_ec2
    "ec2:AssignPrivateIpAddresses": ("network-interface*",),
    "ec2:CreateNetworkInterface": ("network-interface*", "subnet*", "security-group"),
    "ec2:DeleteNetworkInterface": ("network-interface*",),
    "ec2:DescribeNetworkInterfaces": (),
    "ec2:DescribeSubnets": (),
    "ec2:UnassignPrivateIpAddresses": ("network-interface*",),
    # list_pinpoint-sms-voice-v2
    "sms-voice:DescribeOptedOutNumbers": ("OptOutList*",),
    "sms-voice:SendTextMessage": (
        "ConfigurationSet", "PhoneNumber", "Pool", "ProtectConfiguration", "SenderId",
    ),
}  # fmt: skip
# What SNS asks of AWS End User Messaging with its caller's rights when it is about a phone number.
# https://docs.aws.amazon.com/sns/latest/dg/sns-sms-access-management.html and
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSNSFullAccess.html
FORWARDED = {
    "sns:Publish": "sms-voice:SendTextMessage",
    "sns:CheckIfPhoneNumberIsOptedOut": "sms-voice:DescribeOptedOutNumbers",
}
FORWARDED_BY = {"aws:CalledViaLast": "sns.amazonaws.com"}
# One character or more, of which none parts an ARN.
NAME = "\0"


def faults(statements):
    """What AWS would never allow by a policy's ``statements``, although they say so: ``(action, why)``
    pairs.
    """
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    for action in sorted({action for each in allowed for action in each["Action"]}):
        granting = [each for each in allowed if action in each["Action"]]
        if action not in TYPES:
            yield action, "the table does not have it"
            continue
        for pattern in _listed(granting, "Resource"):
            if pattern != "*" and not any(could_be(pattern, kind) for kind in TYPES[action]):
                yield action, f"nothing that it is about is called {pattern}"
        for kind in TYPES[action]:
            if kind.endswith("*") and not any(_covers(each, kind) for each in granting):
                yield action, f"it needs {kind}"


def could_be(pattern, kind):
    """Whether some resource of the ``kind`` has a name that ``pattern`` matches."""
    form = re.sub(r"\$\{\w+\}", NAME, FORMS[kind.rstrip("*")])
    reached, seen = [(0, 0)], set()
    while reached:
        at, of_form = place = reached.pop()
        if place == (len(pattern), len(form)):
            return True
        if place in seen:
            continue
        seen.add(place)
        rest, token = pattern[at : at + 1], form[of_form : of_form + 1]
        if rest == "*":
            reached.append((at + 1, of_form))
        if rest and token and (rest in "*?" or rest == token or token == NAME and rest != ":"):
            after = at if rest == "*" else at + 1
            reached += [(after, of_form + 1)] + [(after, of_form)] * (token == NAME)
    return False


def _covers(statement, kind):
    return any(pattern == "*" or could_be(pattern, kind) for pattern in _listed([statement], "Resource")) or (
        "NotResource" in statement and not fnmatchcase(FORMS[kind.rstrip("*")], statement["NotResource"])
    )


def _listed(statements, element):
    for statement in statements:
        value = statement.get(element, [])
        yield from value if isinstance(value, list) else [value]
