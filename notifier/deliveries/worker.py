"""Claim → gates → compose → send → record: the central loop, for every channel and wherever it runs.

Called by the channels' functions, the console and ``notifier.testing``; it knows nothing of Lambda but takes
a ``Clock``.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..channels import registry
from ..channels.limits import Limit
from ..channels.message import Message
from ..events.causes import caused_by
from ..exceptions import SendError
from ..gates.table import BUDGET, ask_all
from ..observing import keys
from . import clock as time
from .calls import Calls, Ready, SendBatch
from .claims import Work, claim_deliveries, mark_sending, release, release_slow
from .clock import Clock, OpenSession
from .composing import Composer
from .holding import hold
from .outcome_counts import count_outcomes
from .outcomes import Policy
from .purse import Purse
from .results import Results
from .settling import settle
from .slots import Slots
from .suspects import set_apart

logger = logging.getLogger(__name__)

# How often a run that waits for its calls looks at the time.
LOOK_SECONDS = 0.25
# What is left for it when a function that waits for its last calls has to store what came back.
STORING_SECONDS = 2

# A message and the open session → the provider's id; it raises a SendError where it did not go out.
Send = Callable[[Message, Any], str]
# What has a limit of its own within the channel, such as one chat: `(key, Limit)`.
Part = Callable[[Message], tuple[str, Limit] | None]
Rate = Limit | Callable[[], Limit | None]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel at work: its policy, how to send, and what opens a session, one for each call in flight.

    ``concurrency``: how many calls at once. ``rate`` is the provider's; ``used_up(session)`` is for how many
    seconds the provider takes no more.
    """

    name: str
    send_batch: SendBatch
    policy: Policy
    session: OpenSession = nullcontext
    batch_size: int = 1
    concurrency: int = 1
    rate: Rate | None = None
    part: Part | None = None
    used_up: Callable[[Any], int] | None = None

    def deliver(self, ids: Sequence[int], clock: Clock) -> None:
        """Send those of the deliveries ``ids`` that can be claimed. What time does not allow is due at once:
        the sweep rings for it, and no message has to come again.
        """
        works, suspects = set_apart(self._claim(ids, clock))
        if suspects and (works or len(suspects) > 1):
            # Whatever ends this function meanwhile was none of these.
            release([work for message in suspects for work in message])
        else:
            works += [work for message in suspects for work in message]
            suspects = []
        self._send_all(works, clock)
        while suspects and not clock.is_time_up():
            self._send_all(self._claim([suspects.pop(0)[-1].pk], clock), clock)

    def _claim(self, ids: Sequence[int], clock: Clock) -> list[Work]:
        works = claim_deliveries(ids, channel=self.name, lease_seconds=clock.seconds_left())
        clock.callback(count_outcomes, works)
        return works

    def _send_all(self, works: list[Work], clock: Clock) -> None:
        """Send until time is up; the rest is given back. When this returns, nothing is in flight but what
        hangs.
        """
        run = _Run(self, clock)
        works, settled = settle(works, self.name, partial(clock.session, self.session), run.price)
        run.results.add(settled)
        run.results.store()
        answers = ask_all(works, self.name)
        run.results.add([(work, answer) for work, answer in zip(works, answers, strict=True) if answer])
        run.results.store()
        run.send([work for work, answer in zip(works, answers, strict=True) if not answer])


class _Run:
    """The works of one claim on their way. This thread alone has the database; see note [one thread has the
    database] in ``calls``.

    A message is made just before it is sent, when there is room for its call.
    """

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel, self._clock = channel, clock
        self._slots = Slots(channel, clock, pause=self._pass_time)
        in_turn = channel.concurrency == 1
        self.results = Results(channel.name, channel.policy, self._slots, in_turn=in_turn)
        self._calls = Calls(
            channel.name, channel.send_batch, clock, channel.session, most=channel.concurrency
        )

    def send(self, works: Sequence[Work]) -> None:
        has_budget = any(BUDGET not in work.clear for work in works)
        self._purse = Purse(
            self._channel.name, self._clock, has_budget=has_budget, under_way=self._store_and_price
        )
        self._composer = Composer(works, self._channel.name)
        self._queue: deque[Work] = self._slots.in_order(self._composer.works)
        try:
            while self._queue and self._has_room():
                self._send_next()
            self.results.store()
            self._give_back()
        finally:
            self._await_calls()

    def price(self, message: Message) -> int:
        """About what it costs; nothing where that cannot be said, which is no reason not to send it."""
        try:
            return registry.price(self._channel.name, message)
        except Exception as error:
            logger.warning("What delivery %d costs is not known: %s", message.delivery, type(error).__name__)
            return 0

    def _has_room(self) -> bool:
        """Wait until one more call can be made; False when it cannot in time."""
        while not self._clock.is_time_up():
            if not self._calls.are_full:
                return True
            if self._calls.hang:
                return False
            self._collect(LOOK_SECONDS)
        return False

    def _collect(self, seconds: float) -> None:
        """Take what has come back, waiting up to ``seconds`` for it, and store the group when it is time."""
        for called in self._calls.come_back(min(seconds, self.results.seconds_left)):
            self.results.add_called(called)
        if self.results.seconds_left <= 0:
            self.results.store()

    def _pass_time(self, seconds: float) -> None:
        """Wait for a slot; meanwhile what comes back is stored."""
        end = time.monotonic() + seconds
        while self._calls and (left := end - time.monotonic()) > 0:
            self._collect(left)
        if (left := end - time.monotonic()) > 0:
            if left > self.results.seconds_left:
                self.results.store()
            time.sleep(left)

    def _store_and_price(self) -> int:
        """Store what has come back, so that it counts as spent; returns what is in flight costs."""
        self._collect(0)
        self.results.store()
        return self._calls.cost_micros

    def _give_back(self) -> None:
        """Time is up. With a rate, each comes again in its turn; else all, with the next sweep."""
        if self._queue and self._slots.is_limited:
            self.results.add(self._slots.send_away(self._queue))
            self.results.store()
        else:
            release(self._queue)

    def _await_calls(self) -> None:
        """Store what still comes back, as long as there is time for it."""
        while self._calls and not self._calls.hang and self._clock.seconds_left() > STORING_SECONDS:
            self._collect(LOOK_SECONDS)
        self.results.store()
        if self._calls:
            ids = self._calls.delivery_ids
            logger.error("%s has not answered to deliveries %s, which stay claimed.", self._channel.name, ids)

    def _send_next(self) -> None:
        """Send what one call takes of the queue."""
        with self._composer.together() if self._channel.batch_size > 1 else nullcontext():
            batch = self._compose_batch()
        rest = len(self._queue)
        number = self._purse.pay([each.cost_micros for each in batch], rest=rest) if batch else 0
        if number < len(batch):
            hold([*(each.work for each in batch[number:]), *self._queue])
            self._queue.clear()
        if not (batch := batch[:number]):
            return
        works = [each.work for each in batch]
        events = {event for work in works for event in work.event_ids}
        with (
            keys(event_ids=sorted(events), delivery_ids=[work.pk for work in works]),
            caused_by(*events),
        ):
            if away := self._slots.admit(works, batch[0].message, self._queue):
                self.results.add(away)
            elif self._may_call(works):
                self._calls.begin(batch)
        self._collect(0)

    def _compose_batch(self) -> list[Ready]:
        """The messages that one call takes, from the front of the queue; none where time ended meanwhile.

        Of a batch, all are made before any is sent, so time is looked at after each.
        """
        batch: list[Ready] = []
        while self._queue and len(batch) < self._channel.batch_size:
            work = self._queue.popleft()
            try:
                with caused_by(*work.event_ids):
                    message = self._composer.compose(work)
                    cost = self.price(message)
            except SendError as error:
                self.results.add([(work, error)])
                continue
            if self._clock.is_time_up():
                release_slow(work)
                self._queue.extendleft(each.work for each in reversed(batch))
                return []
            batch.append(Ready(work, message, cost))
        return batch

    def _may_call(self, works: Sequence[Work]) -> bool:
        """Whether the claim still holds; asked where nothing may go twice."""
        if not self._channel.policy.at_most_once or mark_sending(works):
            return True
        logger.error(
            "The claim on deliveries %s ended before they were sent; the one that has it sends them.",
            [work.pk for work in works],
        )
        return False
