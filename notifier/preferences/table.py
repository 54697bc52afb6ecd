"""The table of categories and channels that a person chooses from. ``pages`` shows it, and saves what comes
back.
"""

from dataclasses import dataclass

from ..channels import registry
from ..models import Category, ContactPoint, Subscription
from ..people import opt_outs

ALL = 0  # in a form, what stands for every category


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One category on one channel.

    ``is_sent``: whether anything is; ``is_on``: whether they get it, as far as this cell says.
    """

    channel: str
    label: str
    value: str
    is_sent: bool
    is_on: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """One category; ``category`` is None in the row that stands for all."""

    category: Category | None
    cells: list


class Table:
    """The choices of one person: only channels that live subscriptions use, and that may reach this
    person.
    """

    def __init__(self, bearer):
        self.recipient = bearer.recipient
        rows, sent = opt_outs.rows_of(bearer.recipient), _live_channels()
        reach = _reach(bearer)
        used = {key: names & reach for key, names in sent.items()}
        self.columns = [(name, registry.label(name)) for name in sorted(set().union(*used.values()))]
        categories = [each for each in Category.objects.all() if used.get(each.pk)]
        self.always = [
            Row(category=each, cells=self._cells(each, used[each.pk], {}))
            for each in categories
            if each.mandatory
        ]
        self.rows = [
            Row(category=each, cells=self._cells(each, used[each.pk], rows))
            for each in categories
            if not each.mandatory
        ]
        open_to_choice = set().union(
            *(used[key] for key in used if key not in {row.category.pk for row in self.always})
        )
        self.all = Row(category=None, cells=self._cells(None, open_to_choice, rows))

    def _cells(self, category, sent, rows):
        key = category.pk if category else None
        return [
            Cell(
                channel=channel, label=label, value=f"{key or ALL}:{channel}", is_sent=channel in sent,
                is_on=not opt_outs.said_of(rows, key, channel),
            )
            for channel, label in self.columns
        ]  # fmt: skip

    def wanted(self, shown, ticked):
        """Choice → whether it may be sent, of what a form showed: what has come since the page was opened
        stays as it is.
        """
        cells = [
            (row.category and row.category.pk, cell)
            for row in (self.all, *self.rows)
            for cell in row.cells
            if cell.is_sent
        ]
        return {(key, cell.channel): cell.value in ticked for key, cell in cells if cell.value in shown}

    def summary(self):
        """The messages that come, category by category: ``[(title, [labels of channels])]``."""
        is_open = {cell.channel for cell in self.all.cells if cell.is_on}
        chosen = [
            (row, [each for each in row.cells if each.is_on and each.channel in is_open]) for row in self.rows
        ]
        found = [*chosen, *((row, row.cells) for row in self.always)]
        return [(row.category.title, [each.label for each in cells if each.is_sent]) for row, cells in found]


def _live_channels():
    """Category's key, or None → channels that are sent by now."""
    found = {}
    live = Subscription.objects.filter(enabled=True, trigger__enabled=True, trigger__shadow=False)
    for category, names in live.values_list("trigger__category_id", "channels"):
        found.setdefault(category, set()).update(names)
    return found


def _reach(bearer):
    """The channels on which this person may have an address."""
    if bearer.user is None:
        return set(bearer.channels)
    points = ContactPoint.objects.filter(user=bearer.user.pk).values_list("channel", flat=True)
    return {*registry.addresses(), *points}
