"""The few threads in which all open streams of a process read."""

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.db import close_old_connections

# As many database connections do all streams of a process use at most.
READERS = 4

_readers = ThreadPoolExecutor(READERS, thread_name_prefix="notifier-stream")


async def in_reader(function, *arguments):
    """``function(*arguments)`` in one of the threads that all streams share; its connection is not kept
    longer than Django would.
    """

    def call():
        close_old_connections()
        try:
            return function(*arguments)
        finally:
            close_old_connections()

    return await sync_to_async(call, thread_sensitive=False, executor=_readers)()
