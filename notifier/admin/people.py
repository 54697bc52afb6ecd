"""Whom: audiences, and addresses that the user model does not hold."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import Audience, ContactPoint
from .forms import AudienceForm, ContactPointForm


@admin.register(Audience)
class AudienceAdmin(admin.ModelAdmin):
    form = AudienceForm
    list_display = ["name", "everyone"]
    search_fields = ["name"]
    # Not a list of all users: there may be a million.
    raw_id_fields = ["users"]
    filter_horizontal = ["groups"]
    fieldsets = [
        (None, {"fields": ["name"]}),
        (_("People"), {"fields": ["everyone", "groups", "users"]}),
        (_("Named by the event"), {"fields": ["paths"]}),
        (_("Others"), {"fields": ["addresses", "callables"]}),
    ]


@admin.register(ContactPoint)
class ContactPointAdmin(admin.ModelAdmin):
    form = ContactPointForm
    list_display = ["user", "channel", "address", "verified"]
    list_filter = ["channel", "verified"]
    list_select_related = ["user"]
    raw_id_fields = ["user"]
    search_fields = ["address"]
