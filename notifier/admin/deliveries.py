"""What reached whom: deliveries, to read and to search. Next hop: ``retrying``, for one that was not sent."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ..models import ContentVersion, Delivery, Event, Template
from . import display, retrying
from .filters import ChannelFilter, ReasonFilter
from .reading import ReadingAdmin
from .versions import version_url

MEANINGS = {
    Delivery.Status.QUEUED: _("A message is on its way to the function that sends it."),
    Delivery.Status.WAITING: _("It is tried again at the time below."),
    Delivery.Status.CLAIMED: _("A function is working on it."),
    Delivery.Status.SENDING: _("The provider is being called."),
    Delivery.Status.SENT: _("The provider took it."),
    Delivery.Status.SKIPPED: _("Nothing was sent, and nobody is at fault."),
    Delivery.Status.FAILED: _("It was not sent."),
    Delivery.Status.HELD: _("It is paused, and goes on when the pause ends."),
    Delivery.Status.CANCELLED: _("A person took it back before it was sent."),
    Delivery.Status.UNKNOWN: _("It may have been sent. Ask the provider before you try again: it could arrive twice."),
}


@admin.register(Delivery)
class DeliveryAdmin(ReadingAdmin):
    list_display = ["id", "status_and_reason", "recipient_and_channel", "attempts", "created_short", "event_link"]
    list_filter = ["status", ChannelFilter, ReasonFilter]
    search_fields = ["address", "recipient", "provider_id", "reason"]
    small_by = "event__id__exact"
    fieldsets = [
        (None, {"fields": ["status_line", "reason_line", "channel", "person", "address", "content"]}),
        (_("How it went"), {"fields": ["event_link", "attempts", "created", "finished", "next_attempt", "provider_id"]}),
    ]
    actions = ["retry_selected"]
    change_form_template = "admin/notifier/delivery/change_form.html"

    def attach(self, rows):
        users = get_user_model()
        keys = [row.recipient.removeprefix("user:") for row in rows if row.recipient.startswith("user:")]
        found = users._default_manager.filter(pk__in=keys).values_list("pk", users.USERNAME_FIELD)
        names = {f"user:{pk}": name for pk, name in found}
        for row in rows:
            row.username = names.get(row.recipient)

    def get_search_results(self, request, queryset, search_term):
        found, doubles = super().get_search_results(request, queryset, search_term)
        users = get_user_model()
        if (
            key := users._default_manager.filter(**{users.USERNAME_FIELD: search_term.strip()})
            .values_list("pk", flat=True)
            .first()
        ):
            found |= self.search_in(request, queryset).filter(recipient=f"user:{key}")
        return found, doubles

    @admin.display(description=_("status"))
    def status_and_reason(self, delivery):
        return format_html("{}<br>{}", display.status_word(delivery), display.quiet(delivery.reason))

    @admin.display(description=_("status"))
    def status_line(self, delivery):
        return format_html("{} {}", display.status_word(delivery), display.quiet(MEANINGS[delivery.status]))

    @admin.display(description=_("reason"))
    def reason_line(self, delivery):
        detail = delivery.detail or retrying.REASONS.get(delivery.reason, "")
        return format_html("{} {}", delivery.reason, display.quiet(detail)) if delivery.reason else display.NOTHING

    @admin.display(description=_("recipient"))
    def recipient_and_channel(self, delivery):
        name = delivery.address or delivery.username or delivery.recipient
        channel = _("%s, a test") % delivery.channel if delivery.is_test else delivery.channel
        return format_html("{}<br>{}", name, display.quiet(channel))

    @admin.display(description=_("person"))
    def person(self, delivery):
        kind, _colon, key = delivery.recipient.partition(":")
        if kind != "user":
            return display.NOTHING
        if delivery.username is None:
            return display.quiet(_("deleted (%s)") % delivery.recipient)
        return display.object_link(get_user_model(), key, delivery.username)

    @admin.display(description=_("template"))
    def content(self, delivery):
        related = ContentVersion.objects.select_related("content__template", "content__version")
        version = related.filter(pk=delivery.version_id).first()
        if version is None:
            return display.quiet(_("deleted"))
        if version.content is None:
            return _("A test: what its editor sent to themselves.")
        link = display.object_link(Template, version.content.template_id, version.content.template.name)
        number = format_html('<a href="{}">{}</a>', version_url(version), _("version %d") % version.number)
        return format_html("{}, {} {}", link, number, display.quiet(retrying.version_used(delivery, version)))

    @admin.display(description=_("event"))
    def event_link(self, delivery):
        return display.object_link(Event, delivery.event_id, f"#{delivery.event_id}")

    @admin.display(description=_("created"))
    def created(self, delivery):
        return display.moment(delivery.created_at)

    @admin.display(description=_("created"))
    def created_short(self, delivery):
        return display.short_moment(delivery.created_at)

    @admin.display(description=_("finished"))
    def finished(self, delivery):
        return display.moment(delivery.finished_at)

    @admin.display(description=_("tried again at"))
    def next_attempt(self, delivery):
        return display.moment(delivery.due_at if delivery.status == Delivery.Status.WAITING else None)

    def has_retry_permission(self, request):
        return self.has_view_permission(request) and request.user.has_perm("notifier.retry_delivery")

    def changelist_view(self, request, extra_context=None):
        key = request.GET.get(self.small_by, "")
        event = Event.objects.filter(pk=key).first() if key.isdecimal() else None
        subtitle = {"subtitle": display.object_link(Event, key, _("Event %s") % event)} if event else {}
        return super().changelist_view(request, {**(extra_context or {}), **subtitle})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        delivery = self.get_object(request, object_id)
        can_retry = delivery and retrying.can_be_retried(delivery) and self.has_retry_permission(request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "can_retry": can_retry})

    def get_urls(self):
        one = path("<int:pk>/retry/", self.admin_site.admin_view(self.retry_view), name="notifier_delivery_retry")
        return [one, *super().get_urls()]

    @method_decorator(require_POST)
    def retry_view(self, request, pk):
        if not self.has_retry_permission(request):
            raise PermissionDenied
        retrying.retry(request, Delivery.objects.filter(pk=pk))
        return HttpResponseRedirect(reverse("admin:notifier_delivery_change", args=[pk]))

    @admin.action(description=_("Try the selected deliveries again"), permissions=["retry"])
    def retry_selected(self, request, queryset):
        retrying.retry(request, queryset)
