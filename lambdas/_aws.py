"""The client of the channels behind AWS: a request is made once, and nobody writes it down."""

import logging
import os
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

import boto3
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

# Whose session it is: on Lambda they stay the same as long as the process.
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_lock = Lock()


def make_client(service, **options):
    """A client of boto3. The first of a session takes 50 ms of work, the others 2: a process has one.
    https://docs.aws.amazon.com/boto3/latest/guide/session.html
    """
    # Clients can be used by several threads, a session cannot.
    with _lock:
        return _session(*map(os.environ.get, CREDENTIALS)).client(service, **options)


@lru_cache(maxsize=1)
def _session(*_credentials):
    return boto3.session.Session()


def single_request_config(connect_seconds, read_seconds):
    """A botocore Config under which no call is ever repeated: sends have no token against doubles."""
    # At DEBUG botocore writes every request down, with the address and the text.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return Config(
        retries={"total_max_attempts": 1}, connect_timeout=connect_seconds, read_timeout=read_seconds
    )


@contextmanager
def aws_errors_as_ours(refusal_of, no_answer, *, who="SNS"):
    """Turn what a client of ``who`` raises into our errors: ``refusal_of(error, no_answer)`` where it
    answered, and ``no_answer`` where nobody knows what became of the call.

    Its own words are left out: they repeat a phone number or a device's token.
    """
    try:
        yield
    except ClientError as error:
        raise refusal_of(error, no_answer) from None
    except NEVER_LEFT as error:
        raise TryAgain("unreachable", type(error).__name__) from None
    except ReadTimeoutError:
        raise no_answer("timeout", f"{who} did not answer in time.") from None
    except BotoCoreError as error:
        raise no_answer("connection_lost", type(error).__name__) from None


def sns_refusal(error, errors, no_answer):
    """Our error for what SNS answered, as ``errors`` (SNS's code → error, reason) says."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    unlisted = (no_answer, "provider_failed") if status >= 500 else (Rejected, "refused")
    ours, reason = errors.get(code, unlisted)
    return ours(reason, f"SNS answered {code}.")
