"""Filters for tables with millions of rows: none reads the whole table to find out what it offers."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from .choices import channel_choices

# The reasons that are offered are those of so many of the newest rows.
RECENT_ROWS = 2000


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
