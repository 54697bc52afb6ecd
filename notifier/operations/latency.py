"""How soon what was sent was sent, by lane, from kept counts: no page looks at millions."""

import datetime as dt
from typing import NamedTuple

from django.db.models import Case, Count, IntegerField, Sum, Value, When
from django.db.models.functions import TruncHour

from ..deliveries.latency import LATENCY
from ..models import Delivery, Lane, LaneCount
from ..models.counts import hour_of

HOUR, DAY = 3600, 86_400
# Seconds within which a delivery was sent; what took longer counts as the last.
STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 30 * DAY)
# An urgent one should not take longer; an alarm tells of it.
MOST_URGENT_SECONDS = 60


class HowSoon(NamedTuple):
    """Of ``number`` that were sent in a lane: half within ``half`` seconds, 95 of 100 within ``most``."""

    number: int
    half: int
    most: int


def count(begin, end):
    """The LaneCounts of these hours, which the caller stores."""
    step = Case(
        *(When(took__lte=dt.timedelta(seconds=seconds), then=Value(seconds)) for seconds in STEPS),
        default=Value(STEPS[-1]),
        output_field=IntegerField(),
    )
    sent = Delivery.objects.filter(status=Delivery.Status.SENT, finished_at__gte=begin, finished_at__lt=end)
    rows = sent.order_by().annotate(
        hour=TruncHour("finished_at", tzinfo=dt.UTC), took=LATENCY, within=step
    )  # fmt: skip
    found = rows.values_list("hour", "lane", "within").annotate(Count("pk"))
    return [
        LaneCount(hour=hour, lane=lane, within_seconds=within, number=number)
        for hour, lane, within, number in found
    ]


def read(begin):
    """Lane → HowSoon since then, of the lanes in which something was sent; its hour counts as a whole. One
    query.
    """
    counts = LaneCount.objects.filter(hour__gte=hour_of(begin)).order_by("lane", "within_seconds")
    steps = {}
    for lane, within, number in counts.values_list("lane", "within_seconds").annotate(Sum("number")):
        steps.setdefault(Lane(lane), []).append((within, number))
    return {lane: _how_soon(found) for lane, found in steps.items()}


def _how_soon(steps):
    total = sum(number for _within, number in steps)

    def within(share):
        seen = 0
        for seconds, number in steps:
            seen += number
            if seen >= share * total:
                return seconds

    return HowSoon(total, within(0.5), within(0.95))
