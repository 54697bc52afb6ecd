"""What is deployed, read from moto's Lambda in this process, in the form in which the service runs it."""

from dataclasses import dataclass, field
from threading import RLock

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID

from notifier.local.cloud import REGION

# Held while moto changes a function: it writes code and digest one after the other, and a reader between them
# would unpack one version under the other's name.
changing = RLock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One version of one function. Equal definitions can run in the same execution environment."""

    name: str
    arn: str
    version: str
    handler: str
    runtime: str
    role: str
    timeout_seconds: float
    memory_mb: int
    variables: tuple
    digest: str
    reserved_concurrency: int | None = field(default=None, compare=False)

    @property
    def role_name(self):
        return self.role.rpartition("/")[2]

    @property
    def log_group(self):
        return f"/aws/lambda/{self.name}"


def lambda_backend():
    """moto's own Lambda, of the one account and region that are used here."""
    return lambda_backends[DEFAULT_ACCOUNT_ID][REGION]


def plain_name(name_or_arn):
    """``(name, qualifier)`` of what may be a name, a partial ARN or an ARN, qualified or not.

    The forms stand under FunctionName in https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
    """
    name, _, qualifier = name_or_arn.rpartition("function:")[2].partition(":")
    return name, qualifier or None


def find_function(name_or_arn, qualifier=None):
    """moto's function; raises its UnknownFunctionException, which is also a 404 for a caller over HTTP."""
    name, own_qualifier = plain_name(name_or_arn)
    return lambda_backend().get_function(name, own_qualifier or qualifier)


def read_definition(name_or_arn, qualifier=None):
    """The Definition that is deployed now. Raises moto's UnknownFunctionException."""
    with changing:
        found = find_function(name_or_arn, qualifier)
        return Definition(
            name=found.function_name,
            arn=found.function_arn,
            version=str(found.version),
            handler=found.handler or "",
            runtime=found.run_time,
            role=found.role,
            timeout_seconds=float(found.timeout),
            memory_mb=int(found.memory_size),
            variables=tuple(sorted(found.environment_vars.items())),
            digest=found.code_digest,
            reserved_concurrency=None
            if found.reserved_concurrency is None
            else int(found.reserved_concurrency),
        )


def read_package(definition):
    """The zip of ``definition``, as it was uploaded."""
    with changing:
        found = find_function(definition.name, definition.version)
        if found.code_digest != definition.digest:
            raise LookupError(f"the code of {definition.name} was replaced before it was unpacked")
        return found.code_bytes


def is_deployed(definition):
    """Whether a new event for this version would still run as ``definition`` says."""
    try:
        return read_definition(definition.name, definition.version) == definition
    except UnknownFunctionException:
        return False
