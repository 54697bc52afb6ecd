"""The HTTP interface between one execution environment and Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import time
import uuid
from dataclasses import dataclass, field
from threading import Event, Lock

from werkzeug.wrappers import Request, Response

from notifier.local.server import LoopbackServer

PREFIX = "/2018-06-01/runtime"
ACCEPTED = {"status": "OK"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How one invocation ended.

    ``error`` is what the header X-Amz-Function-Error says, or None; ``log`` is its own output.
    """

    request_id: str
    payload: bytes
    error: str | None = None
    log: str = ""
    seconds: float = 0.0

    def json(self):
        """The answer as data; raises AssertionError, with the function's words, when the function failed."""
        assert self.error is None, f"{self.payload.decode()}\n{self.log}"
        return json.loads(self.payload)


@dataclass(kw_only=True)
class Invocation:
    """An event on its way through an environment.

    The first end counts: a crash after the answer changes nothing.
    """

    payload: bytes
    timeout_seconds: float
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: Event = field(default_factory=Event)

    def __post_init__(self):
        self.answer, self.error, self._lock = b"", None, Lock()

    def finish(self, answer, error=None):
        with self._lock:
            if not self.done.is_set():
                self.answer, self.error = answer, error
                self.done.set()

    def headers(self):
        deadline = round((time.time() + self.timeout_seconds) * 1000)
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": self.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }


class RuntimeApi:
    """What the runtime client of one process talks to.

    ``ready`` is set when it first asks for an event, or cannot; ``waiting`` while it asks.
    """

    def __init__(self, *, freeze, thaw):
        self.ready, self.waiting, self.init_error = Event(), Event(), None
        self._freeze, self._thaw = freeze, thaw
        self._inbox, self._current = queue.SimpleQueue(), None
        self._server = LoopbackServer(self._serve, name="The runtime API")

    @property
    def address(self):
        return self._server.url.removeprefix("http://")

    def start(self):
        self._server.start()

    def stop(self):
        self._inbox.put(None)
        self._server.stop()

    def hand_over(self, invocation):
        self._current = invocation
        self._inbox.put(invocation)

    def abort(self, answer):
        """The process is gone: whatever waits for it ends with ``answer``."""
        if self._current is not None:
            self._current.finish(answer, "Unhandled")
        self.ready.set()

    def _serve(self, environ, start_response):
        request = Request(environ)
        response = self._answer(request, request.path.removeprefix(PREFIX).strip("/").split("/"))
        return response(environ, start_response)

    def _answer(self, request, parts):
        match parts:
            case ["invocation", "next"]:
                return self._next()
            case ["invocation", request_id, "response" | "error" as kind]:
                return self._finish(
                    request_id, request.get_data(), None if kind == "response" else "Unhandled"
                )
            case ["init", "error"]:
                self.init_error = request.get_data()
                self.ready.set()
                return _json(ACCEPTED, 202)
        return _json({"errorType": "InvalidRequest", "errorMessage": request.path}, 404)

    def _next(self):
        self.ready.set()
        self.waiting.set()
        try:
            invocation = self._inbox.get_nowait()
        except queue.Empty:
            # Between events Lambda freezes the whole process, its threads too:
            # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
            self._freeze()
            invocation = self._inbox.get()
            self._thaw()
        if invocation is None:
            return _json({"errorType": "Shutdown"}, 410)
        self.waiting.clear()
        return Response(invocation.payload, content_type="application/json", headers=invocation.headers())

    def _finish(self, request_id, answer, error):
        invocation = self._current
        if invocation is None or invocation.request_id != request_id:
            return _json({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}, 400)
        invocation.finish(answer, error)
        return _json(ACCEPTED, 202)


def _json(data, status):
    return Response(json.dumps(data), status=status, content_type="application/json")
