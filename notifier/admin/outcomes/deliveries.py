"""The pages of deliveries, to read and to search. Calls ``confirming``, for what can be done to them."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import prefetch_related_objects
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ...channels.recipient import Recipient
from ...models import ContentVersion, Delivery, Event, Template
from ...people.addresses import recipients_called
from .. import display, masking
from ..filters import ChannelFilter, DayFilter, ReasonFilter, ReturnedFilter, StatusFilter
from ..reading import ReadingAdmin
from ..templates.versions import version_url
from . import delivery_cells, retrying, timeline_deliveries
from .confirming import DeliveryActs

MEANINGS = {
    Delivery.Status.QUEUED: _("A message is on its way to the function that sends it."),
    Delivery.Status.WAITING: _("It is tried again at the time below."),
    Delivery.Status.STANDBY: _("It goes only if the channel before it does not reach the person."),
    Delivery.Status.CLAIMED: _("A function is working on it."),
    Delivery.Status.SENDING: _("The provider is being called."),
    Delivery.Status.SENT: _("The provider took it."),
    Delivery.Status.SKIPPED: _("Nothing was sent, and nobody is at fault."),
    Delivery.Status.FAILED: _("It was not sent."),
    Delivery.Status.HELD: _("It is paused, and goes on when the pause ends."),
    Delivery.Status.CANCELLED: _("A person took it back before it was sent."),
    Delivery.Status.UNKNOWN: _(
        "It may have been sent. Ask the provider before you try again: it could arrive twice."
    ),
}


@admin.register(Delivery)
class DeliveryAdmin(DeliveryActs, ReadingAdmin):
    list_display = [
        "id",
        "status_and_reason",
        "recipient_and_channel",
        "attempts",
        "created_short",
        "event_link",
    ]
    list_filter = [StatusFilter, ReturnedFilter, ChannelFilter, ReasonFilter, DayFilter]
    search_fields = ["address", "recipient", "provider_id", "reason"]
    shown_besides = [
        "status",
        "reason",
        "returned",
        "channel",
        "event",
        "provider_id",
        "created_at",
        "finished_at",
        "address",
        "recipient",
    ]
    of_recipients = {"address", "recipient"}
    nothing_yet = _("No deliveries yet. An event has one for each person and each channel.")
    fieldsets = [
        (
            None,
            {"fields": ["status_line", "reason_line", "channel", "person", "address_line", "content", "why"]},
        ),
        (
            _("How it went"),
            {
                "fields": [
                    "event_link",
                    "lane_line",
                    "attempts",
                    "history_lines",
                    "created",
                    "finished",
                    "next_attempt",
                ]
            },
        ),
        (_("Provider"), {"fields": ["provider_id", "feedback_lines", "language_line", "cost"]}),
    ]
    change_form_template = "admin/notifier/delivery/change_form.html"

    class Media:
        css = {"all": ["notifier/admin.css", "notifier/timeline.css"]}

    def attach(self, rows):
        delivery_cells.with_names(rows)

    def get_object(self, request, object_id, from_field=None):
        found = super().get_object(request, object_id, from_field)
        if found:
            # Django asks for each field of the page several times.
            prefetch_related_objects([found], "feedback", "history")
        return found

    def get_queryset(self, request):
        return masking.marked(request, super().get_queryset(request))

    def find_exactly(self, request, queryset, term):
        """Deliveries to a person of that name, or to anybody with that address as it is now, in whichever
        spelling.
        """
        if not masking.may_see_recipients(request):
            return queryset.none()
        return queryset.filter(recipient__in=recipients_called(term))

    @admin.display(description=_("status"))
    def status_and_reason(self, delivery):
        more = [display.quiet(delivery.reason)] if delivery.reason else []
        return display.lines(
            [
                display.status_word(delivery),
                *filter(None, [delivery_cells.returned_in_words(delivery)]),
                *more,
            ]
        )

    @admin.display(description=_("status"))
    def status_line(self, delivery):
        status, then = display.status_word(delivery), delivery_cells.returned_in_words(delivery)
        meaning = delivery_cells.why_returned(delivery) or MEANINGS.get(delivery.status, "")
        return format_html("{} {} {}", status, then, display.quiet(meaning))

    @admin.display(description=_("reason"))
    def reason_line(self, delivery):
        return delivery_cells.reason_in_words(delivery) or display.NOTHING

    @admin.display(description=_("recipient"))
    def recipient_and_channel(self, delivery):
        shown = delivery_cells.recipient_shown(delivery, not masking.is_masked(delivery))
        channel = _("%s, a test") % delivery.channel if delivery.is_test else delivery.channel
        return display.lines([shown, display.quiet(channel)])

    @admin.display(description=_("person"))
    def person(self, delivery):
        if masking.is_masked(delivery):
            return display.quiet(masking.WHY_HIDDEN)
        recipient = Recipient.parse(delivery.recipient)
        if not recipient.is_user:
            return display.NOTHING
        if delivery.username is None:
            return display.quiet(_("deleted (%s)") % delivery.recipient)
        return display.object_link(get_user_model(), recipient.user_key, delivery.username)

    @admin.display(description=_("address"))
    def address_line(self, delivery):
        return (
            masking.masked(delivery.address) if masking.is_masked(delivery) else delivery.address
        ) or display.NOTHING

    @admin.display(description=_("why"))
    def why(self, delivery):
        if masking.is_masked(delivery):
            return display.NOTHING
        return format_html(
            '<a class="notifier-link" href="{}">{}</a>',
            timeline_deliveries.why_link(delivery),
            _("Step by step, to what decided it"),
        )

    @admin.display(description=_("what happened before"))
    def history_lines(self, delivery):
        rows = timeline_deliveries.attempts_of(delivery)
        row = _("Attempt %(number)d: ")
        return display.lines(
            format_html("{}{} {} {}", row % each, each["status"], each["reason"], display.quiet(each["when"]))
            for each in rows
        )

    @admin.display(description=_("what it said since"))
    def feedback_lines(self, delivery):
        rows = delivery_cells.feedback_of(delivery)
        return display.lines(
            format_html("{} {} {}", kind, detail, display.quiet(when)) for kind, detail, when in rows
        )

    @admin.display(description=_("language"))
    def language_line(self, delivery):
        return delivery.language or display.NOTHING

    @admin.display(description=_("cost"))
    def cost(self, delivery):
        return delivery_cells.cost(delivery.cost_micros)

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

    @admin.display(description=_("lane"))
    def lane_line(self, delivery):
        return display.describe_lane(delivery)

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

    def changelist_view(self, request, extra_context=None):
        key = request.GET.get("event__id__exact", "")
        event = Event.objects.filter(pk=key).first() if key.isdecimal() else None
        subtitle = {"subtitle": display.object_link(Event, key, _("Event %s") % event)} if event else {}
        return super().changelist_view(request, {**(extra_context or {}), **subtitle})
