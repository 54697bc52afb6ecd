"""A stream that stays open, on an ASGI server: it waits, and reads when ``stream_waking`` wakes it.

Note [what an open stream holds]: a coroutine and an entry among those who wait. No database connection: what
it reads, it reads in one of a few threads that all streams share (``stream_reader``). And no thread: Django
gives each request one of its own, for synchronous code, until the answer is complete; here it is given back
before the waiting begins.
"""

from time import monotonic

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections

from .stream_batches import read_batch, retry_in
from .stream_reader import in_reader
from .stream_waking import hub

# Then the browser comes again, and a session that has ended is noticed.
OPEN_SECONDS = 300
# Proxies close what is silent for a minute.
HEARTBEAT_SECONDS = 20
# Soon, as a reader who is cut off is told nothing meanwhile.
RETRY_SECONDS = 2


async def open_stream(user_id, last):
    """Yield what changes in this person's inbox after ``last``, until the client is gone or the time is
    over.
    """
    await _give_thread_back()
    yield retry_in(RETRY_SECONDS)
    closes_at = monotonic() + OPEN_SECONDS
    # Registered before the first look: what changes from here on wakes, so nothing falls between looking and
    # waiting.
    with hub().waiting(user_id) as waiter:
        while True:
            waiter.begin_look()
            batch = await in_reader(read_batch, user_id, last)
            waiter.seen = last = batch.last
            if batch.text:
                yield batch.text
            if batch.more:
                continue
            left = closes_at - monotonic()
            if left <= 0:
                return
            if not await waiter.woken_within(min(left, HEARTBEAT_SECONDS)):
                yield ": still here\n\n"


async def _give_thread_back():
    """See note [what an open stream holds]. Whatever Django does synchronously afterwards gets a new one."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context not in SyncToAsync.context_to_thread_executor:
        return
    await sync_to_async(connections.close_all)()
    SyncToAsync.context_to_thread_executor.pop(context).shutdown(wait=False)
