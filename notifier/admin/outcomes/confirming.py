"""The buttons and list actions of retry, cancel and resend, and the page that asks before many.

Calls ``delivery_actions``.
"""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ... import deliveries
from ...models import Delivery, Event
from . import delivery_actions

# The others never had one.
WITH_DELIVERIES = (*deliveries.UNFINISHED_EVENTS, Event.Status.DONE, Event.Status.CANCELLED)


class Asking:
    """For a ModelAdmin: asks before an act, and does it once it was confirmed.

    Permission: ``notifier.retry_delivery``.
    """

    acts = ()

    def deliveries_of(self, act, queryset):
        """The deliveries that an act on these objects is about."""
        return queryset

    def has_retry_permission(self, request):
        return self.has_view_permission(request) and request.user.has_perm("notifier.retry_delivery")

    def get_urls(self):
        label = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                f"<int:pk>/{act.name}/",
                self.admin_site.admin_view(self._view_of(act)),
                name=f"{label}_{act.name}",
            )
            for act in self.acts
        ]
        return [*own, *super().get_urls()]

    def _view_of(self, act):
        @method_decorator(require_POST)
        def view(self, request, pk):
            if not self.has_retry_permission(request):
                raise PermissionDenied
            queryset = self.model.objects.filter(pk=pk)
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])
            if not queryset.exists():
                return HttpResponseRedirect(back)
            return self.ask_or_act(request, act, queryset, back=back) or HttpResponseRedirect(back)

        return view.__get__(self)

    def ask_or_act(self, request, act, queryset, *, back=""):
        """The page that asks, or None once the act is done."""
        found = self.deliveries_of(act, queryset)
        if "confirmed" not in request.POST:
            by_status, more = delivery_actions.count(act, found)
            number = sum(by_status.values())
            if number > 1 or (number and act.always_asks) or self.asks_anyway(act, queryset):
                return self._ask(request, act, number, by_status, more, back)
        self.act(request, act, queryset, found)
        return None

    def act(self, request, act, queryset, found):
        delivery_actions.perform(request, act, found, seen=request.POST.get("seen", ""))

    def asks_anyway(self, act, queryset):
        """Tell whether it asks although there is one delivery at most."""
        return False

    def _ask(self, request, act, number, by_status, more, back):
        again = {
            name: request.POST.getlist(name)
            for name in ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
        }
        context = self.admin_site.each_context(request) | {
            "title": act.question % number,
            "opts": self.opts,
            "media": self.media,
            "warnings": [
                text % by_status[status] for status, text in act.warnings.items() if by_status.get(status)
            ],
            "more": more and delivery_actions.MOST_AT_ONCE,
            "again": [(name, value) for name, values in again.items() for value in values],
            "seen": timezone.now().isoformat(),
            "back": back or request.get_full_path(),
            "yes": act.label,
        }
        return TemplateResponse(request, "admin/notifier/ask.html", context)


class DeliveryActs(Asking):
    acts = tuple(delivery_actions.ACTS.values())
    actions = ["retry_selected", "cancel_selected", "resend_selected"]

    @admin.action(description=_("Try the selected deliveries again"), permissions=["retry"])
    def retry_selected(self, request, queryset):
        return self.ask_or_act(request, delivery_actions.RETRY, queryset)

    @admin.action(description=_("Cancel the selected deliveries"), permissions=["retry"])
    def cancel_selected(self, request, queryset):
        return self.ask_or_act(request, delivery_actions.CANCEL, queryset)

    @admin.action(description=_("Send the selected deliveries once more"), permissions=["retry"])
    def resend_selected(self, request, queryset):
        return self.ask_or_act(request, delivery_actions.RESEND, queryset)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        delivery = self.get_object(request, object_id)
        acts = delivery_actions.acts_for(delivery) if delivery and self.has_retry_permission(request) else []
        buttons = [
            (reverse(f"admin:notifier_delivery_{act.name}", args=[delivery.pk]), act.label) for act in acts
        ]
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "act_buttons": buttons}
        )


class EventActs(Asking):
    """Actions on an event are actions on its deliveries: all that failed, or all that are not sent yet."""

    acts = (delivery_actions.RETRY, delivery_actions.CANCEL)
    actions = ["retry_failed", "cancel_unsent"]

    @admin.action(description=_("Try all that failed again"), permissions=["retry"])
    def retry_failed(self, request, queryset):
        return self.ask_or_act(request, delivery_actions.RETRY, queryset)

    @admin.action(description=_("Cancel all that is not sent yet"), permissions=["retry"])
    def cancel_unsent(self, request, queryset):
        return self.ask_or_act(request, delivery_actions.CANCEL, queryset)

    def deliveries_of(self, act, queryset):
        found = Delivery.objects.filter(event__in=queryset.order_by().values("pk"))
        # What is unknown may have been sent: that is decided one by one.
        return found.filter(status=Delivery.Status.FAILED) if act is delivery_actions.RETRY else found

    def asks_anyway(self, act, queryset):
        return (
            act is delivery_actions.CANCEL
            and queryset.filter(status__in=deliveries.UNFINISHED_EVENTS).exists()
        )

    def act(self, request, act, queryset, found):
        events = list(queryset.order_by("pk")[: delivery_actions.MOST_AT_ONCE])
        # First of all: a fan-out that is at work writes no more of them.
        stopped = act is delivery_actions.CANCEL and deliveries.cancel_events([event.pk for event in events])
        if stopped:
            messages.success(
                request, _("No more deliveries come of %d events that were not through.") % stopped
            )
        # What a fan-out has written since the question is the event's as well.
        seen = "" if act is delivery_actions.CANCEL else request.POST.get("seen", "")
        if delivery_actions.perform(request, act, found, seen=seen) or stopped:
            LogEntry.objects.log_actions(request.user.pk, events, CHANGE, str(act.log))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        event = self.get_object(request, object_id)
        buttons = []
        if event and event.status in WITH_DELIVERIES and self.has_retry_permission(request):
            there = (extra_context or {}).get("there")
            found = [
                (delivery_actions.RETRY, _("Try all that failed again"), (Delivery.Status.FAILED,)),
                (delivery_actions.CANCEL, _("Cancel what is not sent yet"), delivery_actions.CANCEL.statuses),
            ]
            # An event can have a million deliveries: without a count of all, both are offered.
            is_open = event.status in deliveries.UNFINISHED_EVENTS
            labels = [
                (act, label)
                for act, label, statuses in found
                if there is None
                or there.intersection(statuses)
                or (is_open and act is delivery_actions.CANCEL)
            ]
            buttons = [
                (reverse(f"admin:notifier_event_{act.name}", args=[event.pk]), label) for act, label in labels
            ]
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "act_buttons": buttons}
        )
