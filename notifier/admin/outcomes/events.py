"""The pages of events, to read and to search, each with its timeline.

Calls ``timeline``, and ``why`` for one person.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ...explaining import estimate
from ...models import Delivery, Event, Trigger
from .. import display
from ..reading import ReadingAdmin
from . import timeline, why
from .confirming import EventActs

MEANINGS = {
    Event.Status.RECORDED: _("It waits for the function that finds its recipients."),
    Event.Status.FANNING_OUT: _("A function is writing its deliveries."),
    Event.Status.DONE: _("All its deliveries exist."),
    Event.Status.FAILED: _("Nothing was sent."),
    Event.Status.HELD: _("It is paused, and goes on when the pause ends."),
    Event.Status.SHADOW: _("Its trigger only shows what it would send."),
    Event.Status.VETOED: _("A signal middleware refused it."),
    Event.Status.CANCELLED: _("A person took it back before all its deliveries existed."),
}


@admin.register(Event)
class EventAdmin(EventActs, ReadingAdmin):
    list_display = [
        "id",
        "status_word",
        "action_object_name",
        "trigger_link",
        "created_short",
        "its_deliveries",
        "reason",
    ]
    list_filter = ["status", "trigger"]
    search_fields = ["action_object", "verb", "reason"]
    shown_besides = ["action_object", "verb", "created_at"]
    nothing_yet = _("No events yet. One is recorded each time that what a trigger waits for happens.")
    # The page's own template shows the rest.
    fields = ["id"]
    change_form_template = "admin/notifier/event/change_form.html"

    class Media:
        css = {"all": ["notifier/admin.css", "notifier/timeline.css"]}
        js = ["notifier/live.js"]

    def attach(self, rows):
        triggers = Trigger.objects.in_bulk({row.trigger_id for row in rows})
        for row in rows:
            row.live_trigger = triggers.get(row.trigger_id)

    @admin.display(description=_("status"))
    def status_word(self, event):
        return display.status_word(event)

    @admin.display(description=_("action object"))
    def action_object_name(self, event):
        return display.describe_action_object(event)

    @admin.display(description=_("trigger"))
    def trigger_link(self, event):
        if event.is_test:
            return display.quiet(_("none: a test that an editor sent to themselves"))
        if event.live_trigger is None:
            return display.quiet(_("deleted"))
        return display.object_link(Trigger, event.trigger_id, event.live_trigger.name)

    @admin.display(description=_("created"))
    def created_short(self, event):
        return display.short_moment(event.created_at)

    @admin.display(description=_("what came of it"))
    def its_deliveries(self, event):
        return display.list_link(Delivery, _("Deliveries"), event__id__exact=event.pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        event = self.get_object(request, object_id)
        found = (
            {"timeline": timeline.timeline_of(event, request), "meaning": _meaning(event)} if event else {}
        )
        found |= {"there": timeline.statuses_of(found["timeline"])} if event else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **found})

    def get_urls(self):
        return [*why.urls(self.admin_site), *super().get_urls()]


def _meaning(event):
    if event.status != Event.Status.SHADOW:
        return MEANINGS[event.status]
    would = ", ".join(
        f"{messages:,} {name}" for name, messages in sorted(estimate.would_send(event).items()) if messages
    )
    return _("Its trigger only shows what it would send. Today it would go to: %s.") % (would or _("nobody"))
