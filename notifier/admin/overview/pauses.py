"""The page with the brakes: pause everything, a channel or a trigger, and resume. Calls ``gates.pauses``."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ...channels import registry
from ...gates.pauses import BUDGET, EVERYTHING, Scopes, pause as begin_pause, resume as end_pause, scope_of
from ...models import Delivery, Event, Pause, Trigger
from ...templating import keys
from .. import display
from ..lookups import ModelAdmin
from . import closed

# Beyond it, nobody needs the number.
MOST_COUNTED = 10_000


def described_pauses():
    """The pauses of now, each with ``words`` that name it.

    One query, and one for triggers' names where there are any.
    """
    found = list(Pause.objects.order_by("pk"))
    if not found:
        return []
    names = dict(
        Trigger.objects.filter(pk__in=Scopes([each.scope for each in found]).triggers).values_list(
            "pk", "name"
        )
    )
    for each in found:
        each.words = describe(each.scope, names)
    return found


def describe(scope, names):
    kind, _colon, name = scope.partition(":")
    if kind == "channel":
        return _("all %s") % name
    if kind == BUDGET:
        return _("all %s, as this month's budget is used up") % name
    if kind == "trigger":
        return _("the trigger “%s”") % names.get(keys.find_key(Trigger, name), name)
    return _("everything")


class PauseForm(forms.Form):
    """The scope to pause, and the reason."""

    scope = forms.CharField(max_length=100)
    reason = forms.CharField(max_length=200, required=False)

    def clean_scope(self):
        scope = self.cleaned_data["scope"]
        kind, _colon, name = scope.partition(":")
        known = {
            "channel": lambda: name in registry.channel_names(),
            "trigger": lambda: (
                name.isdecimal() and len(name) < 19 and Trigger.objects.filter(pk=int(name)).exists()
            ),
        }
        if scope != EVERYTHING and not known.get(kind, bool)():
            raise forms.ValidationError(_("There is nothing like that to pause. Choose again."))
        return scope


@admin.register(Pause)
class PauseAdmin(ModelAdmin):
    class Media:
        css = {"all": [*display.Media.css["all"], "notifier/pauses.css"]}

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="notifier_pause_changelist"),
            path("start/", wrap(self.start_view), name="notifier_pause_start"),
            path("<int:pk>/resume/", wrap(self.resume_view), name="notifier_pause_resume"),
            path("closed/<int:pk>/open/", wrap(self.open_view), name="notifier_rate_open"),
        ]

    def has_change_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        pauses = described_pauses()
        for each in pauses:
            each.held, each.url = describe_held(each.scope), _url_of(each.scope)
            each.is_budget = each.scope.startswith(f"{BUDGET}:")
        paused = {each.scope for each in pauses}
        context = self.admin_site.each_context(request) | {
            "title": _("Pauses"),
            "opts": self.opts,
            "media": self.media,
            "pauses": pauses,
            "closed": closed.described(),
            "is_all_paused": EVERYTHING in paused,
            "channels": [
                (scope, name)
                for name in registry.channel_names()
                if (scope := f"channel:{name}") not in paused
            ],
            "triggers": [
                (scope, name)
                for pk, name in Trigger.objects.values_list("pk", "name")
                if (scope := scope_of(trigger=pk)) not in paused
            ],
            "chosen": request.GET.get("scope", ""),
            "may_pause": self.has_add_permission(request),
            "may_resume": self.has_delete_permission(request),
        }
        return TemplateResponse(request, "admin/notifier/pause/change_list.html", context)

    @method_decorator(require_POST)
    def start_view(self, request):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PauseForm(request.POST)
        if form.is_valid():
            self._start(request, **form.cleaned_data)
        else:
            messages.error(request, " ".join(text for texts in form.errors.values() for text in texts))
        return self._back(request)

    def _start(self, request, scope, reason):
        pause, is_new = begin_pause(scope, reason=reason, by=request.user.get_username())
        if is_new:
            LogEntry.objects.log_actions(
                request.user.pk, [pause], ADDITION, f"{_('Paused.')} {reason}".strip()
            )
            messages.success(
                request, _("Paused. What is being sent at this moment still goes out; the rest is held.")
            )
        else:
            messages.warning(request, _("It is paused already."))

    @method_decorator(require_POST)
    def resume_view(self, request, pk):
        if not self.has_delete_permission(request):
            raise PermissionDenied
        if Pause.objects.filter(pk=pk, scope__startswith=f"{BUDGET}:").exists():
            messages.warning(request, _("The budget is used up. Raise it, and what was held goes out."))
        elif pause := end_pause(pk):
            LogEntry.objects.log_actions(request.user.pk, [pause], DELETION, str(_("Resumed.")))
            messages.success(
                request, _("Resumed. What was held goes out from the next minute on, the oldest first.")
            )
        else:
            messages.warning(request, _("It is not paused any more."))
        return self._back(request)

    @method_decorator(require_POST)
    def open_view(self, request, pk):
        if not self.has_delete_permission(request):
            raise PermissionDenied
        closed.open_at_once(request, pk)
        return self._back(request)

    def _back(self, request):
        # Who may pause need not be allowed to see the page.
        target = "notifier_pause_changelist" if self.has_view_permission(request) else "index"
        return HttpResponseRedirect(reverse(f"admin:{target}"))


def _url_of(scope):
    """The address where one sees what is paused: the trigger, or the channel's deliveries."""
    kind, _colon, name = scope.partition(":")
    if kind == "trigger" and name:
        return reverse("admin:notifier_trigger_change", args=[name])
    if kind == BUDGET:
        return reverse("admin:notifier_budget_changelist")
    return (
        f"{reverse('admin:notifier_delivery_changelist')}?{urlencode({'channel': name})}"
        if kind == "channel"
        else ""
    )


def describe_held(scope):
    """The number of what a pause holds, bounded: “12 events, 340 deliveries”."""
    one = Scopes([scope])
    events = Event.objects.filter(status=Event.Status.HELD)
    held = Delivery.objects.filter(status=Delivery.Status.HELD)
    if not one.everything:
        events, held = events.filter(one.of_events()), held.filter(one.of_deliveries())
    counts = [
        (events.order_by()[: MOST_COUNTED + 1].count(), _("%s events")),
        (held.order_by()[: MOST_COUNTED + 1].count(), _("%s deliveries")),
    ]
    texts = [
        str(text) % (f"{number:,}" if number <= MOST_COUNTED else f"> {MOST_COUNTED:,}")
        for number, text in counts
        if number
    ]
    return ", ".join(texts) or _("nothing yet")
