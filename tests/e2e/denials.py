"""How AWS says that a call is not allowed, or not possible: each protocol in its own words."""

import json
from html import escape

from moto.core import DEFAULT_ACCOUNT_ID
from werkzeug.wrappers import Response

# https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
AUTHORIZATION_ERROR = (
    '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
    "<Code>AuthorizationError</Code><Message>{}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
)


class Refused(Exception):
    """What the Lambda API answers to a request that it does not take: HTTP status, error code and words."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def refusal(refused):
    """A Refused as the Lambda API says it."""
    body = json.dumps({"Type": "User", "Message": str(refused), "message": str(refused)})
    headers = {"x-amzn-errortype": refused.code}
    return Response(body, status=refused.status, headers=headers, content_type="application/json")


def denial(call, role_name, action, resource):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    text = (
        f"User: arn:aws:sts::{DEFAULT_ACCOUNT_ID}:assumed-role/{role_name}/{call.who} is not "
        f"authorized to perform: {action}"
        f" on resource: {resource} because no identity-based policy allows the {action} action"
    )
    if call.service == "sns":
        return Response(AUTHORIZATION_ERROR.format(escape(text)), status=403, content_type="text/xml")
    # botocore gives SQS's errors the names that they had before SQS spoke JSON, from this header.
    headers = {"x-amzn-errortype": "AccessDeniedException", "x-amzn-query-error": "AccessDenied;Sender"}
    if call.service != "sqs":
        del headers["x-amzn-query-error"]
    body = json.dumps({"__type": "AccessDeniedException", "message": text, "Message": text})
    return Response(body, status=403, headers=headers, content_type="application/x-amz-json-1.1")
