"""The time that a run may still take, and how it passes."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

# All that this package waits by. A test that plays several functions puts another time in their place.
monotonic, sleep = time.monotonic, time.sleep

# No provider's call is begun with less of the function's minute left: the call's own time-outs must fit in.
RESERVE_SECONDS = 25


# Makes the context manager whose value each provider's call of one run gets: a connection, a client.
OpenSession = Callable[[], AbstractContextManager[Any]]


class Clock(ExitStack):
    """The time that a run has left, and what is to be closed at its end.

    ``seconds_left``: a function, such as Lambda's context has.
    """

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        super().__init__()
        self.seconds_left = seconds_left
        self._sessions: dict[OpenSession, Any] = {}

    @classmethod
    def lasting(cls, seconds: float) -> "Clock":
        """A Clock that ends so many seconds from now."""
        end = monotonic() + seconds
        return cls(lambda: end - monotonic())

    def is_time_up(self) -> bool:
        return self.seconds_left() < RESERVE_SECONDS

    def session(self, make: OpenSession) -> Any:
        """The value that the context manager ``make()`` yields; opened once a run, and only when asked
        for.
        """
        if make not in self._sessions:
            self._sessions[make] = self.enter_context(make())
        return self._sessions[make]
