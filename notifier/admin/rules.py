"""When and whom: a trigger with its subscriptions on one page."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import Subscription, Trigger
from .forms import SubscriptionForm, TriggerForm


class SubscriptionInline(admin.StackedInline):
    model = Subscription
    form = SubscriptionForm
    extra = 0
    min_num = 1
    autocomplete_fields = ["template", "audiences"]
    fields = ["template", "channels", "audiences", "enabled"]


@admin.register(Trigger)
class TriggerAdmin(admin.ModelAdmin):
    form = TriggerForm
    inlines = [SubscriptionInline]
    list_display = ["name", "verb", "model", "on", "enabled"]
    list_filter = ["enabled", "verb"]
    search_fields = ["name", "verb", "model"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["name", "enabled"]}),
        (_("When"), {"fields": ["verb", "model", "on"]}),
        (
            _("Only for"),
            {"fields": ["object_pk", "actor_model", "actor_pk", "target"], "classes": ["collapse"]},
        ),
    ]
