"""The page of a trigger with its subscriptions."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline

from ...explaining import gone, summaries
from ...models import Event, Subscription, Trigger
from ...rules import signals
from .. import display
from ..declared import DeclaredRules
from ..forms import SubscriptionForm, SubscriptionFormSet, TriggerForm
from ..going_live import GoingLive
from ..lookups import ModelAdmin, Searching
from ..setup import permissions
from ..setup.page import SetupPages
from .counted import counted_table

MOST_EVENTS = 5


class SubscriptionInline(Searching, StackedInline):
    model = Subscription
    form = SubscriptionForm
    formset = SubscriptionFormSet
    autocomplete_fields = ["template", "audiences"]
    fieldsets = [
        (_("What"), {"fields": ["template", "channels"]}),
        (_("Whom"), {"fields": ["audiences", "enabled"]}),
        (
            _("More: which channel first, how often, together"),
            {
                "fields": [
                    "order",
                    "wait_minutes",
                    "throttle_number",
                    "throttle_minutes",
                    "cooldown_minutes",
                    "digest_minutes",
                ],
                "classes": ["collapse"],
            },
        ),
    ]
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
class TriggerAdmin(SetupPages, GoingLive, DeclaredRules, ModelAdmin):
    form = TriggerForm
    inlines = [SubscriptionInline]
    list_display = ["name", "state", "summary", "sends", "its_events"]
    list_filter = ["enabled", "shadow", "category"]
    search_fields = ["name", "verb", "model"]
    readonly_fields = ["summary", "recent_events", "counted"]
    nothing_yet = _("No triggers yet. A trigger says when something is sent.")
    list_before_template = "notifier/trigger_list_before.html"
    Media = display.Media

    def get_fieldsets(self, request, obj=None):
        one = {"fields": ["object_pk", "actor_model", "actor_pk", "target"], "classes": ["collapse"]}
        return [
            (
                None,
                {
                    "fields": [
                        *(["summary", "recent_events", "counted"] if obj else []),
                        "name",
                        "enabled",
                        "shadow",
                        "category",
                        "lane",
                    ]
                },
            ),
            (_("When"), {"fields": ["verb", "model", "on", "condition"]}),
            (_("Only for one instance, one actor or one target"), one),
            (
                _("More: later, and until when"),
                {"fields": ["delay_minutes", "expires_minutes"], "classes": ["collapse"]},
            ),
        ]

    def get_form(self, request, obj=None, change=False, **options):
        form = super().get_form(request, obj, change=change, **options)
        return type(form.__name__, (form,), {"user": request.user})

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .select_related("category")
            .prefetch_related("subscriptions__template__contents__version", summaries.audiences_prefetch())
        )

    def changelist_view(self, request, extra_context=None):
        url = permissions.setup_url(request)
        context = {"notifier_setup_url": url, "notifier_is_empty": bool(url) and not Trigger.objects.exists()}
        return super().changelist_view(request, context | (extra_context or {}))

    @admin.display(description=_("state"))
    def state(self, trigger):
        if not trigger.enabled:
            found = display.tinted("off", _("off"))
        elif trigger.shadow:
            found = display.tinted(Event.Status.SHADOW, _("only tried"))
        else:
            found = display.tinted("live", _("live"))
        kept = [display.quiet(trigger.get_declared_display())] if trigger.declared else []
        return display.lines([found, *kept])

    @admin.display(description=_("in words"))
    def summary(self, trigger):
        # A signal that is not registered, the warnings say themselves.
        missing = gone.in_trigger(trigger) if signals.get(trigger.verb) else ()
        notes = map(display.doubt, [*summaries.warnings(trigger), *missing])
        return display.lines([summaries.describe_trigger(trigger), *notes])

    @admin.display(description=_("sends"), empty_value=display.NOTHING)
    def sends(self, trigger):
        return display.lines(display.describe_subscription(each) for each in trigger.subscriptions.all())

    @admin.display(description=_("what came of it"))
    def its_events(self, trigger):
        return display.list_link(Event, _("Events"), trigger__id__exact=trigger.pk)

    @admin.display(description=_("newest events"))
    def recent_events(self, trigger):
        newest = Event.objects.filter(trigger=trigger).order_by("-pk")[:MOST_EVENTS]
        found = [display.event_line(event) for event in newest]
        return display.lines([*found, self.its_events(trigger)] if found else [_("None yet.")])

    @admin.display(description=_("what was sent"))
    def counted(self, trigger):
        return counted_table(trigger) or _("Nothing was counted yet: the sweep does that every minute.")

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        for text in summaries.relation_warnings(form.instance):
            messages.warning(request, text)
        for subscription in form.instance.subscriptions.all():
            for text in summaries.digest_warnings(subscription):
                messages.warning(request, text)
        if form.instance.enabled and not form.instance.subscriptions.filter(enabled=True).exists():
            text = _("Nothing is sent yet: the trigger has no subscription that is switched on.")
            messages.warning(request, text)
