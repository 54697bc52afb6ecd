"""A channel's calls to its provider, several in flight at once. Called by ``worker``.

Note [one thread has the database]: only the call itself is made in a thread of its own. Whoever begins it
claims, asks, composes, pays and stores, one after the other. A channel with one call at a time has no thread.

Note [what hangs]: every channel's time-outs are shorter than RESERVE_SECONDS. A call that takes longer keeps
its thread, which is a daemon, its session and its claim, until the process or the lease ends: then it is as
after a crash. The others go on, and the run ends without it.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from traceback import format_tb
from typing import Any, NamedTuple

from django.db import connections

from ..channels.message import Message
from ..exceptions import OutcomeUnknown, SendError
from . import clock as run_time
from .claims import Work
from .clock import Clock, OpenSession, Session
from .outcomes import Answer, Sent

logger = logging.getLogger(__name__)

# Messages and the open session → for each a provider's id or a SendError.
SendBatch = Callable[[Sequence[Message], Any], Sequence[str | SendError]]


class Ready(NamedTuple):
    """A message that is about to be sent; ``cost_micros``: in millionths of a US dollar."""

    work: Work
    message: Message
    cost_micros: int


class Call(NamedTuple):
    """One call: its number in this run, what it sends, and on which session."""

    number: int
    batch: Sequence[Ready]
    session: Session
    begun: float


class Called(NamedTuple):
    """A call that has come back, with an answer to each of its messages."""

    call: Call
    answers: list[Answer]
    milliseconds: float


class _Threads:
    """The threads of this process that make calls, a call each at a time. They stay for the runs to come: to
    start one takes longer than a call may.
    """

    def __init__(self) -> None:
        self._begin_anew()
        # A child of this process has none of them.
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        # One for each thread that has nothing to do, so that no call waits for another to end.
        self._free: deque[None] = deque()

    def make(self, call: Callable[[], None]) -> None:
        """Make a call that never raises, at once."""
        try:
            self._free.pop()
        except IndexError:
            Thread(target=self._work, name="notifier call", daemon=True).start()
        self._waiting.put(call)

    def _work(self) -> None:
        while True:
            try:
                call = self._waiting.get_nowait()
            except Empty:
                # What a project's own code may have opened here.
                connections.close_all()
                call = self._waiting.get()
            call()
            self._free.append(None)


_threads = _Threads()


class Calls:
    """Those of one run that are in flight, up to ``most`` at once; its length is their number."""

    def __init__(
        self, channel: str, send_batch: SendBatch, clock: Clock, open_session: OpenSession, *, most: int
    ) -> None:
        self._channel, self._send_batch, self._most = channel, send_batch, most
        self._clock, self._open_session = clock, open_session
        self._in_flight: dict[int, Call] = {}
        self._begun = 0
        self._back: SimpleQueue[Called] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._in_flight)

    @property
    def are_full(self) -> bool:
        return len(self) >= self._most

    @property
    def hang(self) -> bool:
        """Whether all that are in flight have taken longer than any call may."""
        latest = max((each.begun for each in self._in_flight.values()), default=0.0)
        return run_time.monotonic() - latest > run_time.RESERVE_SECONDS

    @property
    def delivery_ids(self) -> list[int]:
        return [each.work.pk for call in self._in_flight.values() for each in call.batch]

    @property
    def cost_micros(self) -> int:
        """What those in flight cost."""
        return sum(each.cost_micros for call in self._in_flight.values() for each in call.batch)

    def begin(self, batch: Sequence[Ready]) -> None:
        """Call the provider. No transaction is open meanwhile: it can take a minute."""
        self._begun += 1
        session = self._clock.take(self._open_session)
        call = Call(self._begun, batch, session, run_time.monotonic())
        if self._most == 1:
            self._back.put(self._call(call))
        else:
            _threads.make(partial(copy_context().run, self._call_apart, call))
        # Not sooner: what ends this thread within its own call is no call that comes back.
        self._in_flight[call.number] = call

    def come_back(self, seconds: float) -> list[Called]:
        """Those that have come back; waits up to so many ``seconds`` for the first."""
        found: list[Called] = []
        with suppress(Empty):
            if seconds > 0:
                found.append(self._back.get(timeout=seconds))
            while not self._back.empty():
                found.append(self._back.get_nowait())
        for called in found:
            del self._in_flight[called.call.number]
            self._clock.give_back(self._open_session, called.call.session)
        return found

    def _call_apart(self, call: Call) -> None:
        try:
            called = self._call(call)
        except BaseException as error:  # nobody else would hear of it
            called = Called(call, self._failed(call, error), 0)
        self._back.put(called)

    def _call(self, call: Call) -> Called:
        started = time.perf_counter()
        answers = self._answers(call)
        return Called(call, answers, (time.perf_counter() - started) * 1000)

    def _answers(self, call: Call) -> list[Answer]:
        """The channel's answer to each message: Sent, or a SendError."""
        try:
            messages = [each.message for each in call.batch]
            found = _checked(self._send_batch(messages, call.session.value), len(messages))
        except SendError as error:
            return [error] * len(call.batch)
        except Exception as error:
            return self._failed(call, error)
        return [
            answer if isinstance(answer, SendError) else Sent(answer, each.cost_micros)
            for answer, each in zip(found, call.batch, strict=True)
        ]

    def _failed(self, call: Call, error: BaseException) -> list[Answer]:
        # The error's own text stays out of the log: it may hold the address or the message.
        ids, trace = [each.work.pk for each in call.batch], "".join(format_tb(error.__traceback__))
        logger.error("%s failed at deliveries %s: %s\n%s", self._channel, ids, type(error).__name__, trace)
        return [OutcomeUnknown("error", type(error).__name__)] * len(call.batch)


def _checked(answers: Iterable[str | SendError], expected: int) -> list[str | SendError]:
    """One answer a message.

    What a channel gives back, even nothing, was taken by its provider; only an error says otherwise.
    """
    answers = [answer if isinstance(answer, SendError) else str(answer or "") for answer in answers]
    if len(answers) != expected:
        raise TypeError(f"{len(answers)} answers for {expected} messages")
    return answers
