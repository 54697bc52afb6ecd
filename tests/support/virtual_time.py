"""Time that passes when everybody waits, for tests of who sends when: as exact on a busy machine as on an
idle one.

``TurnTime`` is of functions in turn, in which it passes at once.
"""

import datetime as dt
import threading
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection
from django.utils import timezone

from notifier.deliveries import clock
from notifier.gates import rates
from notifier.local.invocation import Context
from tests.support.patience import PATIENCE_SECONDS

# Far from 0, which stands for “never” in the table.
BEGINNING = 1_000_000.0


class VirtualTime:
    """What the workers' clocks and the database's show.

    It moves on, to whoever wakes next, once all ``workers`` sleep.
    """

    def __init__(self, workers, *, now=BEGINNING):
        self.now, self._awake, self._sleeping = now, workers, []
        self._changed = threading.Condition()

    def monotonic(self):
        return self.now

    def moment(self):
        """What ``timezone.now`` gives."""
        return dt.datetime.fromtimestamp(self.now, dt.UTC)

    def sleep(self, seconds):
        with self._changed:
            wakes = self.now + seconds
            self._sleeping.append(wakes)
            self._awake -= 1
            self._move_on()
            assert self._changed.wait_for(lambda: self.now >= wakes, PATIENCE_SECONDS)
            self._sleeping.remove(wakes)
            self._awake += 1

    def leave(self):
        """A worker is done; nobody waits for it any more."""
        with self._changed:
            self._awake -= 1
            self._move_on()

    def _move_on(self):
        # Who has been woken and does not run yet is awake as well.
        if self._awake == 0 and self._sleeping and min(self._sleeping) > self.now:
            self.now = min(self._sleeping)
            self._changed.notify_all()


class TurnTime:
    """As ``VirtualTime``, for functions of which one works at a time: who sleeps moves it on."""

    def __init__(self, now):
        self.now = now

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += max(0, seconds)

    def moment(self):
        """What ``timezone.now`` gives."""
        return dt.datetime.fromtimestamp(self.now, dt.UTC)


def pass_at_once(monkeypatch, module):
    """The TurnTime by which ``module``, which has its own ``monotonic`` and ``sleep``, waits from now on."""
    turn = TurnTime(0)
    for name in ("monotonic", "sleep"):
        monkeypatch.setattr(module, name, getattr(turn, name))
    return turn


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualContext(Context):
    """A Lambda context whose time is another."""

    time: VirtualTime | TurnTime
    ends: float

    @classmethod
    def beginning(cls, time, *, seconds=60):
        own = {"function_name": "function", "aws_request_id": "1", "timeout_seconds": seconds}
        return cls(time=time, ends=time.now + seconds, **own)

    def get_remaining_time_in_millis(self):
        return max(0, round((self.ends - self.time.now) * 1000))


class DatabaseClock:
    """The database's word for its clock, each time that a statement is written."""

    def __init__(self, time):
        self._time = time

    def __format__(self, _spec):
        return f"CAST({self._time.monotonic()!r} AS double precision)"


def begin(monkeypatch, workers):
    """A VirtualTime: from now on functions wait, and the database's clock shows, that time."""
    time = VirtualTime(workers)
    monkeypatch.setattr(clock, "monotonic", time.monotonic)
    monkeypatch.setattr(clock, "sleep", time.sleep)
    monkeypatch.setitem(rates.CLOCKS, connection.vendor, DatabaseClock(time))
    return time


@contextmanager
def everywhere(time):
    """Every clock of the product shows ``time``: the process's, the wall's and the database's.

    What is read once at an import, such as a field's default, shows its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "monotonic", time.monotonic)
        patch.setattr(clock, "sleep", time.sleep)
        patch.setattr(timezone, "now", time.moment)
        patch.setitem(rates.CLOCKS, connection.vendor, DatabaseClock(time))
        yield time


def most_in(times, seconds):
    """The most of these times that lie in any window of so many ``seconds``."""
    times = sorted(times)
    return max(position - bisect_right(times, end - seconds) + 1 for position, end in enumerate(times))
