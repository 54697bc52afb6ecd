"""Waits for a slot before each send, or sends a message away that would wait too long.

Called by ``worker``; ``gates.rates`` gives the slots out.
"""

import datetime as dt
import logging
import math
from collections import deque
from typing import NamedTuple

from django.utils import timezone

from ..channels import waits
from ..channels.limits import GRACE_SECONDS, Limit
from ..exceptions import Later, TryAgain
from ..gates import rates
from . import clock as time

logger = logging.getLogger(__name__)

# What a delivery waits for that was sent away, and what a provider's own “not so fast” is called by every
# channel.
REASON, THROTTLED = "rate", "throttled"
# No function takes more of the future than this at once, so that the others need not be sent away.
MOST_SECONDS_AHEAD = 0.25
# How long nobody sends when a provider has enough and does not say until when.
BACK_OFF_SECONDS = 1
# After so many slots that came and went while the database answered, slow sending is better than none.
MOST_LOST = 5
# Who is sent away comes again with the sweep, every minute: the same time for several spares statements.
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
        """A queue of Works: one that has waited for a slot before comes first."""
        return deque(sorted(works, key=lambda work: work.reason != REASON) if self.is_limited else works)

    def admit(self, works, message, queue):
        """Wait until ``works`` may be sent, of which ``message`` is the first's; ``queue`` comes after them.

        Returns those that should come again instead, as ``(Work, Later)``: it alone, if its own part of the
        channel has no slot; or all, which empties the queue, if the others have none either in time.
        """
        if not self.is_limited:
            return []
        if refused := self._ask_part(works[0], message):
            return [(work, refused) for work in works]
        if self._wait(len(works) + len(queue), works[0].reason == REASON):
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
        """The Later of a message whose own part of the channel has no slot at this moment, or None."""
        if not (part := self._part_of(message)):
            return None
        (name, limit), waited = part, work.reason == REASON
        if rates.reserve(name, limit, 1, patience_seconds=0, has_waited=waited) is not None:
            return None
        return _later(rates.queue_up(name, limit, 1, has_waited=waited)[0], limit)

    def _wait(self, wanted, has_waited):
        """Wait for the next slot; tell whether it came, and this function was there in time."""
        while not self._clock.is_time_up():
            if self._limit is None:
                return True
            if not self._slots and not self._reserve(wanted, has_waited):
                return False
            slot = self._slots.popleft()
            if (seconds := slot.begins - time.monotonic()) > 0:
                self._pause(seconds)
            late = time.monotonic() - slot.begins
            self._latest = max(self._latest, late)
            if time.monotonic() <= slot.ends or self._lost >= MOST_LOST:
                self._lost = 0
                return True
            # Too slow for so many: fewer at once, from now on.
            self._lost += 1
            self._most = max(1, self._number // 2)
        return False

    def _reserve(self, wanted, has_waited):
        if self._latest < GRACE_SECONDS / 4:
            self._number *= 2
        self._number, self._latest = min(self._number, self._most), 0.0
        patience = min(rates.PATIENCE_SECONDS, self._clock.seconds_left() - time.RESERVE_SECONDS)
        number = min(self._number, wanted)
        before = time.monotonic()
        first = rates.reserve(
            self._name, self._limit, number, patience_seconds=patience, has_waited=has_waited
        )
        if first is None:
            return False
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
        for has_waited in (True, False):
            some = [work for work in works if (work.reason == REASON) == has_waited]
            if some:
                limit = self._limit or Limit()
                times = rates.queue_up(self._name, limit, len(some), has_waited=has_waited)
                found += [(work, _later(seconds, limit)) for work, seconds in zip(some, times, strict=True)]
        logger.info("%s: %d deliveries wait for their slots.", self._name, len(found))
        return found


def _later(seconds, limit):
    due = timezone.now().timestamp() + seconds
    due_at = dt.datetime.fromtimestamp(math.ceil(due / STEP_SECONDS) * STEP_SECONDS, dt.UTC)
    return Later(REASON, f"The limit is {limit}.", due_at=due_at)
