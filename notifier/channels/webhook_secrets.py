"""The secrets that webhooks are signed with. Called by ``lambdas.webhook``, and by ``notify webhook-secret``,
which tells a receiver's.

Note [no secret is stored]: an endpoint's secret is made from its URL and a signing key of the environment, so
the database, its backups and the admin hold none, an endpoint needs no row of its own, and who has one
endpoint's secret can sign for no other.
"""

import base64
import hashlib
import hmac

from ..exceptions import ConfigurationError
from . import credentials

# In the environment: one key, or while they are changed several with commas between them, the newest first.
VARIABLE = "WEBHOOK_SIGNING_KEYS"
MIN_KEY_CHARACTERS = 32
MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


def secrets_of(url):
    """The secrets of the endpoint ``url`` (``whsec_…``), one a signing key, the newest first.

    Raises ConfigurationError.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
    """
    # As suppressed addresses are compared: of a URL upper and lower case are two.
    name = b"webhook " + url.strip().encode()
    digests = (hmac.new(key.encode(), name, hashlib.sha256).digest() for key in signing_keys())
    return [f"whsec_{base64.b64encode(digest).decode()}" for digest in digests]


def signing_keys():
    """The keys of the environment. ConfigurationError when there is none, or one that could be guessed."""
    keys = [key for each in credentials.read(VARIABLE).split(",") if (key := credentials.cleaned(each))]
    if not keys:
        raise ConfigurationError(f"Set {VARIABLE}; this makes a key: {MAKE_ONE}")
    if any(len(key) < MIN_KEY_CHARACTERS for key in keys):
        raise ConfigurationError(
            f"A key in {VARIABLE} has less than {MIN_KEY_CHARACTERS} characters. This makes one: {MAKE_ONE}"
        )
    return keys
