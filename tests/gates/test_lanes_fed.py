"""A hundred thousand of bulk in the line, urgent ones between them: the functions, the queue and the sweep
together, in virtual time.
"""

import threading
from collections import deque
from itertools import count
from types import SimpleNamespace

import pytest
from django.utils import timezone

from notifier.channels.limits import Limit
from notifier.deliveries import sweep
from notifier.deliveries.clock import RESERVE_SECONDS, Clock
from notifier.deliveries.slots import REASON, Slots
from notifier.models import Lane
from tests.support import virtual_time
from tests.support.lanes_at_work import Piece, Told
from tests.support.patience import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

# Of a deployment; see `notifier.deploy.stack.declaration`.
FUNCTIONS, MESSAGES, CHUNK = 10, 5, 50
FUNCTION_SECONDS, RATE = 60, Limit(number=14)


class House:
    """Bulk is due as in a line. ``sweep_seconds``: between two sweeps."""

    def __init__(self, monkeypatch, *, seconds, sweep_seconds, urgent_every):
        self.seconds, self.sent, self._lock = seconds, [], threading.Lock()
        self._queue, self._ids, self._came = deque(), count(1), {}
        self._due = [
            (position * RATE.interval, Piece(next(self._ids), Lane.BULK, REASON))
            for position in range(int(2 * seconds / RATE.interval))
        ]
        players = [self._function] * FUNCTIONS
        self._time = virtual_time.begin(monkeypatch, len(players) + 2)
        self._begin = self._time.monotonic()
        in_threads(
            *(lambda player=player: self._leaving(player) for player in players),
            lambda: self._leaving(lambda: self._sweep(sweep_seconds)),
            lambda: self._leaving(lambda: self._happen(urgent_every)),
        )

    def _leaving(self, player):
        try:
            player()
        finally:
            self._time.leave()

    @property
    def _now(self):
        return self._time.monotonic() - self._begin

    def _sweep(self, every):
        while self._now < self.seconds:
            with self._lock:
                due = [piece for at, piece in self._due if at <= self._now]
                self._due = [(at, piece) for at, piece in self._due if at > self._now]
                self._queue += [due[start : start + CHUNK] for start in range(0, len(due), CHUNK)]
            self._time.sleep(every)

    def _happen(self, every):
        while self._now < self.seconds:
            piece = Piece(next(self._ids), Lane.URGENT, "")
            with self._lock:
                self._came[piece.pk] = self._now
                # As a fair queue: the message of a group of its own is not behind another's many.
                self._queue.appendleft([piece])
            self._time.sleep(every)

    def _function(self):
        while self._now < self.seconds:
            with self._lock:
                messages = [self._queue.popleft() for _ in range(min(MESSAGES, len(self._queue)))]
            if messages:
                self._deliver([piece for message in messages for piece in message])
            else:
                self._time.sleep(0.2)

    def _deliver(self, works):
        end = self._time.monotonic() + FUNCTION_SECONDS
        channel = SimpleNamespace(name="email", rate=RATE, part=None, used_up=None)
        slots = Slots(channel, Clock(lambda: end - self._time.monotonic()), pause=self._time.sleep)
        queue, away = slots.in_order(works), []
        while queue and not away and self._now < self.seconds:
            if end - self._time.monotonic() < RESERVE_SECONDS:
                away = slots.send_away(queue)
                break
            work = queue.popleft()
            away = slots.admit([work], Told(work.pk), queue)
            if not away:
                with self._lock:
                    self.sent.append((work.lane, self._now - self._came.get(work.pk, self._now), self._now))
        now = timezone.now()
        with self._lock:
            for work, later in away:
                again = self._now + (later.due_at - now).total_seconds()
                self._due.append((again, work._replace(reason=REASON)))

    def used(self):
        return len(self.sent) * RATE.interval / self.seconds

    def waits(self):
        found = sorted(wait for lane, wait, _at in self.sent if lane == Lane.URGENT)
        return found[len(found) // 2], found[int(0.95 * len(found))]


def test_bulk_uses_the_rate_and_urgent_ones_are_sent_in_a_second(monkeypatch):
    house = House(monkeypatch, seconds=300, sweep_seconds=sweep.TURN_SECONDS, urgent_every=3)
    assert virtual_time.most_in([at for *_, at in house.sent], 1) <= RATE.number
    assert house.used() >= 0.95
    assert house.waits() <= (0.6, 1)
