"""How long an invocation may still take, and how time passes."""

import time
from contextlib import ExitStack

# All that this package waits by. A test that plays several functions puts another time in their place.
monotonic, sleep = time.monotonic, time.sleep

# No provider's call is begun with less of the function's minute left: the call's own time-outs must fit in.
RESERVE_SECONDS = 25


class Clock(ExitStack):
    """The time that an invocation has left, and what is to be closed at its end."""

    def __init__(self, context):
        super().__init__()
        self._context = context
        self._sessions = {}

    def seconds_left(self):
        return self._context.get_remaining_time_in_millis() / 1000

    def is_time_up(self):
        return self.seconds_left() < RESERVE_SECONDS

    def session(self, make):
        """What the context manager ``make()`` yields; opened once an invocation, and only when asked for."""
        if make not in self._sessions:
            self._sessions[make] = self.enter_context(make())
        return self._sessions[make]
