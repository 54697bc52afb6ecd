"""Which IAM actions on which resources a call needs: for the services that the functions use. What an action
is compared with, ``authorization`` says.
"""

import base64
from email import message_from_bytes
from email.utils import parseaddr
from typing import NamedTuple

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from notifier.local.cloud import REGION

from .authorization import FORWARDED, FORWARDED_BY, TYPES

# A batch is allowed by the action for one.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
ONE_FOR_MANY = {
    "PublishBatch": "Publish",
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}


class Needed(NamedTuple):
    """One permission. A resource of "*" is met by "*" only; ``context`` are the call's condition keys."""

    action: str
    resource: str
    context: dict


def needed_permissions(call):
    """Each Needed, all of which the caller must be allowed."""
    name = ONE_FOR_MANY.get(call.operation, call.operation)
    context = _context_of(call)
    return [
        *(
            Needed(action, resource, context)
            for action in _actions(call, name)
            for resource in _resources(action, call)
        ),
        *_forwarded(call, f"{call.service}:{name}"),
    ]


def _resources(action, call):
    return ["*"] if TYPES.get(action) == () else RESOURCES.get(call.service, _no_resource)(call)


def _forwarded(call, action):
    """The permission for what SNS asks another service with the same rights, as to a phone number."""
    if action in FORWARDED and call.parameters.keys() & {"PhoneNumber", "phoneNumber"}:
        asked = FORWARDED[action]
        # Without an origination identity nothing is named; who opted out stands in a list, which has to be.
        is_list = TYPES[asked] == ("OptOutList*",)
        yield Needed(asked, _arn("sms-voice", "opt-out-list/Default") if is_list else "*", FORWARDED_BY)


def _context_of(call):
    """The condition keys of a call: https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html"""
    if call.service == "ses" and call.operation.startswith("Send"):
        return {"ses:FromAddress": _sender(call)}
    # https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html#sns-policy-keys
    return {"sns:Protocol": call.parameters["Protocol"]} if call.operation == "Subscribe" else {}


def _actions(call, name):
    if (call.service, name) == ("ses", "SendEmail") and "Raw" in call.parameters.get("Content", {}):
        # The service's reference names only SendEmail; AWS's own CDK gives both to whoever sends, so both are
        # asked for:
        # https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ses.EmailIdentity.html#grantwbrsendwbremailgrantee
        return ["ses:SendEmail", "ses:SendRawEmail"]
    return [f"{call.service}:{name}"]


def _no_resource(call):
    return ["*"]


def _arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{DEFAULT_ACCOUNT_ID}:{resource}"


def _of_sns(call):
    if "SubscriptionArn" in call.parameters:
        # AWS's refusals name its topic: "… to perform: SNS:Unsubscribe on resource: arn:aws:sns:…:topic".
        return [":".join(call.parameters["SubscriptionArn"].split(":")[:6])]
    # A message to a phone number has the number for a resource, which no ARN pattern matches.
    named = ("TopicArn", "TargetArn", "ResourceArn", "PhoneNumber")
    return [next((call.parameters[key] for key in named if key in call.parameters), "*")]


def _of_sqs(call):
    name = call.parameters.get("QueueName") or call.parameters.get("QueueUrl", "").rpartition("/")[2]
    return [_arn("sqs", name)] if name else ["*"]


def _of_ssm(call):
    names = [call.parameters.get("Name") or call.parameters.get("Path") or "*"]
    return [_arn("ssm", "parameter/" + name.strip("/")) for name in call.parameters.get("Names", names)]


def _of_logs(call):
    group = call.parameters.get("logGroupName")
    stream = call.parameters.get("logStreamName", "")
    return [_arn("logs", f"log-group:{group}:log-stream:{stream}")] if group else ["*"]


def _of_sms_voice(call):
    """The set and the sender that a message names; one by its number, or none, has no ARN."""
    kept, sender = (call.parameters.get(name, "") for name in ("ConfigurationSetName", "OriginationIdentity"))
    kind = {"pool": "pool", "phone": "phone-number"}.get(sender.partition("-")[0])
    named = _arn("sms-voice", f"{kind}/{sender}") if kind else sender if sender.startswith("arn:") else "*"
    return [_arn("sms-voice", f"configuration-set/{kept}"), named] if kept else [named]


def _of_ses(call):
    if not call.operation.startswith("Send"):
        return ["*"]
    sender = _sender(call)
    configuration = call.parameters.get("ConfigurationSetName")
    resources = [_arn("ses", f"identity/{_identity_of(sender)}")]
    return resources + ([_arn("ses", f"configuration-set/{configuration}")] if configuration else [])


def _sender(call):
    return parseaddr(call.parameters.get("FromEmailAddress") or _raw_sender(call.parameters))[1]


def _raw_sender(parameters):
    raw = parameters.get("Content", {}).get("Raw", {}).get("Data", "")
    return message_from_bytes(base64.b64decode(raw)).get("From", "")


def _identity_of(sender):
    """SES sends for the address if that is an identity of the account, else for its domain."""
    known = ses_backends[DEFAULT_ACCOUNT_ID][REGION].email_identities
    return sender if sender in known else sender.rpartition("@")[2]


RESOURCES = {
    "sns": _of_sns,
    "sqs": _of_sqs,
    "ssm": _of_ssm,
    "logs": _of_logs,
    "ses": _of_ses,
    "sms-voice": _of_sms_voice,
}
