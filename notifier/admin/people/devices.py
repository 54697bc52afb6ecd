"""The pages of people's phones, as apps have registered them.

Their tokens are shown to nobody: a person who has one can be taken for the app.
"""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from ...models import Device
from .. import display, masking
from ..lookups import ModelAdmin

SHOWN = 6


@admin.register(Device)
class DeviceAdmin(ModelAdmin):
    list_display = ["who", "platform", "masked_token", "enabled", "last_seen"]
    list_filter = ["platform", "enabled"]
    list_select_related = ["user"]
    search_fields = [f"user__{get_user_model().USERNAME_FIELD}__exact"]
    of_recipients = {"who", "user"}
    fields = readonly_fields = [
        "who",
        "platform",
        "masked_token",
        "enabled",
        "endpoint_arn",
        "since",
        "last_seen",
    ]
    nothing_yet = _("No devices yet. An app registers its own when somebody signs in on it.")
    Media = display.Media

    def get_fields(self, request, obj=None):
        return [name for name in self.fields if name != "who" or masking.may_see_recipients(request)]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=_("user"), ordering="user")
    def who(self, device):
        return str(device.user)

    @admin.display(description=_("token"))
    def masked_token(self, device):
        return f"{device.token[:SHOWN]}…" if len(device.token) > 2 * SHOWN else "…"

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, device):
        return display.moment(device.created_at)

    @admin.display(description=_("last seen"), ordering="seen_at")
    def last_seen(self, device):
        return display.moment(device.seen_at)
