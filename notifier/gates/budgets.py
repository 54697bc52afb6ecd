"""The gate of a channel's monthly budget; nothing is sent beyond it.

Calls ``pauses``; ``deliveries.worker`` holds what is not paid for.

Note [no more than the budget]: a function that is about to send locks the channel's budget, adds up what was
spent and what others are about to spend, and says what it will spend itself, before the lock is free. So two
functions never count on the same dollar. What a message costs is known by ``channels.registry.price``: about,
as everywhere. While a function works, what it has sent already counts twice; a message may be held for that,
and goes with the next sweep.

Note [counting late]: spending is read before costs, and the newest costs before the older, so what moves from
one to the other meanwhile is counted twice rather than not at all.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format

from .. import hooks
from ..models import Budget, Delivery, Pause, Spending
from ..models.counts import cost_since, counted_at
from . import pauses

logger = logging.getLogger(__name__)

# From this share on, somebody should know.
NEARLY = 0.8
MICROS = 1_000_000

_ROWS = f"SELECT 1 FROM {Budget._meta.db_table} WHERE channel = %s"  # noqa: S608 - the table's name is our own


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A budget's standing this month.

    ``under_way`` is what functions are about to spend; all are millionths of a US dollar.
    """

    budget: Budget
    month: dt.datetime
    spent: int
    under_way: int

    @property
    def room(self):
        return self.budget.micros - self.spent - self.under_way

    @property
    def share(self):
        return self.spent / self.budget.micros if self.budget.micros else 1.0

    @property
    def is_used_up(self):
        """Whether what was to be sent last still does not fit."""
        return self.room < max(1, self.budget.wanted_micros)

    def __str__(self):
        named = date_format(self.month, "F Y")
        return (
            f"The budget of ${self.budget.monthly_usd:,.2f} for {self.budget.channel} in {named} is used up."
        )


def scope_of(channel):
    """The scope of the pause that holds what a budget does not pay for."""
    return f"{pauses.BUDGET}:{channel}"


def month_begin():
    """The beginning of this month, in the site's time zone; the first of two midnights."""
    now = timezone.localtime(timezone.now(), timezone.get_default_timezone())
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)


def look(budget):
    """The Standing of ``budget`` now. Four statements. See note [counting late]."""
    begin = month_begin()
    mine = Spending.objects.filter(channel=budget.channel, until__gt=timezone.now())
    under_way = mine.aggregate(Sum("micros"))["micros__sum"] or 0
    since = max(begin, counted_at() or begin)
    newest = Delivery.objects.filter(channel=budget.channel, finished_at__gte=since).aggregate(
        Sum("cost_micros")
    )
    spent = (newest["cost_micros__sum"] or 0) + cost_since(begin).get(budget.channel, 0)
    return Standing(budget=budget, month=begin, spent=spent, under_way=under_way)


def rows(_candidates, channel, _keys):
    """The channel's budget, if it has one."""
    return _ROWS, [channel]


def admit(channel, costs, *, seconds, ahead=0, under_way=0, instead_of=None):
    """``(how many, Spending)``: so many of the messages that cost ``costs``, in their order, the budget still
    pays for.

    The Spending, to be given to `settle`, counts for ``seconds`` at most; it is None where the channel has no
    budget. ``ahead``: if all are paid for, it holds as much more, or what there is, for those that come.
    ``instead_of``: an earlier Spending of the same run; but for those that cost ``under_way``, its messages
    are sent and stored.
    """
    with transaction.atomic():
        budget = Budget.objects.select_for_update().filter(channel=channel).first()
        if instead_of:
            settle(instead_of)
        if budget is None:
            return len(costs), None
        standing = look(budget)
        room = standing.room - under_way
        number, total = _count_fitting(costs, room)
        if number == len(costs):
            total += max(0, min(ahead, room - total))
        until = timezone.now() + dt.timedelta(seconds=seconds)
        spending = Spending.objects.create(channel=channel, micros=under_way + total, until=until)
        if number < len(costs):
            Budget.objects.filter(pk=budget.pk).update(wanted_micros=costs[number])
            pauses.pause(scope_of(channel), reason=str(standing))
    return number, spending


def _count_fitting(costs, room):
    total = 0
    for number, cost in enumerate(costs):
        if total + cost > room:
            return number, total
        total += cost
    return len(costs), total


def settle(spending):
    """Drop what was to be spent: it is spent, or was not, and is in what the deliveries have cost."""
    Spending.objects.filter(pk=spending.pk).delete()


def keep():
    """Hold and let go what the budgets of now say, and tell the people who should know.

    Returns a Standing for each. For the sweep.
    """
    Spending.objects.filter(until__lte=timezone.now()).delete()
    found = [look(budget) for budget in Budget.objects.all()]
    used_up = {scope_of(standing.budget.channel): standing for standing in found if standing.is_used_up}
    for pause in Pause.objects.filter(scope__startswith=f"{pauses.BUDGET}:"):
        if pause.scope not in used_up:
            logger.info("%s goes on: its budget pays for it again.", pause.scope.partition(":")[2])
            pauses.resume(pause.pk)
    for scope, standing in used_up.items():
        pauses.pause(scope, reason=str(standing))
    for standing in found:
        _tell(standing)
    return found


def _tell(standing):
    """Say once a month that a budget is nearly, or wholly, used up.

    The function that marks it tells; see `Budget.save` for one that was raised.
    """
    month, budget = standing.month.date(), standing.budget
    news = [("reached_for", hooks.budget_reached, standing.is_used_up)]
    news.append(("warned_for", hooks.budget_warning, standing.share >= NEARLY))
    for column, signal, is_so in news:
        untold = Budget.objects.filter(pk=budget.pk).exclude(**{column: month})
        if is_so and untold.update(**{column: month}):
            logger.warning(
                "%s: $%.2f of the month's $%.2f are spent.%s", budget.channel, standing.spent / MICROS,
                budget.monthly_usd, " The rest is held." if standing.is_used_up else "",
            )  # fmt: skip
            signal.send_robust(
                Budget,
                channel=budget.channel,
                month=month,
                spent_micros=standing.spent,
                budget_micros=budget.micros,
            )
