"""A request to a function URL, as Lambda hands it to the function, and the function's answer, as a client
sees it.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from .definitions import find_function
from .functions import Throttled

# Bodies of other types reach the function in base64, forms too.
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
# Both are needed: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
PUBLIC_ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


@dataclass(frozen=True, kw_only=True, slots=True)
class UrlResponse:
    """``headers`` in lower case; ``cookies`` are whole Set-Cookie lines; ``body`` is what was sent, bytes."""

    status: int
    headers: dict
    cookies: list
    body: bytes

    @property
    def text(self):
        return self.body.decode()


def request_url(functions, name, method, target, **details):
    """Send one request to the URL of function ``name``; ``details`` as for :func:`event_of_request`.

    Raises LookupError when the function has no URL.
    """
    function = find_function(name)
    if function.url_config is None:
        raise LookupError(f"{name} has no function URL")
    if not _is_public(function):
        return _plain(403, "Forbidden")
    event = event_of_request(function.url_config.url, method, target, **details)
    try:
        outcome = functions.invoke(name, json.dumps(event).encode())
    except Throttled:
        return _plain(429, "Rate Exceeded.")
    return _plain(502, "Internal Server Error") if outcome.error else read_answer(outcome.payload)


def event_of_request(url, method, target, *, headers=None, body=b"", cookies=None, source_ip="203.0.113.7"):
    """The event, payload format 2.0. ``target`` is path and query; ``cookies`` name → value."""
    host, (path, _, query) = url.removeprefix("https://").strip("/"), target.partition("?")
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    # What a client claims to be stays in the header, before what is so.
    claimed = [sent["x-forwarded-for"]] if "x-forwarded-for" in sent else []
    sent |= {"host": sent.get("host", host), "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    sent |= {
        "x-forwarded-for": ",".join([*claimed, source_ip]),
        "x-amzn-trace-id": f"Root=1-{uuid.uuid4().hex}",
    }
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent,
        "requestContext": _context(host, method, path, source_ip, sent.get("user-agent", "")),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [f"{name}={value}" for name, value in cookies.items()]
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    return event | _body(body.encode() if isinstance(body, str) else body, sent)


def read_answer(payload):
    """What a client receives for a function's answer."""
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return UrlResponse(status=200, headers={"content-type": "application/json"}, cookies=[], body=payload)
    headers = {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    cookies = list(answer.get("cookies") or ())
    if "set-cookie" in headers:
        cookies.append(headers.pop("set-cookie"))
    body = answer.get("body") or ""
    body = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    headers.setdefault("content-type", "application/json")
    return UrlResponse(status=int(answer["statusCode"]), headers=headers, cookies=cookies, body=body)


def _context(host, method, path, source_ip, user_agent):
    return {
        "accountId": "anonymous",
        "apiId": host.partition(".")[0],
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": user_agent,
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": "$default",
        "stage": "$default",
        "time": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": round(time.time() * 1000),
    }


def _body(body, headers):
    if not body:
        return {}
    headers["content-length"] = str(len(body))
    if headers.get("content-type", "").startswith(TEXT_TYPES):
        return {"body": body.decode()}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _is_public(function):
    granted = {
        each["Action"] for each in function.policy.statements if each["Principal"] in ("*", {"AWS": "*"})
    }
    return function.url_config.config["AuthType"] == "NONE" and granted.issuperset(PUBLIC_ACTIONS)


def _plain(status, message):
    body = json.dumps({"Message": message}).encode()
    return UrlResponse(status=status, headers={"content-type": "application/json"}, cookies=[], body=body)
