"""Whether a delivery may go at all, and whether it may go now.

Next hop: ``deliveries.composing`` for those that may.

Note [before the claim wins]: gates ask after the claim, so whatever was committed before it (an opt-out, a
bounce) is seen, and from the claim on nobody else sends this delivery.

A gate is ``gate(candidates, channel)`` and returns a list alongside: None where it has nothing against it, or
a SendError. A candidate has ``event_id``, ``subscription_id``, ``recipient``, ``address``, ``time_zone``,
``follows`` and ``is_expired``: a ``deliveries.Work``, or an unsaved ``Delivery``. A gate costs at most one
query for all candidates together.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..exceptions import SendError
from ..people import devices, suppression
from . import allow_list, expiry, opted_out, quiet_hours

# See above: alongside the candidates, what each is refused by.
Gate = Callable[[Sequence[Any], str], Sequence[SendError | None]]

# What decides for good: they raise Skipped. The fan-out asks them too, so that nobody rings for what will not
# be sent; but what counts is that the channel's own function asks. In this order: the stage's allow-list,
# devices to push to, suppressed addresses, opting out, expiry.
FINAL_GATES: list[Gate] = [
    allow_list.gate,
    devices.ask_for_device,
    suppression.gate,
    opted_out.refuse_opted_out,
    expiry.refuse_expired,
]
# What depends on the moment; asked when it is to be sent, and not before: what was read meanwhile, quiet
# hours. The budget and then the rate are asked after them, by `deliveries.worker`: they have to know what a
# message costs, and take a slot for it.
TIMELY_GATES: list[Gate] = [
    expiry.refuse_read,
    quiet_hours.wait_for_the_end,
]


def ask_final(candidates: Sequence[Any], channel: str) -> list[SendError | None]:
    """For each candidate the first gate's Skipped, or None."""
    return _ask(FINAL_GATES, candidates, channel)


def ask_all(candidates: Sequence[Any], channel: str) -> list[SendError | None]:
    """For each candidate the first gate's SendError, or None."""
    return _ask([*FINAL_GATES, *TIMELY_GATES], candidates, channel)


def _ask(gates: Sequence[Gate], candidates: Sequence[Any], channel: str) -> list[SendError | None]:
    answers: list[SendError | None] = [None] * len(candidates)
    for gate in gates:
        still = [position for position, answer in enumerate(answers) if answer is None]
        if not still:
            break
        found = gate([candidates[position] for position in still], channel)
        for position, answer in zip(still, found, strict=True):
            answers[position] = answer
    return answers
