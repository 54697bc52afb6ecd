"""The small pieces that the pages are made of: words in colour, links, readable data."""

from django import forms
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from ..explaining import summaries
from ..models import Audience, Delivery, Event, Lane, Template
from ..templating import readable
from ..templating.times import local

NOTHING = "–"

# Colours are in static/notifier/admin.css, each with enough contrast in light and in dark.
TONES = {
    Delivery.Status.SENT: "good",
    Delivery.Status.SKIPPED: "quiet",
    Delivery.Status.STANDBY: "quiet",
    Delivery.Status.FAILED: "bad",
    Delivery.Status.UNKNOWN: "doubt",
    Delivery.Status.HELD: "doubt",
    Delivery.Status.CANCELLED: "quiet",
    Event.Status.DONE: "good",
    Event.Status.FAILED: "bad",
    Event.Status.SHADOW: "doubt",
    Event.Status.VETOED: "doubt",
    "live": "good",
    "off": "quiet",
}

LANES = {
    Lane.URGENT: _("It goes before all others."),
    Lane.BULK: _("All others go before it."),
}


class Media:
    css = {"all": ["notifier/admin.css"]}


def setup_media():
    return forms.Media(css={"all": [*Media.css["all"], "notifier/setup.css"]}, js=["notifier/setup.js"])


def status_word(row):
    return tinted(row.status, row.get_status_display())


def tinted(status, text):
    return format_html('<b class="notifier-status notifier-{}">{}</b>', TONES.get(status, "busy"), text)


def quiet(text):
    return format_html('<span class="notifier-quiet">{}</span>', text)


def doubt(text):
    return format_html('<span class="notifier-doubt">{}</span>', text)


def lines(items):
    """One item a line, or a dash for none. The items are safe or are escaped."""
    found = format_html_join("", "<div>{}</div>", ((item,) for item in items))
    return format_html('<div class="notifier-lines">{}</div>', found) if found else NOTHING


def moment(time):
    """A time to the second: deliveries of one event are seconds apart."""
    return NOTHING if time is None else date_format(local(time), "j M Y, H:i:s")


def describe_lane(row):
    """The lane of an event or of a delivery, and what that means."""
    meaning = LANES.get(row.lane)
    return format_html("{} {}", row.get_lane_display(), quiet(meaning) if meaning else "")


def short_moment(time):
    """As ``moment``, on one line of a narrow column: this year's goes without saying."""
    named, this_year = local(time), local(now()).year
    return format_html(
        '<span class="notifier-line">{}</span>',
        date_format(named, "j M, H:i:s" if named.year == this_year else "j M Y"),
    )


def list_link(model, text, **filters):
    """A link to the list of ``model`` with these filters on."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


def object_link(model, pk, text):
    """A link to the object's page, or the bare text where the admin has none."""
    try:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return text
    return format_html('<a href="{}">{}</a>', url, text)


def describe_action_object(event):
    """“Flash sale 1” for ``demo.flashsale:1``, with a link to it."""
    label, _colon, pk = event.action_object.partition(":")
    model = readable.find_model(label)
    if model is None:
        return event.action_object or NOTHING
    name = capfirst(model._meta.verbose_name)
    return object_link(model, pk, f"{name} {pk}") if pk else name


def event_line(event):
    """“#7 fanned out, 21 Nov, 18:26:30”, with a link to it."""
    link = object_link(Event, event.pk, format_html("#{} {}", event.pk, status_word(event)))
    return format_html("{} {}", link, quiet(short_moment(event.created_at)))


def describe_trigger(trigger):
    """The moment when it fires, as a sentence: “A Flash sale is created”."""
    return capfirst(summaries.describe_when(trigger))


def describe_audiences(subscription):
    links = (
        (object_link(Audience, audience.pk, audience.name),) for audience in subscription.audiences.all()
    )
    return format_html_join(", ", "{}", links) or NOTHING


def describe_subscription(subscription):
    """Template, channels and audiences: “flash_sale → email, sms → Everyone”."""
    template = object_link(Template, subscription.template_id, subscription.template.name)
    text = format_html(
        "{} → {} → {}", template, ", ".join(subscription.channels), describe_audiences(subscription)
    )
    if flow := summaries.describe_flow(subscription):
        text = format_html("{} {}", text, quiet(f"({flow})"))
    return text if subscription.enabled else quiet(format_html(_("{} (off)"), text))
