"""Rows that code declares: their pages show them, and a person may take them over, or switch a rule off.

Calls ``rulefiles.declared``.
"""

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ..explaining.estimate import sends
from ..models import Trigger
from ..rulefiles import declared
from ..rules import declarations, inner_signals
from .forms import NOT_YOURS
from .going_live import AskFirst, ask_first, confirmation, inner_signal_of


class DeclaredRows:
    """For the ModelAdmin of a model that is ``Declared``: read-only while code decides what a row says."""

    change_form_outer_before_template = "admin/notifier/declared.html"

    def get_urls(self):
        name = self.model._meta.model_name
        view = self.admin_site.admin_view(self.take_over_view)
        return [path("<int:pk>/take-over/", view, name=f"notifier_{name}_take_over"), *super().get_urls()]

    def has_change_permission(self, request, obj=None):
        return not (obj and obj.declared) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        # The next migration would make it again. One that code has left behind may go.
        return not (obj and obj.is_in_code) and super().has_delete_permission(request, obj)

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        if obj and obj.declared:
            context["declared"] = self.declared_context(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def declared_context(self, request, obj):
        """What ``declared.html`` shows: where it is declared, and what this person may do about it."""
        found = declarations.get(obj.name)
        name = self.model._meta.model_name
        context = {"place": found.place if found else "", "is_retired": obj.is_retired}
        if super().has_change_permission(request, obj):
            context["take_over"] = reverse(f"admin:notifier_{name}_take_over", args=[obj.pk])
        return context

    @method_decorator(require_POST)
    def take_over_view(self, request, pk):
        """Let people change the row from now on, and no code. A trigger takes along what is with it."""
        row = get_object_or_404(self.model, pk=pk)
        if not super().has_change_permission(request, row):
            raise PermissionDenied
        if not row.declared:
            raise Http404
        for each in self.taken_over(row):
            LogEntry.objects.log_actions(
                request.user.pk, [each], CHANGE, _("Taken over from the code."), single_object=True
            )
        messages.success(
            request, _("“%s” is yours now: what the code declares under this name no longer counts.") % row
        )
        return HttpResponseRedirect(_page_of(row))

    def taken_over(self, row):
        """Take the row over, alone; returns it in a list."""
        row.declared = ""
        row.save()
        return [row]


class DeclaredRules(DeclaredRows):
    """``DeclaredRows`` for triggers: one is taken over with its template and audience, and has a switch."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.switch_view)
        return [path("<int:pk>/switch/", view, name="notifier_trigger_switch"), *super().get_urls()]

    def declared_context(self, request, obj):
        context = super().declared_context(request, obj)
        if "take_over" in context and obj.is_in_code:
            context["switch"] = reverse("admin:notifier_trigger_switch", args=[obj.pk])
        return context

    def taken_over(self, row):
        return declared.release(row.name)

    @method_decorator(require_POST)
    def switch_view(self, request, pk):
        """Switch a declared rule off, or on again. What it says stays the code's."""
        trigger = get_object_or_404(Trigger, pk=pk)
        # What code says is read-only, but not whether it is on.
        if not super(DeclaredRows, self).has_change_permission(request, trigger):
            raise PermissionDenied
        if not trigger.is_in_code:
            raise Http404
        try:
            self._switch(request, trigger)
        except AskFirst as error:
            return confirmation(self, request, error)
        return HttpResponseRedirect(_page_of(trigger))

    @transaction.atomic
    def _switch(self, request, trigger):
        before, fired = sends(trigger), inner_signal_of(trigger)
        trigger.enabled = not trigger.enabled
        if inner_signal_of(trigger) and not request.user.has_perm(inner_signals.PERMISSION):
            raise PermissionDenied(NOT_YOURS)
        trigger.save()
        said = _("Switched on.") if trigger.enabled else _("Switched off.")
        LogEntry.objects.log_actions(request.user.pk, [trigger], CHANGE, said, single_object=True)
        ask_first(request, trigger, before, fired)
        messages.success(request, said)


def _page_of(row):
    return reverse(f"admin:notifier_{row._meta.model_name}_change", args=[row.pk])
