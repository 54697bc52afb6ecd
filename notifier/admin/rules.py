"""When and whom: a trigger with its subscriptions on one page."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline

from ..models import Event, Subscription, Trigger
from . import display
from .forms import SubscriptionForm, SubscriptionFormSet, TriggerForm
from .going_live import GoingLive


class SubscriptionInline(StackedInline):
    model = Subscription
    form = SubscriptionForm
    formset = SubscriptionFormSet
    autocomplete_fields = ["template", "audiences"]
    fields = ["template", "channels", "audiences", "enabled"]
    verbose_name_plural = _("subscriptions: what is sent, and to whom")

    def get_formset(self, request, obj=None, **options):
        formset = super().get_formset(request, obj, **options)
        if field := formset.form.base_fields.get("template"):
            # Nobody comes here to delete a template.
            field.widget.can_delete_related = False
        return formset

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj else 1


@admin.register(Trigger)
class TriggerAdmin(GoingLive, ModelAdmin):
    form = TriggerForm
    inlines = [SubscriptionInline]
    list_display = ["name", "enabled", "when", "sends", "its_events"]
    list_filter = ["enabled"]
    search_fields = ["name", "verb", "model"]
    fieldsets = [
        (None, {"fields": ["name", "enabled", "shadow"]}),
        (_("When"), {"fields": ["verb", "model", "on"]}),
        (
            _("Only for one instance, one actor or one target"),
            {"fields": ["object_pk", "actor_model", "actor_pk", "target"], "classes": ["collapse"]},
        ),
    ]
    Media = display.Media

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("subscriptions__template", "subscriptions__audiences")

    @admin.display(description=_("when"))
    def when(self, trigger):
        return display.describe_trigger(trigger)

    @admin.display(description=_("sends"), empty_value=display.NOTHING)
    def sends(self, trigger):
        return display.lines(display.describe_subscription(each) for each in trigger.subscriptions.all())

    @admin.display(description=_("what came of it"))
    def its_events(self, trigger):
        return display.list_link(Event, _("Events"), trigger__id__exact=trigger.pk)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if form.instance.enabled and not form.instance.subscriptions.filter(enabled=True).exists():
            text = _("Nothing is sent yet: the trigger has no subscription that is switched on.")
            messages.warning(request, text)
