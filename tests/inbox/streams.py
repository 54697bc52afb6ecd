"""Streams as a browser has them: Django's ASGI application on one side, the events that came on the other."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import Client

from notifier.inbox import items
from tests.support.patience import PATIENCE_SECONDS

PATH = "/notifications/inbox/stream/"


@dataclass(frozen=True)
class Sent:
    """One event of a stream: ``name`` is "message" where it has none, ``number`` the id as text."""

    name: str
    number: str
    data: dict


def parse(text):
    """The events in ``text``, as https://html.spec.whatwg.org/multipage/server-sent-events.html reads
    them.
    """
    events = []
    for block in text.split("\n\n"):
        fields = dict(
            line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":")
        )
        if "data" in fields:
            events.append(Sent(fields.get("event", "message"), fields["id"], json.loads(fields["data"])))
    return events


def cookie_of(user):
    """The key of a new session of ``user``."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def add(user, title="Hello", **values):
    """Put an item into ``user``'s inbox."""
    return items.add_item(user.pk, delivery=None, title=title, **values)


class Stream:
    """An open connection: what came, and what is still to come."""

    def __init__(self, cookie, *, query="", last_event_id=None, method="GET"):
        headers = [(b"host", b"localhost")]
        if cookie:
            headers.append((b"cookie", f"sessionid={cookie}".encode()))
        if last_event_id is not None:
            headers.append((b"last-event-id", str(last_event_id).encode()))
        self.scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": PATH,
            "raw_path": PATH.encode(), "query_string": query.encode(), "headers": headers, "scheme": "http",
            "root_path": "", "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }  # fmt: skip
        self.status, self.headers, self.text, self.ended = None, {}, "", False
        self._asked, self._changed, self._gone = False, asyncio.Condition(), asyncio.Event()

    @property
    def events(self):
        return parse(self.text)

    @property
    def titles(self):
        return [event.data["title"] for event in self.events if event.name == "item"]

    async def until(self, condition):
        """Wait until ``condition(self)``."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: condition(self))

    def hang_up(self):
        self._gone.set()

    async def receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        async with self._changed:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                self.text += message.get("body", b"").decode()
                self.ended = not message.get("more_body", False)
            self._changed.notify_all()


@asynccontextmanager
async def connected(cookie, **options):
    """A Stream that Django serves while the block runs; then the client hangs up, and the server is done with
    it.
    """
    stream = Stream(cookie, **options)
    serving = asyncio.create_task(get_asgi_application()(stream.scope, stream.receive, stream.send))
    try:
        await stream.until(lambda stream: stream.status)
        yield stream
    finally:
        stream.hang_up()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await serving


async def aside(function, *arguments, **values):
    """``function(...)`` in a thread as another request's, which leaves no connection behind."""

    def call():
        try:
            return function(*arguments, **values)
        finally:
            connection.close()

    return await sync_to_async(call, thread_sensitive=False)()
