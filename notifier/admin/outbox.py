"""What came of it: events and deliveries, to read and to search; a delivery that failed can be tried again."""

from collections import defaultdict

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _, ngettext

from .. import deliveries, publisher
from ..messages import rings_for
from ..models import Delivery, Event


class ReadOnlyAdmin(admin.ModelAdmin):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "verb", "action_object", "status", "created_at", "reason"]
    list_filter = ["status", "verb"]
    search_fields = ["=id", "verb", "action_object"]
    fields = ["verb", "action_object", "status", "reason", "created_at", "data", "plan", "deliveries_of_it"]
    readonly_fields = fields

    @admin.display(description=_("deliveries"))
    def deliveries_of_it(self, event):
        url = f"{reverse('admin:notifier_delivery_changelist')}?event__id__exact={event.pk}"
        return format_html('<a href="{}">{}</a>', url, event.deliveries.count())


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["id", "channel", "address_or_person", "status", "reason", "attempts", "created_at", "event_link"]
    list_filter = ["status", "channel", "reason"]
    search_fields = ["=id", "address", "recipient", "provider_id", "reason"]
    fields = [
        "event_link", "channel", "recipient", "address", "status", "reason", "detail", "attempts", "provider_id",
        "created_at", "finished_at", "due_at",
    ]  # fmt: skip
    readonly_fields = fields
    actions = ["retry_selected"]
    change_form_template = "admin/notifier/delivery/change_form.html"

    @admin.display(description=_("recipient"), ordering="recipient")
    def address_or_person(self, delivery):
        return delivery.address or delivery.recipient

    @admin.display(description=_("event"), ordering="event")
    def event_link(self, delivery):
        url = reverse("admin:notifier_event_change", args=[delivery.event_id])
        return format_html('<a href="{}">#{}</a>', url, delivery.event_id)

    def has_retry_permission(self, request):
        return request.user.has_perm("notifier.retry_delivery")

    @admin.action(description=_("Try the selected deliveries again"), permissions=["retry"])
    def retry_selected(self, request, queryset):
        self._retry(request, list(queryset.values_list("pk", flat=True)))

    def get_urls(self):
        one = path("<int:pk>/retry/", self.admin_site.admin_view(self.retry_view), name="notifier_delivery_retry")
        return [one, *super().get_urls()]

    def retry_view(self, request, pk):
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_retry_permission(request):
            raise PermissionDenied
        self._retry(request, [pk])
        return HttpResponseRedirect(reverse("admin:notifier_delivery_change", args=[pk]))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        delivery = self.get_object(request, object_id)
        can_retry = delivery and delivery.status in deliveries.RETRIABLE and self.has_retry_permission(request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "can_retry": can_retry})

    def _retry(self, request, ids):
        queued = deliveries.retry(ids)
        by_channel = defaultdict(list)
        for channel, pk in queued:
            by_channel[channel].append(pk)
            self.log_change(request, Delivery(pk=pk), "Tried again.")
        publisher.publish_on_commit([ring for name, keys in by_channel.items() for ring in rings_for(name, keys)])
        text = ngettext("%d delivery is being tried again.", "%d deliveries are being tried again.", len(queued)) % len(queued)
        messages.success(request, text)
        if left := len(ids) - len(queued):
            text = ngettext("%d was left alone: it is sent or under way.", "%d were left alone: they are sent or under way.", left)
            messages.warning(request, text % left)
