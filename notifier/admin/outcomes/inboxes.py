"""The pages of people's inboxes, to be looked at and not changed: an inbox is its owner's."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ...models import Delivery, InboxItem
from .. import display, masking
from ..reading import ReadingAdmin


@admin.register(InboxItem)
class InboxItemAdmin(ReadingAdmin):
    list_display = ["id", "what", "whose", "category", "created_short", "state"]
    list_filter = ["category"]
    list_select_related = ["user", "category"]
    nothing_yet = _("Nothing has come into an inbox yet. It is a channel like e-mail: a trigger sends by it.")
    search_fields = ["id", "about", "title"]
    shown_besides = ["user", "title", "about", "created_at", "read_at", "archived_at"]
    of_recipients = {"user", "title", "text", "link", "icon", "about"}
    fields = ["whose", "what", "body", "leads_to", "category", "about_line", "came_by", "created", "state"]

    def find_exactly(self, request, queryset, term):
        if not masking.may_see_recipients(request):
            return queryset.none()
        return queryset.filter(
            user__in=get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: term})
        )

    def get_queryset(self, request):
        # What somebody is told is theirs.
        return masking.marked(request, super().get_queryset(request))

    @admin.display(description=_("person"))
    def whose(self, item):
        return _shown(
            item, lambda: display.object_link(get_user_model(), item.user_id, item.user.get_username())
        )

    @admin.display(description=_("title"))
    def what(self, item):
        return _shown(item, lambda: f"{'' if item.has_picture else item.icon} {item.heading}".strip())

    @admin.display(description=_("text"))
    def body(self, item):
        return _shown(
            item,
            lambda: (
                format_html('<div class="notifier-data">{}</div>', item.text)
                if item.text
                else display.NOTHING
            ),
        )

    @admin.display(description=_("link"))
    def leads_to(self, item):
        return _shown(
            item,
            lambda: (
                format_html('<a href="{0}" rel="noreferrer">{0}</a>', item.link)
                if item.link
                else display.NOTHING
            ),
        )

    @admin.display(description=_("about"))
    def about_line(self, item):
        return _shown(item, lambda: item.about or display.NOTHING)

    @admin.display(description=_("came by"))
    def came_by(self, item):
        text = _("delivery %s") % item.delivery
        return display.object_link(Delivery, item.delivery, text) if item.delivery else display.NOTHING

    @admin.display(description=_("came"), ordering="created_at")
    def created(self, item):
        return display.moment(item.created_at)

    @admin.display(description=_("came"))
    def created_short(self, item):
        return display.short_moment(item.created_at)

    @admin.display(description=_("state"))
    def state(self, item):
        if item.archived_at:
            return format_html(_("archived, {}"), display.short_moment(item.archived_at))
        return format_html(_("read, {}"), display.short_moment(item.read_at)) if item.read_at else _("unread")


def _shown(item, value):
    return masking.hidden() if masking.is_masked(item) else value()
