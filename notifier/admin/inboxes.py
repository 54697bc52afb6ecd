"""What people have in their inboxes, to be looked at and not changed: an inbox is its owner's. Next hop: the delivery that it came by."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from ..models import Delivery, InboxItem
from . import display, masking


@admin.register(InboxItem)
class InboxItemAdmin(ModelAdmin):
    list_display = ["pk", "whose", "what", "category", "created_at", "read_at"]
    list_filter = ["category"]
    list_select_related = ["user", "category"]
    list_per_page = 50
    show_full_result_count = False
    nothing_yet = _("Nothing has come into an inbox yet. It is a channel like e-mail: a trigger sends by it.")
    fields = ["whose", "what", "text_shown", "link_shown", "category", "about", "delivery_link", "created_at", "read_at", "archived_at"]
    Media = display.Media

    def get_search_fields(self, request):
        return [f"user__{get_user_model().USERNAME_FIELD}__exact"] if masking.may_see_recipients(request) else []

    def get_queryset(self, request):
        self._may_see = masking.may_see_recipients(request)
        return super().get_queryset(request)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
