"""The client of the channels behind AWS: a request is made once, and nobody writes it down."""

import logging

from botocore.config import Config
from botocore.exceptions import (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
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
