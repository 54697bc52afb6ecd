"""Wakes the open streams of people whose inbox has changed: one listener a process, for any number of
streams.

On PostgreSQL the change itself says so (``announce``, in its transaction: nobody hears of what was rolled
back, nor too early). Elsewhere one query a second asks for the numbers of all who wait. The same query runs
once whenever the listener begins, for what happened before, and now and then, for what a connection pooler
has swallowed.
"""

import asyncio
import logging
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from django.db import connections, router

from ..models import Inbox
from .stream_reader import in_reader

logger = logging.getLogger(__name__)

CHANNEL = "notifier_inbox"
POLL_SECONDS = 1
# How often somebody who listens looks all the same.
LOOK_SECONDS = 30
# People asked for in one query; a statement of PostgreSQL takes 65,535 values:
# https://www.postgresql.org/docs/current/limits.html
PEOPLE_A_QUERY = 5000

_hubs = WeakKeyDictionary()


def announce(user_id):
    """Within the transaction that changes somebody's inbox: wake their streams when it commits."""
    connection = connections[router.db_for_write(Inbox)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(user_id)])


def hub():
    """The Hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


class Waiter:
    """One open stream: whose inbox it shows, the number that it has ``seen``, and whether it has been
    woken.
    """

    def __init__(self, user_id):
        self.user_id, self.seen = user_id, None
        self._woken = asyncio.Event()

    def begin_look(self):
        """From here on, what changes wakes."""
        self._woken.clear()

    def wake(self):
        self._woken.set()

    async def woken_within(self, seconds):
        """Wait; tell whether something changed before the time was over."""
        try:
            async with asyncio.timeout(seconds):
                return await self._woken.wait()
        except TimeoutError:
            return False


class Hub:
    """The streams that wait, and the task that wakes them; it runs while there are any."""

    def __init__(self):
        self._waiters, self._task = {}, None

    @contextmanager
    def waiting(self, user_id):
        """A Waiter that is woken as long as the block runs."""
        key, waiter = str(user_id), Waiter(user_id)
        self._waiters.setdefault(key, set()).add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._follow(), name="notifier-inboxes")
        try:
            yield waiter
        finally:
            self._waiters[key].discard(waiter)
            if not self._waiters[key]:
                del self._waiters[key]
            if not self._waiters:
                self._task.cancel()
                self._task = None

    def __len__(self):
        """The number of streams that are open."""
        return sum(map(len, self._waiters.values()))

    async def _follow(self):
        while True:
            try:
                if listens():
                    await self._listen()
                await self._look()
            except Exception as error:
                # A database that is gone for a moment; whatever it is, the next look comes soon.
                logger.warning("The inboxes' changes could not be followed: %s", type(error).__name__)
            await asyncio.sleep(POLL_SECONDS)

    async def _listen(self):
        async with await _connect() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            while True:
                await self._look()
                async for notification in connection.notifies(timeout=LOOK_SECONDS):
                    self._wake(notification.payload)

    async def _look(self):
        """Wake those whose inbox has another number than they have seen."""
        for user_id, number in await in_reader(
            _numbers_of, [next(iter(found)).user_id for found in self._waiters.values()]
        ):
            self._wake(str(user_id), number)

    def _wake(self, key, number=None):
        for waiter in self._waiters.get(key, ()):
            # A stream that has seen nothing yet is just about to look.
            if number is None or waiter.seen not in (None, number):
                waiter.wake()


def _numbers_of(people):
    """``(user_id, number)`` of those of ``people`` who have an inbox."""
    found = []
    for start in range(0, len(people), PEOPLE_A_QUERY):
        found += Inbox.objects.filter(user__in=people[start : start + PEOPLE_A_QUERY]).values_list(
            "user_id", "sequence"
        )
    return found


def listens():
    """Tell whether the database says by itself what has changed: PostgreSQL, with the driver that can listen
    without a thread.
    """
    if connections[router.db_for_write(Inbox)].vendor != "postgresql":
        return False
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return is_psycopg3


async def _connect():
    """A connection of the hub's own, with the parameters of Django's."""
    import psycopg

    parameters = connections[router.db_for_write(Inbox)].get_connection_params()
    # Django's is for synchronous code.
    del parameters["cursor_factory"]
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
