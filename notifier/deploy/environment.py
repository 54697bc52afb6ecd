"""The configuration of this process: its environment and, on Lambda, the secrets that are named there.

Called by a project's settings.

On Lambda ``SECRETS`` holds names with commas between them. Each is an SSM parameter below ``SECRETS_PATH``,
read once a container.
"""

import logging
import os
from contextlib import contextmanager

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError, ValidationError, validate

from notifier.channels import sender
from notifier.channels.credentials import cleaned
from notifier.exceptions import SenderRefused

from .keys import machine_key, parse_key, parse_keys
from .place import LOCAL, ON_LAMBDA, SERVES_PAGES, host_names, locally

__all__ = [
    "LOCAL",
    "ON_LAMBDA",
    "PRODUCTION",
    "SERVES_PAGES",
    "configuration",
    "filled",
    "locally",
    "machine_key",
    "mail_address",
    "read_secrets",
]

logger = logging.getLogger(__name__)

# Only these deliver to everybody without being told; any other name could be a copy with real people's
# addresses.
PRODUCTION = ("production", "prod")
EVERYBODY = "everybody"

# All attempts fit into the 10 seconds that a function has to start:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 3, 2
CONNECTION_SECONDS = 60
DATABASE_SECONDS = 5

filled = validate.Length(min=1, error="it is empty")


def mail_address(text):
    """Validate a sender of mails."""
    try:
        sender.address_of(text)
    except SenderRefused as refused:
        raise ValidationError(str(refused)) from None


@contextmanager
def configuration():
    """Inside it, variables are read from the ``environs.Env`` that it yields; what is wrong with any of them
    is raised at its end.

    Raises ImproperlyConfigured: one sentence that names each variable and where it belongs, without anybody's
    value.
    """
    if ON_LAMBDA:
        read_secrets(os.environ)
    env = Env(eager=False)
    env.add_parser("database", _parse_database)
    env.add_parser("key", parse_key)
    env.add_parser("keys", parse_keys)
    env.add_parser("hosts", _parse_hosts)
    env.add_parser("allow_list", _parse_allow_list)
    yield env
    try:
        env.seal()
    except EnvValidationError as error:
        wrong = error.error_messages
    else:
        return
    # Out here nothing is chained to it, so no traceback shows what was read.
    raise ImproperlyConfigured(_describe(wrong))


def read_secrets(environ, *, again=False):
    """Put those of the named secrets into ``environ`` that it lacks, or ``again`` all of them: one
    GetParameters for up to ten.

    One that Parameter Store does not have is left out, with a line in the log. Raises ImproperlyConfigured
    when it cannot be asked.
    """
    names = [name for name in _secret_names(environ) if again or not environ.get(name)]
    if not names:
        return
    from aws_lambda_powertools.utilities.parameters import GetParameterError, SSMProvider
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    limits = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": ATTEMPTS}
    )
    parameters = {_parameter(environ, name): name for name in names}
    try:
        found = SSMProvider(boto_config=limits).get_parameters_by_name(
            {parameter: {} for parameter in parameters}, decrypt=True, raise_on_error=False
        )
    except ClientError as error:
        reason = error.response["Error"]["Code"]
    except (BotoCoreError, GetParameterError) as error:
        reason = type(error).__name__
    else:
        if missing := found.pop("_errors"):
            logger.warning("Parameter Store has no %s.", ", ".join(missing))
        environ.update({parameters[parameter]: cleaned(value) for parameter, value in found.items()})
        return
    raise ImproperlyConfigured(
        f"The secrets {', '.join(names)} could not be read from Parameter Store ({reason}): "
        "the function's role needs "
        f"ssm:GetParameters on {_parameter(environ, '*')} and kms:Decrypt on their key, and in "
        "a VPC a way to SSM (endpoint or NAT)."
    )


def _secret_names(environ):
    return [name.strip() for name in environ.get("SECRETS", "").split(",") if name.strip()]


def _parameter(environ, name):
    return f"{environ.get('SECRETS_PATH', '').rstrip('/')}/{name}"


def _describe(wrong):
    """The sentence: each variable, what is wrong with it, and where it is put."""
    secrets = _secret_names(os.environ)
    place = "the environment"
    if ON_LAMBDA:
        place = "aws_environment_variables of the stage in zappa_settings.json"
    elif not LOCAL:
        place += ", as ALLOWED_HOSTS names another machine than this one"
    places = {}
    for name, (message, *_) in wrong.items():
        what = (
            f"{name} is missing" if "not set" in message else f"{name} cannot be used ({message.rstrip('.')})"
        )
        places.setdefault(_remedy(name) if name in secrets else place, []).append(what)
    parts = [f"{', '.join(whats)} → {where}" for where, whats in places.items()]
    return f"The configuration is not complete: {'; '.join(parts)}."


def _remedy(name):
    return (
        "aws ssm put-parameter --type SecureString --overwrite --name "
        f"{_parameter(os.environ, name)} --value …"
    )


def _parse_database(url):
    """A ``DATABASES`` entry. The URL holds a password, so no error quotes it."""
    try:
        found = dj_database_url.parse(
            cleaned(url),
            # A function that gets no more events is frozen, not ended, and would hold its connection for
            # hours: with each update a database would have all of the old ones besides the new.
            conn_max_age=0 if ON_LAMBDA else CONNECTION_SECONDS,
            # Such a cursor lives longer than a statement, which a pooler in transaction mode does not allow.
            disable_server_side_cursors=True,
        )
    except Exception:
        found = {}
    if not found.get("NAME"):
        raise ValidationError(
            "it is no URL such as postgres://user:password@host:5432/name; # / ? in a password "
            "are %23 %2F %3F"
        )
    if ON_LAMBDA and found["ENGINE"].endswith("sqlite3"):
        raise ValidationError(
            "it names SQLite, whose file Lambda throws away with the container; name a PostgreSQL database"
        )
    if ON_LAMBDA:
        # A network that drops packets: said at once, not by the end of the function's time.
        found.setdefault("OPTIONS", {}).setdefault("connect_timeout", DATABASE_SECONDS)
    return found


def _parse_hosts(names):
    """A list of domains; a list is taken as it is."""
    hosts = host_names(names) if isinstance(names, str) else names
    # Django takes the second for every domain too.
    if {"*", "."}.intersection(hosts):
        raise ValidationError("it allows every host; name the domains")
    return hosts


def _parse_allow_list(patterns):
    """The patterns of those who alone get anything, as a list; None for everybody, where that word stands.

    A list, or None, is taken as it is.
    """
    if not isinstance(patterns, str):
        return patterns
    if patterns.strip().lower() == EVERYBODY:
        return None
    return [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
