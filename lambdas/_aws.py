"""What the channels behind AWS share: a request is made once, and nobody writes it down. Next hop: boto3."""

import logging

from botocore.config import Config
from botocore.exceptions import (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)

# Errors after which the request is known not to have left, so that it can be made again.
NEVER_LEFT = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
    NoCredentialsError,
    CredentialRetrievalError,
)


def single_request_config(connect_seconds, read_seconds):
    """A botocore Config under which no call is ever repeated: sends have no token against doubles."""
    # At DEBUG botocore writes every request down, with the address and the text.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return Config(retries={"total_max_attempts": 1}, connect_timeout=connect_seconds, read_timeout=read_seconds)
