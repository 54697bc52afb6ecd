"""What came of a run's messages, stored in groups. Called by ``worker``.

Note [groups]: to store a result costs as much as a message, and ten at once hardly more than one. So they are
stored when there are GROUP_SIZE, or GROUP_SECONDS after the first of them, and before the run waits for a
slot or ends. What is in no group yet when a function is killed, and what is in flight, may be sent again. A
channel that sends at most once stores what has come back at once; and where one call follows another in the
run's own thread, the time of a call counts as well, as nothing is stored during the next.
"""

import logging
import math
from collections.abc import Sequence

from ..events.causes import caused_by
from ..exceptions import TryAgain
from ..observing import keys, measure
from ..people import suppression
from . import clock as time
from .announcements import announce_outcomes
from .answers import record_answers
from .calls import Called
from .claims import Work
from .outcomes import Answer, Policy, Sent
from .slots import THROTTLED, Slots

logger = logging.getLogger(__name__)

GROUP_SIZE = 10
GROUP_SECONDS = 0.05


class Results:
    """The answers of one claim that are not stored yet. ``slots`` hears of them once they are.

    ``in_turn``: whether one call follows another.
    """

    def __init__(self, channel: str, policy: Policy, slots: Slots, *, in_turn: bool) -> None:
        self._channel, self._policy, self._slots, self._in_turn = channel, policy, slots, in_turn
        self._size = 1 if policy.at_most_once else GROUP_SIZE
        self._answers: list[tuple[Work, Answer]] = []
        self._calls: list[Called] = []
        self._until = math.inf

    @property
    def seconds_left(self) -> float:
        """How long they may wait; without end where there are none."""
        return self._until - time.monotonic()

    def add(self, answers: Sequence[tuple[Work, Answer]], *, since: float | None = None) -> None:
        if answers:
            begun = time.monotonic() if since is None else since
            self._until = min(self._until, begun + GROUP_SECONDS)
        self._answers += answers
        if len(self._answers) >= self._size:
            self._until = -math.inf

    def add_called(self, called: Called) -> None:
        measure("ProviderLatency", called.milliseconds, "Milliseconds")
        self._calls.append(called)
        works = [each.work for each in called.call.batch]
        since = called.call.begun if self._in_turn else None
        self.add(list(zip(works, called.answers, strict=True)), since=since)
        if any(isinstance(each, TryAgain) and each.reason == THROTTLED for each in called.answers):
            # The other functions must hear of it.
            self._until = -math.inf

    def store(self) -> None:
        """Store them, then tell the receivers that listen; one that takes long takes it from what comes after
        this group.
        """
        if not self._answers:
            return
        works = [work for work, _answer in self._answers]
        events = {event for work in works for event in work.event_ids}
        with keys(event_ids=sorted(events), delivery_ids=[work.pk for work in works]), caused_by(*events):
            stored = record_answers(self._answers, self._policy)
            self._answers, self._until = [], math.inf
            calls, self._calls = self._calls, []
            announce_outcomes(stored, channel=self._channel)
            self._tell(calls)

    def _tell(self, calls: Sequence[Called]) -> None:
        if not calls:
            return
        answers = [answer for called in calls for answer in called.answers]
        taken, longest = (
            sum(isinstance(each, Sent) for each in answers),
            max(each.milliseconds for each in calls),
        )
        logger.info("%s took %d of %d in %d ms.", self._channel, taken, len(answers), longest)
        for called in calls:
            works, messages = zip(*((each.work, each.message) for each in called.call.batch), strict=True)
            # Only what a provider has said: a gate's own word is on record already.
            suppression.heed(zip(works, called.answers, strict=True), self._channel)
            self._slots.note(called.answers, messages, called.call.session.value)
