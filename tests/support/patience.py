"""How tests wait: for what is to happen, or until nothing moves any more.

Machines differ, so seconds say nothing.

A time-out that a test is about is short, and what it cuts off lasts; every other one is ``PATIENCE_SECONDS``.
"""

from threading import Event, Thread
from time import monotonic

from django.db import connections

# Nothing that a test waits for takes as long on any machine: this ends a test that hangs.
PATIENCE_SECONDS = 900
# Where a test sees whether something moves: nothing has moved for so long.
STANDSTILL_SECONDS = 180
LOOK_SECONDS = 0.02
_never = Event()


def wait_until(holds, what, *, progress=None, standstill_seconds=STANDSTILL_SECONDS, pause=_never.wait):
    """Return what ``holds()`` gives as soon as that is true.

    Raises AssertionError, with ``what`` was awaited, else.

    ``progress()`` is anything that changes as long as something moves, such as a number of messages: the wait
    ends when it has stood still for ``standstill_seconds``. Without it, it ends after ``PATIENCE_SECONDS``.
    ``pause(seconds)`` passes the time.
    """
    patience = standstill_seconds if progress else PATIENCE_SECONDS
    seen, since = progress and progress(), monotonic()
    while not (found := holds()):
        if progress and (now := progress()) != seen:
            seen, since = now, monotonic()
        at = f" and stands at {seen!r}" if progress else ""
        assert monotonic() - since < patience, f"{what}: not so{at} after {patience} s without a change"
        pause(LOOK_SECONDS)
    return found


def in_threads(*jobs):
    """Run the jobs at the same time, with database connections of their own; what one raises, this raises."""
    failed = []

    def run(job):
        try:
            job()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    # A thread that hangs does not keep the process from its end.
    threads = [Thread(target=run, args=[job], daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        ended(thread)
    if failed:
        raise failed[0]


def ended(thread):
    """Wait for the end of a thread."""
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), f"{thread.name} has not ended"
