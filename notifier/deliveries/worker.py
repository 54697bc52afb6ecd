"""Claim → gates → compose → send → record: the central loop, for every channel and wherever it runs.

Called by the channels' functions, the console and ``notifier.testing``; it knows nothing of Lambda but takes
a ``Clock``.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from traceback import format_tb
from typing import Any, NamedTuple

from ..channels import registry
from ..channels.limits import Limit
from ..channels.message import Message
from ..events.causes import caused_by
from ..exceptions import OutcomeUnknown, SendError
from ..gates.table import ask_all
from ..observing import keys, measure
from ..people import suppression
from .announcements import announce_outcomes
from .answers import record_answers
from .claims import Work, claim_deliveries, mark_sending, release, release_slow
from .clock import Clock, OpenSession
from .composing import Composer
from .holding import hold
from .outcome_counts import count_outcomes
from .outcomes import Answer, Policy, Sent
from .purse import Purse
from .settling import settle
from .slots import Slots
from .suspects import set_apart

logger = logging.getLogger(__name__)


# A message and the open session → the provider's id; it raises a SendError where it did not go out.
Send = Callable[[Message, Any], str]
# Messages and the open session → for each a provider's id or a SendError.
SendBatch = Callable[[Sequence[Message], Any], Sequence[str | SendError]]
# What has a limit of its own within the channel, such as one chat: `(key, Limit)`.
Part = Callable[[Message], tuple[str, Limit] | None]
Rate = Limit | Callable[[], Limit | None]


class Ready(NamedTuple):
    """A message that is about to be sent; ``cost_micros``: in millionths of a US dollar."""

    work: Work
    message: Message
    cost_micros: int


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
        works, suspects = set_apart(self._claim(ids, clock))
        if suspects and (works or len(suspects) > 1):
            # Whatever ends this function meanwhile was none of these.
            release([work for message in suspects for work in message])
        else:
            works += [work for message in suspects for work in message]
            suspects = []
        left = self._send_all(works, clock)
        while suspects and not clock.is_time_up():
            left += self._send_all(self._claim([suspects.pop(0)[-1].pk], clock), clock)
        left += [work for message in suspects for work in message]
        return {each.pk for work in left for each in work.everything}

    def _claim(self, ids: Sequence[int], clock: Clock) -> list[Work]:
        works = claim_deliveries(ids, channel=self.name, lease_seconds=clock.seconds_left())
        clock.callback(count_outcomes, works)
        return works

    def _send_all(self, works: list[Work], clock: Clock) -> list[Work]:
        """Send until time is up; returns the Work that was given back.

        A message is made just before it is sent, when what came before it is sent and stored.
        """
        works, settled = settle(works, self.name, partial(clock.session, self.session), self._price)
        self._record(settled)
        answers = ask_all(works, self.name)
        self._record([(work, answer) for work, answer in zip(works, answers, strict=True) if answer])
        composer = Composer(
            [work for work, answer in zip(works, answers, strict=True) if not answer], self.name
        )
        slots, purse = Slots(self, clock), Purse(self.name, clock)
        queue, slow = slots.in_order(composer.works), []
        while queue:
            if clock.is_time_up():
                return slow + self._give_back(queue, slots)
            slow += self._send_next(queue, composer, purse, slots, clock)
        return slow

    def _give_back(self, queue: deque[Work], slots: Slots) -> list[Work]:
        """Time is up. With a rate, each comes again in its turn; else all, with the message that rang."""
        if slots.is_limited:
            self._record(slots.send_away(queue))
            return []
        release(queue)
        return list(queue)

    def _send_next(
        self, queue: deque[Work], composer: Composer, purse: Purse, slots: Slots, clock: Clock
    ) -> list[Work]:
        """Send what one call takes of ``queue``; returns what took too long to be made, and was given
        back.
        """
        with composer.together() if self.batch_size > 1 else nullcontext():
            batch, refused, slow = self._compose_batch(queue, composer, clock)
        self._record(refused)
        number = purse.pay([each.cost_micros for each in batch], rest=len(queue)) if batch else 0
        if number < len(batch):
            hold([*(each.work for each in batch[number:]), *queue])
            queue.clear()
        if not (batch := batch[:number]):
            return slow
        session = clock.session(self.session)
        works, messages = [each.work for each in batch], [each.message for each in batch]
        events = sorted({work.event_id for work in works})
        with (
            keys(event_ids=events, delivery_ids=[work.pk for work in works]),
            caused_by(*(each.event_id for work in works for each in work.everything)),
        ):
            if away := slots.admit(works, messages[0], queue):
                self._record(away)
            else:
                slots.note(self._send(batch, session), messages, session)
        return slow

    def _compose_batch(
        self, queue: deque[Work], composer: Composer, clock: Clock
    ) -> tuple[list[Ready], list[tuple[Work, Answer]], list[Work]]:
        """``(batch, refused, slow)`` from the front of ``queue``.

        Of a batch, all are made before any is sent, so time is looked at after each.
        """
        batch: list[Ready] = []
        refused: list[tuple[Work, Answer]] = []
        while queue and len(batch) < self.batch_size:
            work = queue.popleft()
            try:
                message = composer.compose(work)
            except SendError as error:
                refused.append((work, error))
                continue
            if clock.is_time_up():
                release_slow(work)
                queue.extendleft(each.work for each in reversed(batch))
                return [], refused, [work]
            with caused_by(*(each.event_id for each in work.everything)):
                cost = self._price(message)
            batch.append(Ready(work, message, cost))
        return batch, refused, []

    def _send(self, batch: Sequence[Ready], session: Any) -> list[Answer]:
        """One call, its results stored before the next; returns them.

        No transaction is open while the provider is called: it can take a minute.
        """
        works = [each.work for each in batch]
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
            answer if isinstance(answer, SendError) else Sent(answer, each.cost_micros)
            for answer, each in zip(called, batch, strict=True)
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

    def _call(self, batch: Sequence[Ready], session: Any) -> list[str | SendError]:
        """The channel's answer to each of the batch: a provider's id, or a SendError."""
        try:
            return _checked(self.send_batch([each.message for each in batch], session), len(batch))
        except SendError as error:
            return [error] * len(batch)
        except Exception as error:
            # The error's own text stays out of the log: it may hold the address or the message.
            ids, trace = [each.work.pk for each in batch], "".join(format_tb(error.__traceback__))
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
