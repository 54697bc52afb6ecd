"""Claim → gates → compose → send → record: the central loop, for every channel and wherever it runs.

Called by the channels' functions, the console and ``notifier.testing``; it knows nothing of Lambda but takes
a ``Clock``.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from traceback import format_tb
from typing import Any

from ..channels import registry
from ..channels.limits import Limit
from ..channels.message import Message
from ..exceptions import OutcomeUnknown, SendError
from ..gates import budgets
from ..gates.table import ask_all
from ..observing import keys, measure
from ..people import suppression
from .announcements import announce_outcomes
from .answers import record_answers
from .claims import Work, claim_deliveries, mark_sending, release
from .clock import Clock, OpenSession
from .composing import compose_messages
from .holding import hold
from .outcome_counts import count_outcomes
from .outcomes import Answer, Policy, Sent
from .settling import settle
from .slots import Slots

logger = logging.getLogger(__name__)


# A message and the open session → the provider's id; it raises a SendError where it did not go out.
Send = Callable[[Message, Any], str]
# Messages and the open session → for each a provider's id or a SendError.
SendBatch = Callable[[Sequence[Message], Any], Sequence[str | SendError]]
# What has a limit of its own within the channel, such as one chat: `(key, Limit)`.
Part = Callable[[Message], tuple[str, Limit] | None]
Rate = Limit | Callable[[], Limit | None]
# What is about to be sent, in its order.
Ready = list[tuple[Work, Message]]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel at work: its policy, how to send, and the session that one run's calls share.

    ``rate`` is the provider's; ``used_up(session)`` is for how many seconds the provider takes no more.
    """

    name: str
    send_batch: SendBatch
    policy: Policy
    session: OpenSession = nullcontext
    batch_size: int = 1
    rate: Rate | None = None
    part: Part | None = None
    used_up: Callable[[Any], int] | None = None

    def deliver(self, ids: Sequence[int], clock: Clock) -> set[int]:
        """Send those of the deliveries ``ids`` that can be claimed; returns the keys of those that time did
        not allow.
        """
        works = claim_deliveries(ids, channel=self.name, lease_seconds=clock.seconds_left())
        clock.callback(count_outcomes, works)
        return {each.pk for work in self._send_all(works, clock) for each in work.everything}

    def _send_all(self, works: list[Work], clock: Clock) -> list[Work]:
        """Send until time is up; returns the Work that was given back."""
        works, settled = settle(works, self.name, partial(clock.session, self.session), self._price)
        self._record(settled)
        answers = ask_all(works, self.name)
        self._record([(work, answer) for work, answer in zip(works, answers, strict=True) if answer])
        ready, refused = compose_messages(
            [work for work, answer in zip(works, answers, strict=True) if not answer], self.name
        )
        self._record(refused)
        ready = self._within_budget(ready, clock)
        session = clock.session(self.session) if ready else None
        slots = Slots(self, clock)
        queue = slots.in_order(ready)
        while queue:
            if clock.is_time_up() and not slots.is_limited:
                left = [work for work, _ in queue]
                release(left)
                return left
            self._record(slots.admit(queue))
            if batch := [queue.popleft() for _ in range(min(self.batch_size, len(queue)))]:
                works = [work for work, _ in batch]
                with keys(
                    event_ids=sorted({work.event_id for work in works}),
                    delivery_ids=[work.pk for work in works],
                ):
                    slots.note(self._send(batch, session), [message for _, message in batch], session)
        return []

    def _within_budget(self, ready: Ready, clock: Clock) -> Ready:
        """The ones of ``ready`` that the channel's budget pays for; the others are held."""
        if not ready or not budgets.has_budget(self.name):
            return ready
        costs = [self._price(message) for _, message in ready]
        number, spending = budgets.admit(self.name, costs, seconds=clock.seconds_left())
        if spending:
            clock.callback(budgets.settle, spending)
            hold([work for work, _ in ready[number:]])
        return ready[:number]

    def _send(self, batch: Ready, session: Any) -> list[Answer]:
        """One call, its results stored before the next; returns them.

        No transaction is open while the provider is called: it can take a minute.
        """
        works = [work for work, _ in batch]
        if self.policy.at_most_once and not mark_sending(works):
            logger.error(
                "The claim on deliveries %s ended before they were sent; the one that has it sends them.",
                [w.pk for w in works],
            )
            return []
        started = time.perf_counter()
        called = self._call(batch, session)
        milliseconds = (time.perf_counter() - started) * 1000
        measure("ProviderLatency", milliseconds, "Milliseconds")
        answers: list[Answer] = [
            answer if isinstance(answer, SendError) else Sent(answer, self._price(message))
            for answer, (_, message) in zip(called, batch, strict=True)
        ]
        self._record(list(zip(works, answers, strict=True)))
        suppression.heed(zip(works, answers, strict=True), self.name)
        taken = sum(isinstance(answer, Sent) for answer in answers)
        logger.info("%s took %d of %d in %d ms.", self.name, taken, len(answers), milliseconds)
        return answers

    def _record(self, answers: Sequence[tuple[Work, Answer]]) -> None:
        """Store the answers, then tell the receivers that listen.

        A receiver that takes long takes it from the next batch, not from this.
        """
        announce_outcomes(record_answers(answers, self.policy), channel=self.name)

    def _price(self, message: Message) -> int:
        """About what it costs; nothing where that cannot be said, which is no reason not to send it."""
        try:
            return registry.price(self.name, message)
        except Exception as error:
            logger.warning("What delivery %d costs is not known: %s", message.delivery, type(error).__name__)
            return 0

    def _call(self, batch: Ready, session: Any) -> list[str | SendError]:
        """The channel's answer to each of the batch: a provider's id, or a SendError."""
        try:
            return _checked(self.send_batch([message for _, message in batch], session), len(batch))
        except SendError as error:
            return [error] * len(batch)
        except Exception as error:
            # The error's own text stays out of the log: it may hold the address or the message.
            ids, trace = [work.pk for work, _ in batch], "".join(format_tb(error.__traceback__))
            logger.error("%s failed at deliveries %s: %s\n%s", self.name, ids, type(error).__name__, trace)
            return [OutcomeUnknown("error", type(error).__name__)] * len(batch)


def _checked(answers: Iterable[str | SendError], expected: int) -> list[str | SendError]:
    """One answer a message.

    What a channel gives back, even nothing, was taken by its provider; only an error says otherwise.
    """
    answers = [answer if isinstance(answer, SendError) else str(answer or "") for answer in answers]
    if len(answers) != expected:
        raise TypeError(f"{len(answers)} answers for {expected} messages")
    return answers
