"""A browser before the function URL: its requests go as Lambda's events through Zappa's own handler to the
project's WSGI application.
"""

import base64
import gzip
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from notifier.local.invocation import Context

HOST = "abc123.lambda-url.eu-west-1.on.aws"
ADDRESS = "203.0.113.7"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, as a browser reads it: header names in lower case, the body decoded."""

    status: int
    headers: dict
    body: bytes
    cookies: dict

    @property
    def text(self):
        return self.body.decode()


class Browser:
    """Keeps cookies and asks for gzip.

    ``address`` is where AWS sees it, ``host`` the name that AWS was asked by.
    """

    def __init__(self, handler, *, host=HOST, address=ADDRESS):
        self._handler, self._host, self._address = handler, host, address
        self.cookies = {}

    def get(self, url, **headers):
        return self._ask("GET", url, b"", headers)

    def post(self, url, form, **headers):
        """Send ``form`` with the token of the page's own cookie."""
        token = (
            {"csrfmiddlewaretoken": self.cookies["csrftoken"].value} if "csrftoken" in self.cookies else {}
        )
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": f"https://{self._host}",
        } | headers
        return self._ask("POST", url, urlencode(form | token).encode(), headers)

    def sign_in(self, name, password, **headers):
        self.get("/admin/login/")
        return self.post("/admin/login/?next=/admin/", {"username": name, "password": password}, **headers)

    def _ask(self, method, url, body, headers):
        event = self._event(
            method, url, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        found = self._handler(
            event,
            Context(function_name="notifier-production", aws_request_id="request-1", timeout_seconds=30),
        )
        answer = _read(found)
        self.cookies |= answer.cookies
        return answer

    def _event(self, method, url, body, headers):
        """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads"""
        parts = urlsplit(url)
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={morsel.value}" for name, morsel in self.cookies.items()],
            "headers": {
                "host": self._host,
                "accept-encoding": "gzip",
                "x-forwarded-for": self._address,
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
                **headers,
            },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": self._host.partition(".")[0],
                "domainName": self._host,
                "domainPrefix": self._host.partition(".")[0],
                "http": {
                    "method": method,
                    "path": parts.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self._address,
                },
                "requestId": "request-1",
                "routeKey": "$default",
                "stage": "$default",
            },
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }


def _read(found):
    cookies = SimpleCookie()
    for line in found.get("cookies", ()):
        cookies.load(line)
    headers = {name.lower(): value for name, value in found["headers"].items()}
    body = found["body"] or ""
    content = base64.b64decode(body) if found["isBase64Encoded"] else body.encode()
    if headers.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return Answer(status=found["statusCode"], headers=headers, body=content, cookies=dict(cookies.items()))
