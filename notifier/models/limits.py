"""Rates and budgets: how fast, and for how much, is sent. Written by ``gates.rates`` and
``gates.budgets``.
"""

import datetime as dt
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# What is later has no name in every time zone.
LATEST = dt.datetime(9998, 12, 31, tzinfo=dt.UTC).timestamp()


class Rate(models.Model):
    """Up to when slots for sending are given out, of a channel or of a part of it.

    See ``notifier.gates.rates``.

    All times are seconds since 1970 by the database's clock, which all functions share.
    """

    # "email", or of a part "chat:<whatever the channel calls it>".
    name = models.CharField(max_length=200, unique=True)
    taken_until = models.FloatField(default=0)
    # Those who were sent away wait in a line, one a lane: when the last of them comes again.
    urgent_line_until = models.FloatField(default=0, db_default=0)
    line_until = models.FloatField(default=0)
    bulk_line_until = models.FloatField(default=0, db_default=0)
    # Until then a lane has had its share.
    urgent_share_until = models.FloatField(default=0, db_default=0)
    share_until = models.FloatField(default=0, db_default=0)
    bulk_share_until = models.FloatField(default=0, db_default=0)
    # Until when its provider takes nothing more, and the delivery to which it said so.
    closed_until = models.FloatField(null=True)
    closed_by = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name

    @property
    def channel(self):
        return self.name.partition(":")[0]

    @property
    def is_part(self):
        """Whether it is a part of a channel, such as one chat room."""
        return ":" in self.name

    @property
    def opens_at(self):
        """When its provider takes messages again, or None where it does."""
        return self.closed_until and dt.datetime.fromtimestamp(min(self.closed_until, LATEST), dt.UTC)


class Budget(models.Model):
    """The amount that a channel may cost in a calendar month of the site's time zone.

    When it is used up, the channel's deliveries are held.
    """

    channel = models.CharField(_("channel"), max_length=50, unique=True)
    monthly_usd = models.DecimalField(
        _("US dollars a month"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    # What the first message asks for that did not fit any more.
    wanted_micros = models.BigIntegerField(default=0, editable=False)
    # The month of which somebody was told: that most of it is used, and that all of it is.
    warned_for = models.DateField(null=True, editable=False)
    reached_for = models.DateField(null=True, editable=False)

    class Meta:
        ordering = ["channel"]
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")

    def __str__(self):
        return f"{self.channel}: ${self.monthly_usd:,.2f}"

    def save(self, *args, **kwargs):
        """Save what a person has changed: the warnings about the old one are given again for this one."""
        self.wanted_micros, self.warned_for, self.reached_for = 0, None, None
        super().save(*args, **kwargs)

    @property
    def micros(self):
        """Millionths of a US dollar, as costs are counted."""
        return int(self.monthly_usd * 1_000_000)


class Spending(models.Model):
    """The amount that one function is about to spend of a budget; it counts until ``until``, if the function
    does not take it back before.
    """

    channel = models.CharField(max_length=50)
    micros = models.BigIntegerField()
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.channel}: {self.micros}"
