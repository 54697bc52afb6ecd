"""Filters for tables with millions of rows: none reads the whole table to find out what it offers."""

import datetime as dt

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from ..models import Delivery, Feedback
from ..templating.times import read_moment
from .choices import channel_choices

# The reasons that are offered are those of so many of the newest rows.
RECENT_ROWS = 2000


# The days that are offered; a link may ask for any.
DAYS = 14
# How far keys and times may be out of step: rows that functions write at the same time.
KEYS_ASTRAY = 20_000
# Not a status but what several have in common: it is not over.
OPEN = "open"
# Nearly all deliveries have these, each for a moment only. No index is of them; that of due times holds them,
# and little else.
PASSING = (Delivery.Status.QUEUED, Delivery.Status.CLAIMED)


class StatusFilter(admin.SimpleListFilter):
    """A delivery's status."""

    title = _("status")
    parameter_name = "status__exact"

    def lookups(self, request, model_admin):
        return [(OPEN, _("not over")), *Delivery.Status.choices]

    def queryset(self, request, queryset):
        if self.value() == OPEN:
            return queryset.filter(due_at__isnull=False)
        if self.value() in PASSING:
            queryset = queryset.filter(due_at__isnull=False)
        return queryset.filter(status=self.value()) if self.value() else queryset


class ReturnedFilter(admin.SimpleListFilter):
    """Messages that were sent and then undone: it bounced, somebody complained, or the provider did not send
    it after all.
    """

    title = _("came back")
    parameter_name = "returned"
    ANY = "any"
    CHOICES = [
        (kind, kind.label)
        for kind in (Feedback.Kind.BOUNCED, Feedback.Kind.COMPLAINED, Feedback.Kind.REFUSED)
    ]

    def lookups(self, request, model_admin):
        return [(self.ANY, _("for any reason")), *self.CHOICES]

    def queryset(self, request, queryset):
        if self.value() == self.ANY:
            return queryset.exclude(returned="")
        return queryset.filter(returned=self.value()) if self.value() else queryset


class ChannelFilter(admin.SimpleListFilter):
    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request, model_admin):
        return channel_choices()

    def queryset(self, request, queryset):
        return queryset.filter(channel=self.value()) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request, model_admin):
        newest = model_admin.model.objects.order_by("-pk").values_list("reason", flat=True)[:RECENT_ROWS]
        chosen = self.used_parameters.get(self.parameter_name)
        return [(reason, reason) for reason in sorted({*newest, chosen} - {"", None})]

    def queryset(self, request, queryset):
        return queryset.filter(reason=self.value()) if self.value() else queryset


class DayFilter(admin.SimpleListFilter):
    """The day on which a row was created, by keys: they grow with time, so that the newest of a day are found
    without sorting it.

    PostgreSQL does not know that they do. Given the times alone it walks back from the newest row, through
    all that came since.
    """

    title = _("day")
    parameter_name = "created"

    def lookups(self, request, model_admin):
        today = timezone.localdate()
        chosen = parse_date(self.value()) if self._day() else None
        days = {today - dt.timedelta(days=n) for n in range(DAYS)} | {chosen}
        return [(day.isoformat(), date_format(day, "D j M Y")) for day in sorted(days - {None}, reverse=True)]

    def _day(self):
        """The begin of the day that was asked for, and its end; None for what is no day."""
        asked = self.value() or ""
        try:
            return (read_moment(asked), read_moment(asked, end=True)) if parse_date(asked) else None
        except ValueError:
            return None

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        if (day := self._day()) is None:
            raise IncorrectLookupParameters(f"{self.value()} is no day: write it as 2026-12-31.")
        begin, end = day
        first, after = (_first_key(queryset.model, time) for time in (begin, end))
        if first is None:
            return queryset.none()
        found = queryset.filter(created_at__gte=begin, created_at__lt=end, pk__gte=first - KEYS_ASTRAY)
        return found.filter(pk__lt=after + KEYS_ASTRAY) if after else found


def _first_key(model, time):
    return (
        model.objects.filter(created_at__gte=time)
        .order_by("created_at", "pk")
        .values_list("pk", flat=True)
        .first()
    )
