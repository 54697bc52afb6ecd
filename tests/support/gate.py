"""A real server between the functions and the local cloud: it counts the calls, and can hold, cut or answer
those that a test names.
"""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from urllib.parse import parse_qs

import urllib3
from werkzeug.wrappers import Request, Response

from notifier.local.server import LoopbackServer, cut
from tests.support.patience import PATIENCE_SECONDS

SEND_MAIL, SEND_SMS, PUBLISH_BATCH, POST_TO_X, BURY = (
    "SendEmail",
    "Publish",
    "PublishBatch",
    "CreatePost",
    "SendMessage",
)
WRITE_IN_CHAT, POST_WEBHOOK, ASK_X = "WriteInChat", "PostWebhook", "GetPosts"
# What sends something to somebody.
SENDS = (SEND_MAIL, SEND_SMS, POST_TO_X, WRITE_IN_CHAT, POST_WEBHOOK)
PATHS = {"/v2/email/outbound-emails": SEND_MAIL, "/2/tweets": POST_TO_X}
# A hop's own headers, which are not passed on. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "upgrade",
    "content-length",
    "host",
    "expect",
}
# Of one message and of several: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
TAKEN = '<Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult/><PublishBatchResult/></Response>'


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that came: what was asked for, and with which body."""

    action: str
    body: bytes

    @property
    def form(self):
        """The fields of a form, as SNS gets one: name → first value."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    def messages(self):
        """The messages for a topic, as texts."""
        return (text for name, text in self.form.items() if name.rpartition(".")[2] == "Message")

    def rings(self):
        """What it rings for: ``(route, id)`` pairs."""
        for ring in map(json.loads, self.messages()):
            yield from ((ring["route"], pk) for pk in ring.get("events") or ring["deliveries"])


class Gate:
    """Use ``url`` instead of AWS's and of X's.

    Without rules every call is passed on; a rule takes one call of one action.
    """

    def __init__(self, *, aws, x, chat, hooks=None):
        self.calls = []
        self._targets = {POST_TO_X: x, ASK_X: x, WRITE_IN_CHAT: chat, POST_WEBHOOK: hooks}
        self._aws, self._rules, self._lock = aws, [], Lock()
        self._pool = urllib3.PoolManager(retries=False, maxsize=8)
        self._server = LoopbackServer(self._serve, name="The gate")

    @property
    def url(self):
        return self._server.url

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *exc_info):
        for rule in self._rules:
            rule.release()
        self._server.stop()
        self._pool.clear()

    def count(self, action):
        """How many calls of ``action`` came."""
        return sum(call.action == action for call in list(self.calls))

    def sends(self):
        """How many calls came that send something to somebody."""
        return sum(self.count(action) for action in SENDS)

    def rung(self, *, numbers=None):
        """How often each ``(route, id)`` was rung for; ``numbers`` are those of the calls that count,
        from 1.
        """
        calls = [call for call in list(self.calls) if call.action == PUBLISH_BATCH]
        counted = [call for number, call in enumerate(calls, 1) if numbers is None or number in numbers]
        return Counter(ring for call in counted for ring in call.rings())

    def ring_messages(self):
        """All messages that were published, as texts."""
        published = (call for call in list(self.calls) if call.action == PUBLISH_BATCH)
        return (text for call in published for text in call.messages())

    def take_rings(self):
        """From now on, be an SNS that takes every doorbell at once and rings nowhere: moto grows slow with
        very many.
        """
        self.answer(PUBLISH_BATCH, body=TAKEN, content_type="text/xml", times=10**6)

    def answer(
        self, action, *, status=200, body="", content_type="application/json", headers=(), nth=1, times=1
    ):
        """Answer the ``nth`` call from now on, and ``times`` - 1 after it, with this and pass nothing on.

        ``body`` may be a function of the Call.
        """
        return self._add(_Answer(action, nth, times, status, body, content_type, dict(headers)))

    def cut(self, action, *, nth=1, times=1):
        """Hang up on the ``nth`` call without an answer; nothing is passed on."""
        return self._add(_Cut(action, nth, times))

    @contextmanager
    def hold(self, action, *, nth=1, taken):
        """Let the ``nth`` call wait until the block ends, and then hang up on it.

        ``taken``: whether it is passed on at once.

        Yields an Event that is set when the call waits.
        """
        rule = self._add(_Hold(action, nth, taken))
        try:
            yield rule.reached
        finally:
            rule.release()

    def _add(self, rule):
        with self._lock:
            self._rules.append(rule)
        return rule

    def _serve(self, environ, start_response):
        request = Request(environ)
        call = Call(action=_action_of(request), body=request.get_data())
        with self._lock:
            self.calls.append(call)
            # All of them count the call, the first that wants it takes it.
            takers = [rule for rule in self._rules if rule.takes(call)]
        response = (
            takers[0].respond(call, lambda: self._pass_on(request, call))
            if takers
            else self._pass_on(request, call)
        )
        if response is None:
            cut(environ["werkzeug.socket"])
            response = Response(status=500)
        return response(environ, start_response)

    def _pass_on(self, request, call):
        target = self._targets.get(call.action, self._aws)
        headers = {name: value for name, value in request.headers if name.lower() not in HOP_BY_HOP}
        if call.action == POST_WEBHOOK:
            # Whom it was for.
            headers["Host"] = request.host
        answer = self._pool.request(
            request.method, target + request.full_path.rstrip("?"), body=call.body, headers=headers
        )
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return Response(answer.data, status=answer.status, headers=kept)


class _Rule:
    def __init__(self, action, nth, times=1):
        self.action, self._countdown, self._times = action, nth, times

    def takes(self, call):
        if call.action != self.action:
            return False
        self._countdown -= 1
        return 1 - self._times <= self._countdown <= 0

    def release(self):
        """Let go of whoever waits."""


class _Answer(_Rule):
    def __init__(self, action, nth, times, status, body, content_type, headers):
        super().__init__(action, nth, times)
        self._status, self._body, self._content_type, self._headers = status, body, content_type, headers

    def respond(self, call, pass_on):
        body = self._body(call) if callable(self._body) else self._body
        return Response(body, status=self._status, content_type=self._content_type, headers=self._headers)


class _Cut(_Rule):
    def respond(self, call, pass_on):
        return None


class _Hold(_Rule):
    def __init__(self, action, nth, taken):
        super().__init__(action, nth)
        self._taken, self.reached, self._released = taken, Event(), Event()

    def respond(self, call, pass_on):
        if self._taken:
            pass_on()
        self.reached.set()
        self._released.wait(PATIENCE_SECONDS)
        return None

    def release(self):
        self._released.set()


def _action_of(request):
    if request.path in PATHS:
        return PATHS[request.path]
    if request.path.startswith("/2/users/"):
        return ASK_X
    if "webhook-id" in request.headers:
        return POST_WEBHOOK
    # A chat's host stands in front of its path.
    if "." in request.path.split("/")[1]:
        return WRITE_IN_CHAT
    if target := request.headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    form = parse_qs(request.get_data().decode())
    action = form.get("Action", [""])[0]
    # One ring is no batch; to a telephone it is an SMS.
    return PUBLISH_BATCH if action == "Publish" and "TopicArn" in form else action
