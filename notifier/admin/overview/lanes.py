"""How soon messages of each lane were sent, for people. Called by ``page``."""

from dataclasses import dataclass

from django.utils.translation import ngettext

from ...models import Lane
from ...operations import latency
from ...rules import durations
from .chart import grouped


@dataclass(frozen=True)
class LaneRow:
    """One lane's figures in words: the times within which they were sent, blank where nothing was."""

    label: str
    sent: str
    half: str
    most: str
    is_late: bool


def rows(begin):
    """A LaneRow for each lane, of what was sent since then; the urgent first. One query."""
    found = latency.read(begin)
    return [_row(lane, found.get(lane)) for lane in Lane]


def _row(lane, soon):
    if soon is None:
        return LaneRow(lane.label, grouped(0), "", "", False)
    is_late = lane == Lane.URGENT and soon.most > latency.MOST_URGENT_SECONDS
    return LaneRow(lane.label, grouped(soon.number), _in_words(soon.half), _in_words(soon.most), is_late)


def _in_words(seconds):
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    return durations.in_words(seconds // 60)
