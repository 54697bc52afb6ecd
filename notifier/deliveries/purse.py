"""What a channel's budget pays of one run's messages. Called by ``worker``; calls ``gates.budgets``.

Note [paid ahead]: what a message costs is known once it is rendered, just before it is sent. To ask the
budget for each would be a transaction a message, so the first asks for as many like it as are still to come;
only one that costs more than is left of that asks again. By then the results of those before it are stored,
and count as spent; what is in flight is still about to be.
"""

from collections.abc import Callable, Sequence

from ..gates import budgets
from ..models import Spending
from .clock import Clock


class Purse:
    """Pays until ``clock`` ends; what is left then is the budget's again.

    ``has_budget``: whether the channel has one. ``under_way()`` stores what came of the messages that were
    paid for, and returns what the others cost.
    """

    def __init__(
        self, channel: str, clock: Clock, *, has_budget: bool = True, under_way: Callable[[], int] = lambda: 0
    ) -> None:
        self._channel, self._clock = channel, clock
        self._has_budget, self._under_way = has_budget, under_way
        # Not 0: the first asks also if it costs nothing, as nothing goes once more than all is spent.
        self._micros = -1
        self._spending: Spending | None = None

    def pay(self, costs: Sequence[int], *, rest: int) -> int:
        """How many of the messages that cost ``costs`` are paid for, in their order; ``rest`` come after
        them. Where it is fewer than all, the budget holds the channel from now on.
        """
        if not self._has_budget or sum(costs) <= self._micros:
            self._micros -= sum(costs)
            return len(costs)
        return self._ask(costs, rest)

    def _ask(self, costs: Sequence[int], rest: int) -> int:
        under_way = self._under_way()
        number, spending = budgets.admit(
            self._channel,
            costs,
            seconds=self._clock.seconds_left(),
            ahead=rest * max(costs),
            under_way=under_way,
            instead_of=self._spending,
        )
        if spending is None:  # the budget was taken away
            self._has_budget = False
            return number
        if self._spending is None:
            self._clock.callback(self._close)
        self._spending, self._micros = spending, spending.micros - under_way - sum(costs[:number])
        return number

    def _close(self) -> None:
        if self._spending:
            budgets.settle(self._spending)
