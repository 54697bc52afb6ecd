"""Counts and measures of the outbox, for the overview.

Written by ``operations.counts``, ``operations.gauges``, ``feedback`` and ``queue.canary``.
"""

import datetime as dt

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .lanes import Lane
from .outbox import Delivery

# When the counts were brought up to date; its ``measured_at`` is up to where.
COUNTED = "counted"


class HourlyCount(models.Model):
    """The number of deliveries of a channel that ended one way in one hour, and what they cost.

    Kept by the sweep; see ``notifier.operations.counts``.
    """

    hour = models.DateTimeField()
    channel = models.CharField(max_length=50)
    status = models.CharField(max_length=20, choices=Delivery.Status)
    number = models.PositiveIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["hour", "channel", "status"], name="notifier_one_count_an_hour")
        ]

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}:00 {self.channel} {self.status}: {self.number}"


class RuleCount(models.Model):
    """The number of deliveries of one subscription on one channel that ended one way in one hour.

    Kept with ``HourlyCount``, which is their sum. No foreign keys: what a rule has sent stays counted when
    the rule is gone; 0 is what an editor sent to themselves.
    """

    hour = models.DateTimeField()
    trigger_id = models.BigIntegerField()
    subscription_id = models.BigIntegerField()
    channel = models.CharField(max_length=50)
    status = models.CharField(max_length=20, choices=Delivery.Status)
    number = models.PositiveIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "trigger_id", "subscription_id", "channel", "status"],
                name="notifier_one_rule_count_an_hour",
            )
        ]
        # What one rule has sent, of late or ever.
        indexes = [models.Index(fields=["trigger_id", "hour"], name="notifier_count_of_rule")]

    def __str__(self):
        return (
            f"{self.hour:%Y-%m-%d %H}:00 {self.subscription_id} {self.channel} {self.status}: {self.number}"
        )


class LaneCount(models.Model):
    """The number of deliveries of a lane that were sent in one hour, and so soon: within ``within_seconds``,
    one of ``notifier.operations.latency.STEPS``.
    """

    hour = models.DateTimeField()
    lane = models.PositiveSmallIntegerField(choices=Lane)
    within_seconds = models.PositiveIntegerField()
    number = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "lane", "within_seconds"], name="notifier_one_lane_count_an_hour"
            )
        ]

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}:00 {self.get_lane_display()}: {self.number}"


class StaleHour(models.Model):
    """An hour of which a finished delivery has changed since: it is to be counted again.

    Only ever added, so nobody waits for it.
    """

    hour = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}:00"


class Gauge(models.Model):
    """The newest reading of something that is asked for now and then, such as a queue's depth.

    See ``notifier.operations.gauges``.
    """

    name = models.CharField(max_length=100, unique=True)
    value = models.FloatField(null=True)
    measured_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.name}: {self.value}"


class Overview(HourlyCount):
    """The kept counts as a page; see ``notifier.admin.overview.page``."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = verbose_name_plural = _("overview")


class OnDuty(Gauge):
    """Those on duty, as a page; who they are only SNS knows: see ``notifier.queue.subscribers``."""

    class Meta:
        proxy = True
        default_permissions = ("view", "add", "delete")
        verbose_name = _("person on duty")
        verbose_name_plural = _("those on duty")


class Canary(models.Model):
    """The point that one canary reached on one route; see ``notifier.queue.canary``.

    Rows older than a day are removed by the next one.
    """

    route = models.CharField(max_length=50)
    released_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"#{self.pk} {self.route}"

    def seconds(self):
        """Seconds from its release to its arrival, or None."""
        return (self.arrived_at - self.released_at).total_seconds() if self.arrived_at else None


def record_gauges(readings):
    """Store name → value, measured now."""
    now = timezone.now()
    Gauge.objects.bulk_create(
        [Gauge(name=name, value=value, measured_at=now) for name, value in readings.items()],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["value", "measured_at"],
    )


def account_refusal(channel):
    """The name of the gauge that tells when a channel's provider last refused all that is ours."""
    return f"account.{channel}"


def mark_stale(times):
    """Say that deliveries that had finished at these ``times`` have changed; None is ignored.

    Part of the caller's transaction.
    """
    hours = {hour_of(time) for time in times if time}
    StaleHour.objects.bulk_create([StaleHour(hour=hour) for hour in sorted(hours)])


def counted_at():
    """Up to when the counts are right, or None before the first."""
    return Gauge.objects.filter(name=COUNTED).values_list("measured_at", flat=True).first()


def cost_since(begin):
    """Channel → about what it has cost since then, in millionths of a US dollar; the hour that it falls into
    counts as a whole, as in zones that are half an hour apart.
    """
    return dict(
        HourlyCount.objects.filter(hour__gte=hour_of(begin))
        .order_by()
        .values_list("channel")
        .annotate(models.Sum("cost_micros"))
    )


def hour_of(time):
    """The begin of its hour, in UTC."""
    return time.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
