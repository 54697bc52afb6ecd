"""The time that a run may still take, how it passes, and the sessions that its calls are made on."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

# All that this package waits by. A test that plays several functions puts another time in their place.
monotonic, sleep = time.monotonic, time.sleep

# No provider's call is begun with less of the function's minute left: the call's own time-outs must fit in.
# One that takes longer hangs, and nobody waits for it.
RESERVE_SECONDS = 25


# Makes the context manager whose value a provider's call gets: a connection, a client.
OpenSession = Callable[[], AbstractContextManager[Any]]


class Session(NamedTuple):
    """What one call at a time is made on: the ``value`` that it gets, and how that is closed."""

    value: Any
    close: Callable[[], None]


class Clock(ExitStack):
    """The time that a run has left, and what is to be closed at its end.

    ``seconds_left``: a function, such as Lambda's context has.
    """

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        super().__init__()
        self.seconds_left = seconds_left
        self._idle: dict[OpenSession, list[Session]] = defaultdict(list)
        self.callback(self._close_idle)

    @classmethod
    def lasting(cls, seconds: float) -> "Clock":
        """A Clock that ends so many seconds from now."""
        end = monotonic() + seconds
        return cls(lambda: end - monotonic())

    def is_time_up(self) -> bool:
        return self.seconds_left() < RESERVE_SECONDS

    def take(self, make: OpenSession) -> Session:
        """A Session that no call has: of ``make()``, where none is open and idle. To be given back."""
        if idle := self._idle[make]:
            return idle.pop()
        opened = ExitStack()
        return Session(opened.enter_context(make()), opened.close)

    def give_back(self, make: OpenSession, session: Session) -> None:
        self._idle[make].append(session)

    def session(self, make: OpenSession) -> Any:
        """The value of an idle Session, for a call that ends before the next is begun."""
        self.give_back(make, found := self.take(make))
        return found.value

    def _close_idle(self) -> None:
        # Not those of calls that hang: to close one may hang as well.
        with ExitStack() as closing:
            for sessions in self._idle.values():
                for each in sessions:
                    closing.callback(each.close)
