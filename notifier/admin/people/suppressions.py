"""The addresses that get nothing more: why, since when, and how one is let go again.

Calls ``people.suppression``.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ...channels import registry
from ...channels.recipient import normalise
from ...models import Suppression
from ...people import suppression
from .. import display, masking
from ..choices import channel_choices
from ..filters import ChannelFilter
from ..reading import ReadingAdmin

LIFTED = _(
    "Lifted. What is sent from now on goes to this address again; what was skipped can be tried again."
)


class SuppressionForm(forms.ModelForm):
    """An address that is stopped by hand."""

    channel = forms.ChoiceField(label=_("Channel"), choices=channel_choices, widget=UnfoldAdminSelectWidget)
    detail = forms.CharField(label=_("Why"), max_length=500, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Suppression
        fields = ["channel", "address", "detail"]

    def clean(self):
        cleaned = super().clean()
        address = cleaned["address"] = normalise(cleaned.get("address", ""))
        if address and (there := suppression.find(cleaned.get("channel", ""), address)):
            self.add_error("address", _("It is on the list already: %s") % suppression.describe(there))
        return cleaned


class LiftForm(forms.Form):
    """The reason why an address is let go."""

    why = forms.CharField(
        label=_("Why"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": _("Say why: it stays in the history.")},
    )


@admin.register(Suppression)
class SuppressionAdmin(ReadingAdmin):
    form = SuppressionForm
    list_display = ["address_shown", "why", "channel_shown", "since"]
    list_filter = ["reason", ChannelFilter]
    nothing_yet = _(
        "No suppressed addresses yet. An address comes here by itself when it bounces for good or complains."
    )
    search_help_text = None
    search_fields = ["address", "detail"]
    shown_besides = ["channel", "reason", "created_at", "address"]
    of_recipients = {"address"}
    fields = ["address_shown", "channel_shown", "reason", "detail_shown", "since"]
    delete_confirmation_template = "admin/notifier/suppression/lift.html"
    # Each is lifted by itself, with its own reason.
    actions = None

    def get_queryset(self, request):
        return masking.marked(request, super().get_queryset(request))

    def get_fields(self, request, obj=None):
        return self.fields if obj else SuppressionForm.Meta.fields

    def get_readonly_fields(self, request, obj=None):
        return self.fields if obj else ()

    def find_exactly(self, request, queryset, term):
        """The address, in any of its spellings."""
        return (
            queryset.filter(address=normalise(term))
            if masking.may_see_recipients(request)
            else queryset.none()
        )

    @admin.display(description=_("address"))
    def address_shown(self, row):
        return masking.masked(row.address) if masking.is_masked(row) else row.address

    @admin.display(description=_("channel"), ordering="channel")
    def channel_shown(self, row):
        return registry.label(row.channel)

    @admin.display(description=_("reason"))
    def why(self, row):
        return display.lines(
            [row.get_reason_display(), *([display.quiet(capfirst(row.detail))] if row.detail else [])]
        )

    @admin.display(description=_("detail"), empty_value=display.NOTHING)
    def detail_shown(self, row):
        return capfirst(row.detail)

    @admin.display(description=_("since"))
    def since(self, row):
        return display.moment(row.created_at)

    def has_add_permission(self, request):
        # A person who may not see addresses could otherwise find out which of them are here.
        return masking.may_see_recipients(request) and request.user.has_perm("notifier.add_suppression")

    def has_delete_permission(self, request, obj=None):
        return request.user.has_perm("notifier.delete_suppression")

    def delete_view(self, request, object_id, extra_context=None):
        """Lift it: asks why, and keeps the answer in the log."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                LogEntry.objects.log_actions(
                    request.user.pk, [row], DELETION, f"{_('Lifted.')} {form.cleaned_data['why']}"
                )
                row.delete()
            messages.success(request, LIFTED)
            return HttpResponseRedirect(reverse("admin:notifier_suppression_changelist"))
        context = self.admin_site.each_context(request) | {
            "title": _("Let this address be written to again?"),
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "address": self.address_shown(row),
            "described": suppression.describe(row),
            "channel": registry.label(row.channel),
            "row": row,
            "back": reverse("admin:notifier_suppression_change", args=[row.pk]),
        }
        return TemplateResponse(request, self.delete_confirmation_template, context)
