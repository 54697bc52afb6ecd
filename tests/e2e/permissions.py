"""Which IAM actions on which resources a call needs: for the services that the functions use.

Per service:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import base64
from email import message_from_bytes
from email.utils import parseaddr

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from notifier.local.cloud import REGION

# A batch is allowed by the action for one.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
ONE_FOR_MANY = {
    "PublishBatch": "Publish",
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}


def needed_permissions(call):
    """``(action, resource)`` pairs, all of which the caller must be allowed.

    A resource of "*" is met by "*" only.
    """
    name = ONE_FOR_MANY.get(call.operation, call.operation)
    resources = RESOURCES.get(call.service, _no_resource)(call)
    return [(action, resource) for action in _actions(call, name) for resource in resources]


def context_of(call):
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
    named = (
        "TopicArn",
        "TargetArn",
        "SubscriptionArn",
        "ResourceArn",
        "PlatformApplicationArn",
        "EndpointArn",
    )
    # A message to a phone number has the number for a resource, which no ARN pattern matches.
    return [next((call.parameters[key] for key in (*named, "PhoneNumber") if key in call.parameters), "*")]


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


RESOURCES = {"sns": _of_sns, "sqs": _of_sqs, "ssm": _of_ssm, "logs": _of_logs, "ses": _of_ses}
