"""A provider whose calls a test holds and counts, and the run of a channel that calls it."""

import threading
from collections import Counter
from contextlib import contextmanager

from notifier.deliveries.clock import Clock
from notifier.deliveries.worker import Channel
from tests.support.flowing import LEASE_SECONDS, POLICY
from tests.support.patience import PATIENCE_SECONDS


class Provider:
    """Answers with an id; ``answers`` has others, by delivery: an error, or a function to call.

    ``together``: how many calls must be in flight before the first of them is answered.
    """

    def __init__(self, *, together=1, answers=None):
        self.calls, self.most, self.sessions, self.shared = Counter(), 0, [], 0
        self._answers, self._together = answers or {}, together
        self._in_flight, self._changed = 0, threading.Condition()

    def send(self, messages, session):
        with self._changed:
            self.calls.update(message.delivery for message in messages)
            self._in_flight += 1
            self.most = max(self.most, self._in_flight)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.most >= self._together, PATIENCE_SECONDS)
            self.shared += session["in use"]
            session["in use"] = True
        try:
            return [self._answer(message.delivery) for message in messages]
        finally:
            with self._changed:
                session["in use"] = False
                self._in_flight -= 1

    def _answer(self, pk):
        answer = self._answers.get(pk, f"id-{pk}")
        return answer() if callable(answer) else answer

    @contextmanager
    def open_session(self):
        session = {"open": True, "in use": False}
        self.sessions.append(session)
        yield session
        session["open"] = False


def deliver(ids, provider, *, concurrency=1, seconds_left=lambda: LEASE_SECONDS, policy=POLICY, **options):
    """As a channel's function does, with ``concurrency`` calls in flight."""
    channel = Channel(
        name=options.pop("name", "email"), send_batch=provider.send, session=provider.open_session,
        policy=policy, concurrency=concurrency, **options,
    )  # fmt: skip
    with Clock(seconds_left) as clock:
        channel.deliver(ids, clock)
