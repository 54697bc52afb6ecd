"""The overview's numbers over time, as bars that need no script, in ``overview_chart.html``."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from ...operations import counts
from ...operations.counts import KIND_OF

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

# What the page tells apart, from the bottom of a bar to its top.
KINDS = {"sent": _("sent"), "skipped": _("skipped"), "failed": _("failed")}
# The chart's own units: a bar and its gap, the full height, and the least that can be seen.
STRIDE, BAR, HEIGHT, LEAST = 10, 7, 100, 1.5


@dataclass(frozen=True)
class Range:
    """A stretch of time up to now: so many buckets, each an hour or a day, of which every so many-th is
    labelled.
    """

    key: str
    label: str
    buckets: int
    is_hourly: bool
    label_every: int

    def begins(self):
        """The begin of each bucket, in the zone of the person who looks."""
        now = timezone.now()
        if self.is_hourly:
            return list(dict.fromkeys(_local_hour(now - n * HOUR) for n in reversed(range(self.buckets))))
        today = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        # Wall-clock time: a day of 23 hours is a day.
        return [today - n * DAY for n in reversed(range(self.buckets))]

    def read(self, begins):
        """``(bucket, channel, status, number)`` from the first bucket on."""
        return counts.between(
            begins[0], timezone.now() + DAY, bucket=TruncHour if self.is_hourly else TruncDay
        )


def grouped(number):
    """“4,312”, as the language writes it."""
    return number_format(int(number), force_grouping=True)


def _local_hour(time):
    return localtime(time).replace(minute=0, second=0, microsecond=0)


RANGES = {
    each.key: each
    for each in (
        Range("24h", _("24 hours"), 24, True, 4),
        Range("7d", _("7 days"), 7, False, 1),
        Range("30d", _("30 days"), 30, False, 5),
    )
}


@dataclass
class Bar:
    """One bucket: where it stands, what it is called, its numbers in the order of KINDS and a rectangle for
    each that is not 0.
    """

    x: int
    title: str
    label: str
    numbers: list
    parts: list = field(default_factory=list)

    @property
    def texts(self):
        return [grouped(number) for number in self.numbers]

    @property
    def description(self):
        return f"{self.title}: {_in_words(self.numbers)}"


def _in_words(numbers):
    return ", ".join(
        f"{grouped(number)} {label}" for number, label in zip(numbers, KINDS.values(), strict=True)
    )


@dataclass
class Chart:
    bars: list
    top: int

    kinds = list(KINDS.items())
    height = HEIGHT
    bar_width = BAR

    @property
    def width(self):
        return STRIDE * len(self.bars)

    @property
    def scale(self):
        return [grouped(self.top), grouped(self.top // 2), "0"]

    @property
    def description(self):
        return _in_words([sum(bar.numbers[n] for bar in self.bars) for n in range(len(KINDS))])


def draw(chosen, begins, rows):
    """The Chart of ``rows`` as ``chosen.read`` gives them."""
    found = Counter()
    for bucket, _channel, status, number in rows:
        if status in KIND_OF:
            found[bucket, KIND_OF[status]] += number
    bars = []
    for n, begin in enumerate(begins):
        title = date_format(begin, "j M, H:i" if chosen.is_hourly else "D j M")
        short = date_format(begin, "H:i" if chosen.is_hourly else "D" if chosen.label_every == 1 else "j M")
        labelled = (len(begins) - 1 - n) % chosen.label_every == 0
        bars.append(Bar(n * STRIDE, title, short if labelled else "", [found[begin, kind] for kind in KINDS]))
    chart = Chart(bars, _rounded_up(max((sum(bar.numbers) for bar in bars), default=0)))
    for bar in bars:
        bar.parts = list(_stacked(bar.numbers, chart.top))
    return chart


def _stacked(numbers, top):
    """Yield ``(kind, y, height)`` of what is there, bottom first.

    A single failure among thousands must be seen.
    """
    y = HEIGHT
    for kind, number in zip(KINDS, numbers, strict=True):
        if number:
            height = min(max(LEAST, HEIGHT * number / top), y)
            y -= height
            yield kind, round(y, 2), round(height, 2)


def _rounded_up(number):
    """The end of a scale that holds ``number``: a round number whose half is whole."""
    if number <= 10:
        return max(2, number + number % 2)
    scale = 10 ** (len(str(number - 1)) - 2)
    return next(step * scale for step in (12, 16, 20, 40, 60, 80, 100) if number <= step * scale)
