"""The client of the channels behind AWS: a request is made once, and nobody writes it down."""

import logging
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
)

from notifier.exceptions import Rejected, TryAgain

# Errors after which the request is known not to have left, so that it can be made again.
NEVER_LEFT = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
    NoCredentialsError,
    CredentialRetrievalError,
)
# What SNS answers, whichever channel asks it; it uses two families of names.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and .../CommonErrors.html
SNS_ERRORS = {
    "InvalidParameter": (Rejected, "refused"),
    "InvalidParameterValue": (Rejected, "refused"),
    "ValidationException": (Rejected, "refused"),
    "AuthorizationError": (Rejected, "unauthorized"),
    "AccessDenied": (Rejected, "unauthorized"),
    "AccessDeniedException": (Rejected, "unauthorized"),
    "InvalidClientTokenId": (Rejected, "unauthorized"),
    "SignatureDoesNotMatch": (Rejected, "unauthorized"),
    "ExpiredToken": (TryAgain, "credentials_expired"),
    "Throttled": (TryAgain, "throttled"),
    "Throttling": (TryAgain, "throttled"),
    "ThrottlingException": (TryAgain, "throttled"),
    "RequestLimitExceeded": (TryAgain, "throttled"),
    "TooManyRequestsException": (TryAgain, "throttled"),
}


def single_request_config(connect_seconds, read_seconds):
    """A botocore Config under which no call is ever repeated: sends have no token against doubles."""
    # At DEBUG botocore writes every request down, with the address and the text.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return Config(
        retries={"total_max_attempts": 1}, connect_timeout=connect_seconds, read_timeout=read_seconds
    )


@contextmanager
def sns_errors_as_ours(refusal_of, no_answer):
    """Turn what SNS's client raises into our errors: ``refusal_of(error, no_answer)`` where SNS answered, and
    ``no_answer`` where nobody knows what became of the call.

    SNS's own words are left out: they repeat a phone number or a device's token.
    """
    try:
        yield
    except ClientError as error:
        raise refusal_of(error, no_answer) from None
    except NEVER_LEFT as error:
        raise TryAgain("unreachable", type(error).__name__) from None
    except ReadTimeoutError:
        raise no_answer("timeout", "SNS did not answer in time.") from None
    except BotoCoreError as error:
        raise no_answer("connection_lost", type(error).__name__) from None


def sns_refusal(error, errors, no_answer):
    """Our error for what SNS answered, as ``errors`` (SNS's code → error, reason) says."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    unlisted = (no_answer, "provider_failed") if status >= 500 else (Rejected, "refused")
    ours, reason = errors.get(code, unlisted)
    return ours(reason, f"SNS answered {code}.")
