"""Explains why a check got no answer, and what to do about it. Never quotes the request or the answer."""

from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from notifier.exceptions import ConfigurationError

# AWS's services do not agree on a word: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
}
BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
}
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "Throttled",
    "TooManyRequestsException",
    "RequestLimitExceeded",
}
UNKNOWN = {"NotImplemented", "404", "InvalidAction", "UnknownOperationException", "UnknownOperation"}

SIGN_IN = (
    "Sign in to the account (aws sso login, or AWS_PROFILE, or keys in the environment), then run this again."
)
SILENT = (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError)
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, TokenRetrievalError)


def explain(failure):
    """``(reason, remedy)`` for any exception that a check ended with."""
    if isinstance(failure, ClientError):
        return _explain_refusal(failure)
    if found := _explain_library(failure) or _explain_local(failure):
        return found
    return (
        f"the check itself failed ({type(failure).__name__})",
        "This is a defect of the doctor: please report it.",
    )


def _explain_library(failure):
    """The end of a call by the AWS library, before or without an answer; None for anything else."""
    if isinstance(failure, NO_CREDENTIALS):
        return "there are no AWS credentials here", SIGN_IN
    if isinstance(failure, NoRegionError):
        return (
            "no AWS region is set",
            "Set AWS_DEFAULT_REGION, or a region in your AWS profile, then run this again.",
        )
    if isinstance(failure, SILENT):
        address = urlsplit(failure.kwargs.get("endpoint_url", ""))
        return (
            f"no answer in time from {address.hostname or 'AWS'}",
            "See whether this machine reaches it, then run this again.",
        )
    if isinstance(failure, ResponseParserError):
        return (
            "the answer could not be read",
            "See which service AWS_ENDPOINT_URL names, then run this again.",
        )
    if isinstance(failure, BotoCoreError):
        return (
            f"the AWS library gave up ({type(failure).__name__})",
            "See your AWS configuration: aws configure list",
        )
    return None


def _explain_local(failure):
    """The fault on this machine; None for anything else."""
    if isinstance(failure, OSError):
        return (
            f"{failure.strerror or type(failure).__name__} ({failure.filename})",
            "Run this in the project's folder.",
        )
    if isinstance(failure, ValueError):
        return (
            "the settings file does not hold what it should",
            "Correct zappa_settings.json: python -m json.tool zappa_settings.json",
        )
    if isinstance(failure, ConfigurationError):
        return str(failure).rstrip("."), "Correct that, then run this again."
    return None


def _explain_refusal(failure):
    code, operation = failure.response["Error"]["Code"], failure.operation_name
    if code in DENIED:
        return (
            f"these credentials may not call {operation}",
            f"Allow {operation} to whom `aws sts get-caller-identity` names.",
        )
    if code in BAD_CREDENTIALS:
        return f"AWS does not accept the credentials ({code})", SIGN_IN
    if code in THROTTLED:
        return f"AWS asked to come back later ({operation})", "Run this again in a minute."
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in UNKNOWN or status in (404, 501):
        return (
            f"{operation} is not known where it was asked",
            "Nothing, if that is not AWS itself (AWS_ENDPOINT_URL).",
        )
    return (
        f"{operation} was answered {code}",
        "Look that answer up in the service's API reference, then run this again.",
    )
