"""What an HTTP request asks of AWS, and of whom it comes: read from the request itself."""

import io
import json
import re
import time
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl, unquote

import botocore.session

from .variables import caller_of

DEPLOYER = "deployer"
# The services whose operations are told by method and path, by the name they sign with. The others name the
# operation.
REST = {"lambda": ("lambda",), "ses": ("sesv2",)}
# Where the name that a service signs with is not the one that a policy's actions begin with.
NAMES_IN_POLICIES = {"monitoring": "cloudwatch"}
# https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#requests
SMITHY = re.compile(r"/service/\w+/operation/(\w+)$")
SIGNATURE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One AWS request.

    ``who`` is a function's name or "deployer", ``resource`` the first ARN that it concerns, or "*".

    ``parameters`` are the request's own, by AWS's names; ``at`` is the time of its arrival on the monotonic
    clock; ``denied`` says that the caller's role did not allow it.
    """

    who: str
    service: str
    operation: str
    parameters: dict = field(repr=False, default_factory=dict)
    resource: str = "*"
    at: float = field(default_factory=time.monotonic)
    denied: bool = False


def read_call(environ):
    """The Call of a WSGI request whose body can be read again afterwards; None when it is not signed."""
    found = SIGNATURE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if not found:
        return None
    key, _, service = found.groups()
    service = NAMES_IN_POLICIES.get(service, service)
    operation, parameters = _asked_for(service, environ)
    return Call(who=caller_of(key) or DEPLOYER, service=service, operation=operation, parameters=parameters)


def read_body(environ):
    """The request's body, which stays readable."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _asked_for(service, environ):
    if service == "s3":
        # Packages are large, and no question here is about them.
        return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", {}
    body = read_body(environ)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2], _json(body)
    if named := SMITHY.search(environ["PATH_INFO"]):
        # The body is binary, and no question here is about what it holds.
        return named[1], {}
    form = dict(parse_qsl(body.decode(errors="replace"))) if _is_form(environ) else {}
    if "Action" in form:
        return form["Action"], form
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    for method, pattern, operation in _paths(service):
        if environ["REQUEST_METHOD"] == method and (found := pattern.fullmatch(_raw_path(environ))):
            named = {name: unquote(value) for name, value in found.groupdict().items()}
            return operation, {**query, **_json(body), **named}
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", query


def _is_form(environ):
    return environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")


def _raw_path(environ):
    # An ARN in a path is quoted, and a quoted slash is none.
    return environ.get("RAW_URI", environ["PATH_INFO"]).partition("?")[0]


def _json(body):
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


@cache
def _paths(service):
    """``(method, pattern, operation)`` of each operation, from botocore's own description of the service."""
    session = botocore.session.Session()
    described = [session.get_service_model(name) for name in REST.get(service, ())]
    operations = [model.operation_model(name) for model in described for name in model.operation_names]
    return [
        (operation.http["method"], _pattern(operation.http["requestUri"]), operation.name)
        for operation in operations
    ]


def _pattern(uri):
    literal_and_names = re.split(r"\{(\w+)\+?\}", uri.partition("?")[0].rstrip("/"))
    parts = [f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(literal_and_names)]
    return re.compile("".join(parts) + "/?")
