"""Deliveries counted by hour, channel, rule and outcome, so that no page counts millions. Called by
``lambdas.sweep``.

Note [counting]: the sweep counts whole hours again, from the time of the last count on, and replaces what
stood there. So a sweep that was missed is made up for, and counting twice changes nothing. Two things make an
hour that was counted wrong: an answer that is committed late, or stamped by a slow clock, for which each hour
is counted once more after LATE; and a finished delivery that changes, as by a retry: the function that
changes it says so by ``models.counts.mark_stale``, in the same transaction.
"""

import datetime as dt
from collections import defaultdict

from django.db import transaction
from django.db.models import Count, Min, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from ..models import Delivery, Gauge, HourlyCount, LaneCount, RuleCount, StaleHour
from ..models.counts import COUNTED, hour_of
from . import latency

# The kinds of ends that people tell apart; what a person decided counts as skipped.
KINDS = {
    "sent": (Delivery.Status.SENT,),
    "skipped": (Delivery.Status.SKIPPED, Delivery.Status.CANCELLED),
    "failed": (Delivery.Status.FAILED, Delivery.Status.UNKNOWN),
}
KIND_OF = {status: kind for kind, statuses in KINDS.items() for status in statuses}
HOUR = dt.timedelta(hours=1)
# How much later than its stamp a result may be committed, and how far apart clocks may be.
LATE = dt.timedelta(minutes=10)
# What one transaction counts: more would hold it open for long after an outage.
STEP = 24 * HOUR
MOST_STALE_HOURS = 50


def keep(is_time_up=lambda: False):
    """Bring the counts up to now, a step at a time, until nothing is left or time is up."""
    if not Gauge.objects.filter(name=COUNTED).exists():
        first = Delivery.objects.filter(finished_at__isnull=False).aggregate(Min("finished_at"))[
            "finished_at__min"
        ]
        Gauge.objects.get_or_create(name=COUNTED, defaults={"measured_at": first or timezone.now()})
    while not is_time_up() and _count_step():
        pass


def _count_step():
    """Count what is next; returns whether there is more."""
    with transaction.atomic():
        # One sweep at a time: of two, the one that has counted first could write last. SQLite has one writer
        # anyway.
        gauge = Gauge.objects.select_for_update(skip_locked=True).filter(name=COUNTED).first()
        if gauge is None:
            return False
        now = timezone.now()
        # A clock that was ahead must not leave anything out.
        begin = hour_of(min(gauge.measured_at, now) - LATE)
        end = min(begin + STEP, hour_of(now) + HOUR)
        # Read before they are counted: a change that is committed between the two is counted again.
        stale = dict(StaleHour.objects.order_by("pk").values_list("pk", "hour")[:MOST_STALE_HOURS])
        _count_between(begin, end)
        for hour in {hour for hour in stale.values() if not begin <= hour < end}:
            _count_between(hour, hour + HOUR)
        StaleHour.objects.filter(pk__in=stale).delete()
        Gauge.objects.filter(pk=gauge.pk).update(measured_at=min(end, now))
    return end <= now or len(stale) == MOST_STALE_HOURS


def _count_between(begin, end):
    """Replace the counts of these hours: those of the rules with their sums by channel, from one look, and
    those of the lanes, from another.
    """
    rules, channels = [], defaultdict(lambda: [0, 0])
    for hour, trigger, subscription, channel, status, number, cost in _look(begin, end):
        rules.append(RuleCount(
            hour=hour, trigger_id=trigger, subscription_id=subscription, channel=channel, status=status,
            number=number, cost_micros=cost,
        ))  # fmt: skip
        of_channel = channels[hour, channel, status]
        of_channel[0] += number
        of_channel[1] += cost
    hours = [
        HourlyCount(hour=hour, channel=channel, status=status, number=number, cost_micros=cost)
        for (hour, channel, status), (number, cost) in channels.items()
    ]
    soon = latency.count(begin, end)
    for model, rows in (HourlyCount, hours), (RuleCount, rules), (LaneCount, soon):
        model.objects.filter(hour__gte=begin, hour__lt=end).delete()
        model.objects.bulk_create(rows, batch_size=1_000)


def _look(begin, end):
    finished = Delivery.objects.filter(finished_at__gte=begin, finished_at__lt=end).order_by()
    found = finished.annotate(hour=TruncHour("finished_at", tzinfo=dt.UTC)).values_list(
        "hour", "event__trigger_id", "subscription_id", "channel", "status"
    )
    return found.annotate(number=Count("pk"), cost=Sum("cost_micros"))


def between(begin, end, *, bucket):
    """``(bucket's begin, channel, status, number)`` of the hours between; ``bucket`` is a function such as
    ``TruncDay``.
    """
    hours = HourlyCount.objects.filter(hour__gte=begin, hour__lt=end).order_by()
    return (
        hours.annotate(bucket=bucket("hour"))
        .values_list("bucket", "channel", "status")
        .annotate(Sum("number"))
    )
