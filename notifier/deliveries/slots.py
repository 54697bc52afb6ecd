"""Waits for a slot before each send, or sends a message away that would wait too long.

Called by ``worker``; ``gates.rates`` gives the slots out.
"""

import datetime as dt
import logging
import math
from collections import deque
from itertools import groupby, takewhile
from typing import NamedTuple

from django.utils import timezone

from ..channels import waits
from ..channels.limits import GRACE_SECONDS, Limit
from ..exceptions import Later, TryAgain
from ..gates import rates
from ..models import Lane
from . import clock as time

logger = logging.getLogger(__name__)

# What a delivery waits for that was sent away, and what a provider's own “not so fast” is called by every
# channel.
REASON, THROTTLED = "rate", "throttled"
# How long a function waits until it has a slot; what takes longer is sent away. While it waits, it takes up
# nothing else: for bulk it waits the least.
PATIENCE_SECONDS = {Lane.URGENT: 10, Lane.NORMAL: 2, Lane.BULK: 1}
# Between two looks for a slot, at least: with many functions, it may be gone again.
LOOK_SECONDS = 0.02
# No function takes more of the future than this at once, so that the others need not be sent away.
MOST_SECONDS_AHEAD = 0.25
# How long nobody sends when a provider has enough and does not say until when.
BACK_OFF_SECONDS = 1
# After so many slots that came and went while the database answered, slow sending is better than none.
MOST_LOST = 5
# Who is sent away comes again with the sweep, in turns: the same time for several spares statements.
STEP_SECONDS = 5


class Slot(NamedTuple):
    """The time when a message may be sent, by this process's own clock."""

    begins: float
    ends: float


class Slots:
    """One run's slots.

    ``channel`` is the ``worker.Channel``; without a rate, everything goes at once and asks nothing.
    ``pause(seconds)`` waits for a slot.
    """

    def __init__(self, channel, clock, *, pause):
        self._pause = pause
        self._name, self._part, self._used_up, self._clock = (
            channel.name,
            channel.part,
            channel.used_up,
            clock,
        )
        self._limit = channel.rate() if callable(channel.rate) else channel.rate
        self._slots = deque()
        # As many slots as this function can use in time: it begins with one, and learns.
        self._number = 1
        self._most = (
            max(1, int(MOST_SECONDS_AHEAD / self._limit.interval))
            if self._limit and self._limit.number
            else 1
        )
        self._latest, self._lost = GRACE_SECONDS, 0

    @property
    def is_limited(self):
        return self._limit is not None or self._part is not None

    def in_order(self, works):
        """A queue of Works: the urgent first, and of a lane one that has waited for a slot before."""
        return deque(sorted(works, key=_kind) if self.is_limited else works)

    def admit(self, works, message, queue):
        """Wait until ``works`` may be sent, of which ``message`` is the first's; ``queue`` comes after them.

        Returns those that should come again instead, as ``(Work, Later)``: it alone, if its own part of the
        channel has no slot; or all, which empties the queue, if the others have none either in time.
        """
        if not self.is_limited:
            return []
        if refused := self._ask_part(works[0], message):
            return [(work, refused) for work in works]
        if self._wait([*works, *queue]):
            return []
        away = self.send_away([*works, *queue])
        queue.clear()
        return away

    def note(self, answers, messages, session):
        """Close the rate, or that of a message's own part, for a while where the provider has said that it
        has enough.

        What came of the messages is stored already.
        """
        if not self.is_limited:
            return
        found = {}
        for answer, message in zip(answers, messages, strict=False):
            if isinstance(answer, TryAgain) and answer.reason == THROTTLED:
                name, _limit = self._part_of(message) or (self._name, None)
                seconds = waits.bounded(answer.after_seconds) or BACK_OFF_SECONDS
                found[name] = max(found.get(name, (0, 0)), (seconds, message.delivery))
        if self._used_up and (seconds := self._used_up(session)):
            found[self._name] = max(found.get(self._name, (0, 0)), (seconds, messages[-1].delivery))
        for name, (seconds, delivery) in found.items():
            logger.info("%s has enough for %d s.", self._name, seconds)
            rates.push(name, seconds, delivery=delivery)
        if self._name in found:
            self._slots.clear()

    def _part_of(self, message):
        """``(name, Limit)`` of the part of the channel that a message goes to, or None."""
        key, limit = (self._part(message) if self._part else None) or ("", None)
        return (f"{self._name}:{key}"[:200], limit) if limit else None

    def _ask_part(self, work, message):
        """The Later of a message whose own part of the channel has no slot at this moment, or None.

        An urgent one waits for it, as does one whose lane has not had its share.
        """
        if not (part := self._part_of(message)):
            return None
        asker = self._asker(work, *part)
        if work.lane != Lane.URGENT:
            asker = asker._replace(ahead_seconds=0)
        if (seconds := rates.reserve(asker, 1)) is None:
            return _later(rates.queue_up(asker, 1)[0], asker.limit)
        self._sleep(seconds)
        return None

    def _asker(self, work, name, limit):
        seconds = max(0.0, self._clock.seconds_left() - time.RESERVE_SECONDS)
        return rates.Asker(name, limit, work.lane, work.reason == REASON, seconds)

    def _sleep(self, seconds):
        if seconds > 0:
            self._pause(seconds)

    def _wait(self, works):
        """Wait for the next slot, for the first of ``works``; tell whether it came, and this function was
        there in time.
        """
        while not self._clock.is_time_up():
            if self._limit is None:
                return True
            if not self._slots and not self._reserve(works):
                return False
            slot = self._slots.popleft()
            self._sleep(slot.begins - time.monotonic())
            late = time.monotonic() - slot.begins
            self._latest = max(self._latest, late)
            if time.monotonic() <= slot.ends or self._lost >= MOST_LOST:
                self._lost = 0
                return True
            # Too slow for so many: fewer at once, from now on.
            self._lost += 1
            self._most = max(1, self._number // 2)
        return False

    def _patience(self, lane):
        """Where slots are rare, at least the one behind an urgent message's is waited for."""
        return max(PATIENCE_SECONDS[lane], min(2 * self._limit.interval, PATIENCE_SECONDS[Lane.NORMAL]))

    def _reserve(self, works):
        """Reserve slots for the first of ``works`` and those of its kind, which follow it."""
        if self._latest < GRACE_SECONDS / 4:
            self._number *= 2
        self._number, self._latest = min(self._number, self._most), 0.0
        number = sum(1 for _ in takewhile(lambda work: _kind(work) == _kind(works[0]), works))
        number = min(self._number, number)
        before = time.monotonic()
        asker = self._asker(works[0], self._name, self._limit)
        end = before + min(self._patience(asker.lane), asker.ahead_seconds)
        while (first := rates.reserve(asker, number)) is None:
            seconds = rates.find_next(asker)
            if seconds is None or time.monotonic() + seconds > end:
                return False
            self._sleep(max(seconds, LOOK_SECONDS))
            before = time.monotonic()
        after, interval, burst = time.monotonic(), self._limit.interval, self._limit.burst
        # Where no slot is a time of its own, there is nothing to be late for.
        grace = GRACE_SECONDS if interval and not burst else math.inf
        for position in range(number):
            seconds = first + position * interval
            self._slots.append(Slot(after + seconds, before + seconds + grace))
        return True

    def send_away(self, works):
        """``(Work, Later)`` of each: it comes again when it is likely to get a slot."""
        found = []
        for _same, alike in groupby(sorted(works, key=_kind), key=_kind):
            some = list(alike)
            asker = self._asker(some[0], self._name, self._limit or Limit())
            times = rates.queue_up(asker, len(some))
            found += [(work, _later(seconds, asker.limit)) for work, seconds in zip(some, times, strict=True)]
        logger.info("%s: %d deliveries wait for their slots.", self._name, len(found))
        return found


def _kind(work):
    """What asks for slots in the same way: of one lane, and sent away before or not. The first goes first."""
    return work.lane, work.reason != REASON


def _later(seconds, limit):
    due = timezone.now().timestamp() + seconds
    due_at = dt.datetime.fromtimestamp(math.ceil(due / STEP_SECONDS) * STEP_SECONDS, dt.UTC)
    return Later(REASON, f"The limit is {limit}.", due_at=due_at)
