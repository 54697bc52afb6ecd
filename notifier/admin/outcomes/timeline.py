"""One event as a timeline: signal, triggers, subscriptions, deliveries, data.

Shown by ``templates/admin/notifier/event/``.
"""

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ...channels import registry
from ...explaining import stored
from ...explaining.audience_words import describe_sources
from ...explaining.recorded import describe_pause
from ...models import ContentVersion, Delivery, Event, Pause, Subscription, Trigger
from ...rules.plans import versions_in
from ...templating import readable
from ...templating.times import shifted
from .. import display, masking
from . import status_counts
from .event_data import rows_of
from .timeline_deliveries import LIVE_DELIVERY, SHOWN, deliveries_of, version_link

# Events of one firing are written by one statement, microseconds apart.
ONE_FIRING = dt.timedelta(seconds=2)
LIVE_EVENT = {
    Event.Status.RECORDED: _("It waits for the function that finds its recipients."),
    Event.Status.FANNING_OUT: _("A function is finding its recipients."),
}


def timeline_of(event, request):
    """The contents of the page, read by a fixed number of statements, each of which is bounded."""
    may_see = masking.may_see_recipients(request)
    versions = _versions(event)
    sent = _subscriptions(event, versions)
    waits = _waits(event, sent)
    return {
        "event": event,
        "may_see": may_see,
        "hidden": masking.WHY_HIDDEN,
        "status": display.status_word(event),
        "when": display.moment(event.created_at),
        "starts": display.moment(event.starts_at) if event.starts_at else "",
        "expires": display.moment(event.expires_at) if event.expires_at else "",
        "lane": display.describe_lane(event),
        "object": display.describe_action_object(event),
        "dead_ends": ", ".join(stored.dead_ends_of(event)),
        "actor": describe_actor(event.actor),
        "triggers": _triggers(event, may_see),
        "pauses": _pauses(event),
        "subscriptions": sent,
        "deliveries": deliveries_of(event, versions, may_see),
        "all_deliveries": list_of(event=event.pk),
        "data": rows_of(event.data) if may_see else [],
        "waits": waits,
        "why": f"{reverse('admin:notifier_why')}?{urlencode({'subject': event.pk})}",
    }


def describe_actor(actor):
    """“User 5” for ``auth.user:5``, with a link to it; not by name, which only the user's own page may
    show.
    """
    label, _colon, key = actor.partition(":")
    model = readable.find_model(label)
    return display.object_link(model, key, f"{model._meta.verbose_name} {key}") if model and key else actor


def list_of(*, event, **filters):
    """The address of the list of an event's deliveries."""
    return (
        f"{reverse('admin:notifier_delivery_changelist')}?{urlencode({'event__id__exact': event} | filters)}"
    )


def _waits(event, sent):
    """Tell whether the page is to look again by itself, and for what."""
    if event.starts_at and event.starts_at > timezone.now():
        return ""
    if event.status in LIVE_EVENT:
        return LIVE_EVENT[event.status]
    numbers = {}
    for channel in (channel for each in sent for channel in each["channels"]):
        for count in channel["counts"]:
            numbers[count["status"]] = numbers.get(count["status"], 0) + count["number"]
    live = [f"{numbers[status]:,} {status.label}" for status in LIVE_DELIVERY if status in numbers]
    return _("Under way: %s.") % ", ".join(live) if live else ""


def statuses_of(shown):
    """The statuses that deliveries of the event have, or None where there are more than were counted."""
    channels = [channel for each in shown["subscriptions"] for channel in each["channels"]]
    if any(channel["more"] for channel in channels):
        return None
    return {count["status"] for channel in channels for count in channel["counts"]}


def _triggers(event, may_see):
    """Each trigger that this firing met: it matched, or why not; and those that are switched off now."""
    said = stored.matches_of(event) or [{"trigger": event.trigger_id, "name": "", "because": ""}]
    live = Trigger.objects.in_bulk([each["trigger"] for each in said])
    others = _siblings(event, [each["trigger"] for each in said if not each["because"]])
    rows = []
    for each in sorted(said, key=lambda one: (one["trigger"] != event.trigger_id, bool(one["because"]))):
        trigger, sibling = live.get(each["trigger"]), others.get(each["trigger"])
        rows.append({
            "name": _linked(trigger) or each["name"] or _("a trigger"),
            "matched": not each["because"], "because": each["because"] if may_see else "",
            "when": display.describe_trigger(trigger) if trigger else _("deleted since"),
            "condition": trigger.condition if trigger else "",
            "off": trigger is not None and not trigger.enabled,
            "sibling": display.object_link(Event, sibling.pk, _("Event #%d") % sibling.pk) if sibling else "",
        })  # fmt: skip
    return rows + _switched_off(event, {each["trigger"] for each in said})


def _switched_off(event, met):
    model = readable.find_model(event.action_object.partition(":")[0])
    rows = []
    for trigger in Trigger.objects.filter(verb=event.verb, enabled=False).exclude(pk__in=met):
        wanted = readable.find_model(trigger.model) if trigger.model else None
        if not trigger.model or wanted and model and issubclass(model, wanted):
            link = display.object_link(Trigger, trigger.pk, trigger.name)
            rows.append({"name": link, "when": display.describe_trigger(trigger), "only_off": True})
    return rows


def _siblings(event, triggers):
    """Trigger → the event of it that the same firing led to."""
    span = shifted(event.created_at, -ONE_FIRING), shifted(event.created_at, ONE_FIRING)
    near = Event.objects.filter(
        trigger__in=triggers, created_at__range=span, verb=event.verb, action_object=event.action_object
    )
    near = near.exclude(pk=event.pk).only("trigger", "created_at")[: SHOWN * 10]
    # The nearest in time comes last, and so counts.
    return {
        each.trigger_id: each
        for each in sorted(near, key=lambda one: -abs(one.created_at - event.created_at))
    }


def _pauses(event):
    channels = {channel for step in stored.steps_of(event) for channel in step["contents"]}
    scopes = ["everything", f"trigger:{event.trigger_id}", *(f"channel:{name}" for name in channels)]
    held = event.status in (
        Event.Status.RECORDED,
        Event.Status.FANNING_OUT,
        Event.Status.HELD,
        Event.Status.DONE,
    )
    return (
        [capfirst(describe_pause(pause)) for pause in Pause.objects.filter(scope__in=scopes)] if held else []
    )


def _versions(event):
    keys = [pk for step in stored.steps_of(event) for found in versions_in(step).values() for pk in found]
    return ContentVersion.objects.select_related("content__template").in_bulk(keys)


def _subscriptions(event, versions):
    plan = stored.steps_of(event)
    live = Subscription.objects.select_related("template").prefetch_related("audiences__groups")
    live = live.in_bulk([step["subscription"] for step in plan])
    pairs = [(step["subscription"], channel) for step in plan for channel in step["contents"]]
    found = status_counts.tally(event.pk, pairs)
    rows = []
    for step in plan:
        subscription = live.get(step["subscription"])
        audiences = list(subscription.audiences.all()) if subscription else []
        rows.append({
            "template": _linked(subscription and subscription.template) or "",
            "off": subscription is not None and not subscription.enabled,
            "audiences": [display.object_link(type(each), each.pk, each.name) for each in audiences],
            "sources": describe_sources(audiences),
            "channels": [
                _channel(event, step["subscription"], channel, _present(keys, versions), found)
                for channel, keys in versions_in(step).items()
            ],
        })  # fmt: skip
    return rows


def _channel(event, subscription, channel, versions, found):
    counted = found[subscription, channel]
    return {
        "way": registry.way(channel),
        "versions": [version_link(version, language=len(versions) > 1) for version in versions],
        "total": f"{status_counts.MOST_TALLIED:,}+" if counted.more else f"{counted.total:,}",
        "more": _("Of the first %s:") % f"{status_counts.MOST_TALLIED:,}" if counted.more else "",
        "url": list_of(event=event.pk, channel=channel),
        "counts": [
            {
                "status": status,
                "number": counted.numbers[status],
                "text": display.tinted(status, f"{counted.numbers[status]:,} {status.label}"),
                "url": list_of(event=event.pk, channel=channel, status__exact=status),
            }
            for status in Delivery.Status
            if status in counted.numbers
        ],
    }


def _linked(row):
    """The row's name with a link to it; None for none."""
    return display.object_link(type(row), row.pk, row.name) if row else None


def _present(keys, rows):
    return [rows[key] for key in keys if key in rows]
