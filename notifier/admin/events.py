"""What happened: events, to read and to search, with the deliveries that came of each."""

from django.contrib import admin
from django.db.models import Count
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import ContentVersion, Delivery, Event, Subscription, Trigger
from . import display
from .reading import ReadingAdmin

MEANINGS = {
    Event.Status.RECORDED: _("It waits for the function that finds its recipients."),
    Event.Status.FANNING_OUT: _("A function is writing its deliveries."),
    Event.Status.DONE: _("All its deliveries exist."),
    Event.Status.FAILED: _("Nothing was sent."),
    Event.Status.HELD: _("It is paused, and goes on when the pause ends."),
    Event.Status.SHADOW: _("Its trigger only shows what it would send."),
    Event.Status.VETOED: _("A signal middleware refused it."),
}


@admin.register(Event)
class EventAdmin(ReadingAdmin):
    list_display = ["id", "status_word", "action_object_name", "trigger_link", "created_short", "its_deliveries", "reason"]
    list_filter = ["status", "trigger"]
    search_fields = ["action_object", "verb", "reason"]
    fieldsets = [
        (None, {"fields": ["status_line", "reason_line", "action_object_name", "verb", "trigger_link", "created"]}),
        (_("What came of it"), {"fields": ["counts"]}),
        (_("What it holds"), {"fields": ["plan_lines", "data_text"]}),
    ]

    def attach(self, rows):
        triggers = Trigger.objects.in_bulk({row.trigger_id for row in rows})
        for row in rows:
            row.live_trigger = triggers.get(row.trigger_id)

    @admin.display(description=_("status"))
    def status_word(self, event):
        return display.status_word(event)

    @admin.display(description=_("status"))
    def status_line(self, event):
        return format_html("{} {}", display.status_word(event), display.quiet(MEANINGS[event.status]))

    @admin.display(description=_("reason"))
    def reason_line(self, event):
        return event.reason or display.NOTHING

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
    def created(self, event):
        return display.moment(event.created_at)

    @admin.display(description=_("created"))
    def created_short(self, event):
        return display.short_moment(event.created_at)

    @admin.display(description=_("what came of it"))
    def its_deliveries(self, event):
        return display.list_link(Delivery, _("Deliveries"), event__id__exact=event.pk)

    @admin.display(description=_("deliveries"))
    def counts(self, event):
        found = dict(event.deliveries.order_by().values_list("status").annotate(count=Count("pk")))
        if not found:
            return _("None.")
        rows = [
            display.list_link(
                Delivery,
                display.tinted(status, f"{found[status]} {status.label}"),
                event__id__exact=event.pk,
                status__exact=status,
            )
            for status in Delivery.Status
            if status in found
        ]
        total = _("%d in all") % sum(found.values())
        return display.lines([*rows, display.list_link(Delivery, total, event__id__exact=event.pk)])

    @admin.display(description=_("plan"))
    def plan_lines(self, event):
        """What was to be sent when it happened, whatever has become of the rules since."""
        steps = {step["subscription"]: step["contents"] for step in event.plan}
        live = Subscription.objects.select_related("template").prefetch_related("audiences").in_bulk(list(steps))
        versions = ContentVersion.objects.in_bulk([pk for contents in steps.values() for pk in contents.values()])
        rows = []
        for key, contents in steps.items():
            sent = ", ".join(_channel_and_version(channel, versions.get(pk)) for channel, pk in contents.items())
            to = display.describe_audiences(live[key]) if key in live else display.quiet(_("a subscription that was deleted"))
            rows.append(format_html("{} → {} → {}", live[key].template if key in live else "…", sent, to))
        return display.lines(rows) if rows else _("Nothing: the trigger had no subscription that was switched on.")

    @admin.display(description=_("data"))
    def data_text(self, event):
        return display.readable_json(event.data)


def _channel_and_version(channel, version):
    return _("%(channel)s (version %(number)s)") % {"channel": channel, "number": version.number} if version else channel
