"""A stand-in for X's API: takes posts as X would, shows them, and keeps them for the outbox page."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Event, Lock

from werkzeug.wrappers import Request, Response

from lambdas._weighted_length import MAX_WEIGHTED_LENGTH, has_invalid_characters, weighted_length

from .oauth import SignatureCheck
from .server import LoopbackServer, cut
from .x_timeline import timeline

# https://docs.x.com/x-api/posts/create-post
PATH = "/2/tweets"
# What the client signs: the address that X would see, wherever the request was sent to instead.
PUBLIC_URL = f"https://api.twitter.com{PATH}"
# Whose keys these are: https://docs.x.com/x-api/users/get-my-user
ME_PATH = "/2/users/me"
ME = {"name": "Notifier", "username": "notifier"}
# How every answer says what the keys may do: https://groups.google.com/g/twitter-api-announce/c/OL3G2SRpm3o
ACCESS_LEVEL = "x-access-level"
# Per user: https://docs.x.com/x-api/fundamentals/rate-limits
POSTS_PER_WINDOW = 100
WINDOW_SECONDS = 15 * 60
# A held answer comes after this long all the same: a client without a time-out then fails its test instead of
# hanging.
MOST_HELD_SECONDS = 900
# An id's upper bits are milliseconds since X's own epoch, the lower ones tell posts of one millisecond apart.
ID_EPOCH_MILLISECONDS = 1288834974657
ID_SEQUENCE_BITS = 22

# https://docs.x.com/x-api/fundamentals/response-codes-and-errors; the duplicate's words as in
# https://github.com/akrherz/iembot/issues/163
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
# X's pages do not show its words for a text that is too long; that it is a 403 is what clients go by.
NOT_PERMITTED = "You are not permitted to perform this action."
INVALID = "One or more parameters to your request was invalid."
TITLES = {
    400: "Invalid Request",
    401: "Unauthorized",
    402: "CreditsDepleted",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """One accepted post. ``id`` is a string of digits, as X gives it."""

    id: str
    text: str
    created_at: datetime


class XStandIn:
    """``posts`` holds what was accepted, ``requests`` counts what was asked, with a good signature or
    without.

    ``access_level`` is what the keys may do: ``read-write``, or ``read``. The last three members make it fail
    as X can: :meth:`fail_next`, :meth:`drop_next` and :meth:`hold_answers`.
    """

    def __init__(
        self,
        *,
        consumer_key,
        consumer_secret,
        access_token,
        access_token_secret,
        port=0,
        limit=POSTS_PER_WINDOW,
    ):
        self.limit = limit
        # An access token begins with the id of its account.
        self._me = ME | {"id": access_token.partition("-")[0]}
        self._signatures = SignatureCheck(consumer_key, consumer_secret, access_token, access_token_secret)
        self._server = LoopbackServer(self._answer, name="The stand-in for X", port=port)
        self._lock = Lock()
        self._released = Event()
        self._released.set()
        self.reset()

    def reset(self):
        """Forget all posts, used-up limits and failures still to come."""
        with self._lock:
            self.posts, self.requests = [], 0
            self._window_ends, self._used, self._sequence = 0, 0, count()
            self._failures, self._drops = [], 0
            self.access_level = "read-write"

    @property
    def url(self):
        return self._server.url

    def start(self):
        self._server.start()

    def stop(self):
        self._released.set()
        self._server.stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def fail_next(self, status, title=""):
        """Answer the next request with the HTTP ``status``, by another ``title`` than usual, and take
        nothing.
        """
        self._failures.append((status, title))

    def drop_next(self):
        """Take the next post, then hang up without an answer."""
        self._drops += 1

    @contextmanager
    def hold_answers(self):
        """Take posts but answer them only when the block ends, or after MOST_HELD_SECONDS."""
        self._released.clear()
        try:
            yield
        finally:
            self._released.set()

    def _answer(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            self.requests += 1
            response, dropped = self._respond(request), False
            if response.status_code == 201 and self._drops:
                self._drops, dropped = self._drops - 1, True
        self._released.wait(MOST_HELD_SECONDS)
        if dropped:
            cut(environ["werkzeug.socket"])
        return response(environ, start_response)

    def _respond(self, request):
        if (request.method, request.path) == ("GET", ME_PATH):
            return self._tell_who(request)
        if (request.method, request.path) == ("GET", path := f"/2/users/{self._me['id']}/tweets"):
            return self._show_posts(request, path)
        if (request.method, request.path) != ("POST", PATH):
            return _problem(404)
        if self._failures:
            status, title = self._failures.pop(0)
            return _problem(status, title=title)
        if not self._signatures.is_good(request, PUBLIC_URL):
            return _problem(401)
        if "write" not in self.access_level:
            return _problem(403, NOT_PERMITTED)
        if self._used_up():
            response = _problem(429)
        else:
            self._used += 1
            response = self._take(request)
        response.headers["x-rate-limit-limit"] = str(self.limit)
        response.headers["x-rate-limit-remaining"] = str(self.limit - self._used)
        response.headers["x-rate-limit-reset"] = str(self._window_ends)
        return response

    def _tell_who(self, request):
        if self._failures:
            status, title = self._failures.pop(0)
            return _problem(status, title=title)
        if not self._signatures.is_good(request, PUBLIC_URL.replace(PATH, ME_PATH)):
            return _problem(401)
        response = _json(200, {"data": self._me})
        response.headers[ACCESS_LEVEL] = self.access_level
        return response

    def _show_posts(self, request, path):
        if self._failures:
            status, title = self._failures.pop(0)
            return _problem(status, title=title)
        if not self._signatures.is_good(request, PUBLIC_URL.replace(PATH, path)):
            return _problem(401)
        response = _json(200, timeline(self.posts, request.args))
        # Reading has a limit of its own.
        response.headers |= {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 900)}
        return response

    def _used_up(self):
        if time.time() >= self._window_ends:
            self._window_ends, self._used = int(time.time()) + WINDOW_SECONDS, 0
        return self._used >= self.limit

    def _take(self, request):
        body = request.get_json(silent=True)
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text.strip():
            return _problem(400, INVALID)
        if weighted_length(text) > MAX_WEIGHTED_LENGTH or has_invalid_characters(text):
            return _problem(403, NOT_PERMITTED)
        if any(post.text == text for post in self.posts):
            return _problem(403, DUPLICATE)
        post = Post(id=self._new_id(), text=text, created_at=datetime.now(UTC))
        self.posts.append(post)
        return _json(201, {"data": {"id": post.id, "text": post.text, "edit_history_tweet_ids": [post.id]}})

    def _new_id(self):
        milliseconds = time.time_ns() // 1_000_000 - ID_EPOCH_MILLISECONDS
        return str((milliseconds << ID_SEQUENCE_BITS) + next(self._sequence))


def _problem(status, detail=None, *, title=""):
    title = title or TITLES.get(status, "Error")
    return _json(status, {"detail": detail or title, "type": "about:blank", "title": title, "status": status})


def _json(status, data):
    return Response(json.dumps(data), status=status, content_type="application/json; charset=utf-8")
