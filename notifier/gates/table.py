"""The gates in their order: whether a delivery may go at all, and whether it may go now.

Called by ``deliveries.fanout`` and ``deliveries.worker``.

Note [before the claim wins]: gates ask after the claim, so all that was committed before it (an opt-out, a
bounce, an account that was closed) is seen, and from the claim on nobody else sends this delivery.

A gate is a module of this package with ``refuse(candidates, channel)``, which returns a list alongside: None
where it has nothing against the Candidate, Skipped where it must not go, Later where it must wait. A gate
costs at most one query for all candidates together.

Note [nothing to ask]: a gate that goes by rows of people or addresses has ``rows(candidates, channel,
keys)``, a SELECT of all that could make it refuse, and its values. The claim asks whether there are any, once
for all gates, in the same statement as where its people are (`people.whereabouts`, note [one look]); of a
Candidate that is ``clear`` of a gate, that is not asked. This look comes after the claim, as the gates do, so
it misses nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from ..exceptions import SendError
from ..people.whereabouts import Questions
from . import allow_list, budgets, channels_own, expired, left, opted_out, quiet_hours, read, suppressed


class Candidate(Protocol):
    """The part of a delivery that a gate may know: a claimed ``Work`` has it, and an unsaved ``Delivery``."""

    @property
    def event_id(self) -> int: ...
    @property
    def subscription_id(self) -> int: ...
    @property
    def recipient(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    # Why its person cannot be reached any more, as the claim has found it, or blank.
    @property
    def unreachable(self) -> str: ...
    # The channel before it, where their order counts, or blank.
    @property
    def follows(self) -> str: ...
    @property
    def is_expired(self) -> bool: ...


class Gate(Protocol):
    """A module of this package that refuses."""

    def refuse(self, candidates: Sequence[Candidate], channel: str) -> list[SendError | None]: ...


# What decides for good: they answer Skipped. The fan-out asks them too, so that nobody rings for what will
# not be sent; but what counts is that the channel's own function asks. The first that refuses is what is on
# record, so what holds for the stage comes before what holds for the channel, the address, the person and
# the moment.
FINAL_GATES: list[Gate] = [
    allow_list,
    left,
    channels_own,
    suppressed,
    opted_out,
    expired,
]
# What depends on the moment; asked when it is to be sent, and not before: what was read meanwhile, quiet
# hours. The budget and then the rate are asked after them, by `deliveries.worker`: they have to know what a
# message costs, and take a slot for it.
TIMELY_GATES: list[Gate] = [
    read,
    quiet_hours,
]


# By the name that a Candidate is clear of.
SUPPRESSED, BUDGET = "suppressed", "budget"
ROWS: dict[str, Any] = {
    "opted_out": opted_out,
    "quiet_hours": quiet_hours,
    SUPPRESSED: suppressed,
    BUDGET: budgets,
}
NAMES: dict[Any, str] = {gate: name for name, gate in ROWS.items()}


def questions(candidates: Sequence[Candidate], channel: str, keys: Collection[Any]) -> Questions:
    """For each of ROWS, what could make it refuse one of these; ``keys``: the primary keys of the users among
    them. See note [nothing to ask].
    """
    return {name: gate.rows(candidates, channel, keys) for name, gate in ROWS.items()}


def ask_final(candidates: Sequence[Candidate], channel: str) -> list[SendError | None]:
    """For each candidate the first gate's Skipped, or None."""
    return _ask(FINAL_GATES, candidates, channel)


def ask_all(candidates: Sequence[Candidate], channel: str) -> list[SendError | None]:
    """For each candidate the first gate's SendError, or None."""
    return _ask([*FINAL_GATES, *TIMELY_GATES], candidates, channel)


def _ask(gates: Sequence[Gate], candidates: Sequence[Candidate], channel: str) -> list[SendError | None]:
    answers: list[SendError | None] = [None] * len(candidates)
    for gate in gates:
        asked = [position for position, answer in enumerate(answers) if answer is None]
        still = [each for each in asked if NAMES.get(gate) not in getattr(candidates[each], "clear", ())]
        if not still:
            continue
        found = gate.refuse([candidates[position] for position in still], channel)
        for position, answer in zip(still, found, strict=True):
            answers[position] = answer
    return answers
