"""The line on which Apprise speaks to a chat service: our time-outs, one try, and what was answered.

Apprise's plugins call ``requests.post`` and answer True or False. So the module ``requests`` that they see is
a WatchedRequests, which is the same but for its calls: these go through the Call that is under way, where
``chat.send`` reads how it ended.
"""

import json
import os
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

_under_way = ContextVar("call", default=requests)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, by its method and path, and what came of it: an answer, or the error instead of one."""

    method: str
    path: str
    answer: requests.Response | requests.RequestException


class Call:
    """The requests of one message: some services want a login before it, or a logout after it.

    ``exchanges`` has those that were made. ``amend`` changes the JSON object of each request.
    """

    def __init__(self, session, *, connect_seconds, read_seconds, budget_seconds, amend=None):
        self._session, self._connect, self._read = session, connect_seconds, read_seconds
        self._until, self._amend = time.monotonic() + budget_seconds, amend
        self.exchanges = []

    @contextmanager
    def under_way(self):
        token = _under_way.set(self)
        try:
            yield self
        finally:
            _under_way.reset(token)

    def request(self, method, url, **options):
        path, method = urlsplit(url).path, method.upper()
        # Some plugins repeat a request by themselves, at once: when to come again is the database's affair.
        if self._has_failed():
            raise requests.ConnectionError
        left = self._until - time.monotonic()
        if left < self._connect:
            return self._note(method, path, requests.ConnectTimeout())
        options |= {
            "timeout": (self._connect, max(0.1, min(self._read, left - self._connect))),
            "allow_redirects": False,
        }
        try:
            answer = self._session.request(method, url, **self._amended(options))
            # Read whole, for who reads it piece by piece (Matrix) and for us afterwards.
            _ = answer.content
        except requests.RequestException as error:
            answer = error
        return self._note(method, path, answer)

    def _note(self, method, path, answer):
        self.exchanges.append(Exchange(method, path, answer))
        if isinstance(answer, requests.RequestException):
            raise answer
        return answer

    def _has_failed(self):
        last = self.exchanges[-1].answer if self.exchanges else None
        failed = isinstance(last, requests.RequestException)
        return failed or last is not None and (last.status_code == 429 or last.status_code >= 500)

    def _amended(self, options):
        if not self._amend or not isinstance(options.get("data"), str | bytes):
            return options
        try:
            document = json.loads(options["data"])
        except ValueError:
            return options
        if not isinstance(document, dict):
            return options
        # In UTF-8: a service that counts bytes counts these, not \u4e2d for each sign.
        amended = json.dumps(self._amend(document), ensure_ascii=False)
        return options | {"data": amended.encode("utf-8", "replace")}


class WatchedRequests:
    """Stands where Apprise's plugins have the module ``requests``."""

    def __getattr__(self, name):
        return getattr(requests, name)

    def request(self, method, url, **options):
        return _under_way.get().request(method, url, **options)

    def get(self, url, params=None, **options):
        return self.request("GET", url, params=params, **options)

    def post(self, url, data=None, json=None, **options):
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url, data=None, **options):
        return self.request("PUT", url, data=data, **options)

    def patch(self, url, data=None, **options):
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **options)


WATCHED = WatchedRequests()


def watch_plugins():
    """Give all plugins that are loaded the WatchedRequests. Nobody else's ``requests`` is touched."""
    for name, module in list(sys.modules.items()):
        if name.startswith("apprise.plugins.") and getattr(module, "requests", None) is requests:
            module.requests = WATCHED


def make_session():
    """A requests Session that no service leaves a cookie in.

    ``CHAT_API_URL`` is asked instead of every service, its host in the path.
    """
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if base := os.environ.get("CHAT_API_URL"):
        for scheme in ("https://", "http://"):
            session.mount(scheme, ElsewhereAdapter(base))
    return session


class ElsewhereAdapter(HTTPAdapter):
    """Sends each request to ``base``, with the host that it was for in front of its path."""

    def __init__(self, base):
        super().__init__()
        self._base = urlsplit(base)

    def send(self, request, *, proxies=None, **options):
        meant = urlsplit(request.url)
        path = f"/{meant.netloc}{meant.path}"
        request.url = meant._replace(scheme=self._base.scheme, netloc=self._base.netloc, path=path).geturl()
        return super().send(request, **options)
