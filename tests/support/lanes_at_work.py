"""Functions of three lanes that send through one provider, in virtual time: who gets how much, and how
soon.
"""

import threading
from collections import namedtuple
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import SimpleNamespace

from notifier.channels.limits import Limit
from notifier.deliveries.clock import RESERVE_SECONDS, Clock
from notifier.deliveries.slots import REASON, Slots
from notifier.gates import rates
from notifier.models import Lane
from tests.support import virtual_time
from tests.support.patience import in_threads

# What a function is rung for at once.
CHUNK = 50
# The sweep brings back who was sent away; here soon, so that functions are never out of work.
BACK_AFTER_SECONDS = 2
# How long all learn how many slots they can use; what is sent meanwhile is not in the shares.
SETTLING_SECONDS = 4

Piece = namedtuple("Piece", ["pk", "lane", "reason"])
Told = namedtuple("Told", ["delivery"])
Passed = namedtuple("Passed", ["lane", "came", "at"])


@dataclass(kw_only=True)
class Scenario:
    """``functions``: lane → how many of them never run out of its works.

    ``urgent_every``: seconds between two urgent messages, each in a function that is free. ``closes``: at
    these seconds the provider has enough for three.
    """

    limit: Limit
    functions: dict[int, int] = field(default_factory=dict)
    urgent_every: float = 0
    seconds: float = 30
    closes: tuple = ()
    in_one_room: bool = False


class Play:
    """One run of a Scenario."""

    def __init__(self, scenario, monkeypatch):
        self.scenario, self.passed, self._ids, self._lock = scenario, [], count(1), threading.Lock()
        players = [
            *(partial(self._never_idle, lane) for lane, n in scenario.functions.items() for _ in range(n)),
            *(lambda at=at: self._close(at) for at in scenario.closes),
        ]  # fmt: skip
        if scenario.urgent_every:
            players += [lambda offset=offset: self._now_and_then(offset) for offset in range(4)]
        self._time = virtual_time.begin(monkeypatch, len(players))
        self._begin = self._time.monotonic()
        in_threads(*(lambda player=player: self._leaving(player) for player in players))

    def _leaving(self, player):
        try:
            player()
        finally:
            self._time.leave()

    @property
    def _passed_seconds(self):
        return self._time.monotonic() - self._begin

    def _never_idle(self, lane):
        reason = REASON
        while self._passed_seconds < self.scenario.seconds:
            if self._send([Piece(next(self._ids), lane, reason) for _ in range(CHUNK)]):
                self._time.sleep(BACK_AFTER_SECONDS)

    def _now_and_then(self, offset):
        """Every fourth of the urgent messages."""
        every = self.scenario.urgent_every
        for number in count(offset, 4):
            at = SETTLING_SECONDS + number * every
            if at >= self.scenario.seconds:
                return
            self._time.sleep(max(0.0, at - self._passed_seconds))
            work = Piece(next(self._ids), Lane.URGENT, "")
            while self._send([work], came=self._begin + at):
                self._time.sleep(BACK_AFTER_SECONDS)

    def _close(self, at):
        self._time.sleep(at)
        rates.push("email", 3)

    def _send(self, works, came=None):
        """Send until all are, or the rest is sent away; returns how many those are."""
        limit, room = self.scenario.limit, self.scenario.in_one_room
        channel = SimpleNamespace(
            name="email", rate=None if room else limit, part=(lambda _: ("room", limit)) if room else None,
            used_up=None,
        )  # fmt: skip
        end = self._time.monotonic() + 35 + RESERVE_SECONDS
        slots = Slots(channel, Clock(lambda: end - self._time.monotonic()), pause=self._time.sleep)
        queue, away = slots.in_order(works), []
        while queue and not away and self._passed_seconds < self.scenario.seconds:
            work, asked = queue.popleft(), self._time.monotonic()
            away = slots.admit([work], Told(work.pk), queue)
            if not away:
                with self._lock:
                    self.passed.append(Passed(work.lane, came or asked, self._time.monotonic()))
        return len(away)

    def waits(self, lane=Lane.URGENT):
        """``(p50, p95)``, in seconds."""
        found = sorted(each.at - each.came for each in self.passed if each.lane == lane)
        return found[len(found) // 2], found[int(len(found) * 0.95)]

    def most_in_any(self, seconds):
        return virtual_time.most_in([each.at for each in self.passed], seconds)

    def used(self, *lanes):
        """The share of what the rate allows that these lanes got, once all had settled."""
        begin, end = SETTLING_SECONDS, self.scenario.seconds
        number = sum(
            begin <= each.at - self._begin < end
            for each in self.passed
            if each.lane in (lanes or Lane.values)
        )
        return number * self.scenario.limit.interval / (end - begin)
