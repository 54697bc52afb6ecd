"""Turns one event into its deliveries, page by page, and rings for them. Next hop: ``lambdas._handler`` of each channel.

Note [cut off]: a page is inserted, then rung for, and only then does the cursor move. Who goes on after a cut does the last page again:
the rows are unique and a second ring does nothing, so nothing is lost and nothing doubled.
"""

import datetime as dt
import logging
import secrets
from functools import cache, partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from . import audiences, conf, gates, languages, pausing, plans, publisher
from .deliveries import UNHEARD_AFTER, holding, ring_again_soon
from .messages import rings_for
from .models import Audience, ContactPoint, Delivery, Event, Subscription
from .preferences.wishes import read_wishes

logger = logging.getLogger(__name__)

# People a page: memory and the time between two cursors stay flat at any audience size.
PAGE_SIZE = 1000
# An event that the sweep has rung for is rung for again after this.
PAUSE = dt.timedelta(minutes=5)
# An event whose fan-out fails (a project's own audience function, a rule that nobody checked) is tried again every hour for this long.
GIVE_UP_AFTER = dt.timedelta(hours=24)
# The column's. Longer ones are no addresses of anything, and a channel skips what is left of them.
MAX_ADDRESS_CHARACTERS = 320
# Of a row, beside the addresses, whose keys are names of channels.
LANGUAGE, TIME_ZONE = "@language", "@time_zone"


def fan_out(event_id, *, lease_seconds, is_time_up=lambda: False):
    """Write the deliveries of an event and ring for them. Returns False when time was up and somebody must go on.

    An event that is done, held by another function or not there is no error: its ring came twice, or was rolled back.
    """
    now, claim = timezone.now(), secrets.randbits(63)
    ready = Q(status=Event.Status.RECORDED) | Q(status=Event.Status.FANNING_OUT, due_at__lte=now)
    lease = {"status": Event.Status.FANNING_OUT, "claim": claim, "due_at": now + dt.timedelta(seconds=lease_seconds)}
    if not Event.objects.filter(ready, ~pausing.pauses_of_event(), pk=event_id).update(**lease):
        holding.hold_event(event_id)
        logger.info("Event %d is not waiting for a fan-out.", event_id)
        return True
    event = Event.objects.get(pk=event_id)
    try:
        return _fan_out_held(event, is_time_up)
    except Exception as error:
        _put_back(event, error)
        raise


def _fan_out_held(event, is_time_up):
    for moved in _fan_out_steps(event):
        # The claim is asked for again at every page: whoever has lost it stops here.
        if not _held(event).update(cursor=event.cursor):
            logger.warning("Event %d was taken over by another function.", event.pk)
            return True
        if moved and is_time_up():
            soon = timezone.now() + dt.timedelta(seconds=60)
            _held(event).update(status=Event.Status.RECORDED, claim=None, due_at=soon)
            return False
    _held(event).update(status=Event.Status.DONE, claim=None, due_at=None)
    return True


def _put_back(event, error):
    """Give the claim on a failed event back, so that the queue's next try is one and five of them lead to the dead-letter queue."""
    now = timezone.now()
    if now - (event.restarted_at or event.created_at) < GIVE_UP_AFTER:
        _held(event).update(status=Event.Status.RECORDED, claim=None, due_at=now + UNHEARD_AFTER)
    else:
        reason = f"Given up after {GIVE_UP_AFTER}: {type(error).__name__}. The log of the fan-out has the trace."
        _held(event).update(status=Event.Status.FAILED, claim=None, due_at=None, reason=reason)


def take_due(limit):
    """Keys of up to ``limit`` events whose doorbell was lost or whose function died, ready for another."""
    now = timezone.now()
    due = Event.objects.filter(status__in=[Event.Status.RECORDED, Event.Status.FANNING_OUT], due_at__lte=now)
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    due.filter(pk__in=ids).update(status=Event.Status.RECORDED, claim=None, due_at=now + PAUSE)
    return ids


def make_due(ids):
    """Make due again what ``take_due`` gave and could not be published."""
    Event.objects.filter(pk__in=ids, status=Event.Status.RECORDED).update(due_at=timezone.now())


def _held(event):
    return Event.objects.filter(pk=event.pk, claim=event.claim)


def _fan_out_steps(event):
    """Yield after every page, with ``event.cursor`` where the next one starts."""
    cursor = event.cursor or {"step": 0, "after": None}
    live = Subscription.objects.filter(enabled=True).in_bulk([step["subscription"] for step in event.plan])
    for position, step in enumerate(event.plan):
        if position < cursor["step"]:
            continue
        subscription = live.get(step["subscription"])
        if subscription is None:
            logger.info("Subscription %s was switched off after event %d.", step["subscription"], event.pk)
        else:
            after = cursor["after"] if position == cursor["step"] else None
            for last in _deliver_pages(event, subscription, step, after):
                event.cursor = {"step": position, "after": last}
                yield True
        event.cursor = {"step": position + 1, "after": None}
        yield False


def _deliver_pages(event, subscription, step, after):
    """Insert and ring for one subscription's deliveries after the user ``after``; yield the last user's key, a page at a time."""
    sources = Audience.objects.filter(subscriptions=subscription)
    users, addresses = audiences.select_recipients(event, sources, step.get("recipients", ()))
    paths = {channel: path for channel, path in conf.get("ADDRESSES").items() if channel in step["contents"]}
    paths |= {key: path for key, path in ((LANGUAGE, conf.get("LANGUAGE")), (TIME_ZONE, conf.get("TIME_ZONE"))) if path}
    columns = {key: path.replace(".", "__") for key, path in paths.items()}
    pk = get_user_model()._meta.pk
    page = users.order_by("pk")
    while rows := _read_page(page.filter(pk__gt=pk.to_python(after)) if after is not None else page, columns):
        _deliver(event, subscription, step, _user_recipients(rows, step["contents"]))
        after = str(rows[-1]["pk"])
        yield after
        if len(rows) < PAGE_SIZE:
            break
    if addresses:
        _deliver(event, subscription, step, _address_recipients(event, subscription, step, addresses))


def _read_page(users, columns):
    """Up to PAGE_SIZE rows of ``{"pk", "is_active", channel: address, …, LANGUAGE, TIME_ZONE}``. One query."""
    active = ["is_active"] if audiences.has_field(get_user_model(), "is_active") else []
    names = ["pk", *active, *columns.values()]
    rows = users.values_list(*names)[:PAGE_SIZE]
    return [dict(zip(["pk", *active, *columns], row, strict=True)) for row in rows]


def _user_recipients(rows, channels):
    """Yield ``(channel, recipient, address, reason, language, time zone)``; a reason means that nothing can be sent."""
    keys = [row["pk"] for row in rows]
    points = {
        (user, channel): (address, verified)
        for user, channel, address, verified in ContactPoint.objects.filter(
            user__in=keys, channel__in=list(channels)
        ).values_list("user_id", "channel", "address", "verified")
    }
    wishes = read_wishes(keys)
    for row in rows:
        language, time_zone = wishes.get(row["pk"], ("", ""))
        language = languages.tag_of(language or row.get(LANGUAGE))
        time_zone = languages.zone_name(time_zone) or languages.zone_name(row.get(TIME_ZONE))
        for channel in channels:
            address, verified = points.get((row["pk"], channel), (str(row.get(channel) or ""), True))
            reason = ""
            if not row.get("is_active", True):
                reason = "inactive"
            elif not address.strip():
                reason = "no_address"
            elif not verified:
                reason = "unverified"
            yield channel, f"user:{row['pk']}", address.strip(), reason, language, time_zone


def _address_recipients(event, subscription, step, addresses):
    """As ``_user_recipients``, for plain addresses, without those that somebody in the audience already gets."""
    wanted = {
        (channel, address.strip()[:MAX_ADDRESS_CHARACTERS]): None
        for only, address in addresses
        for channel in ([only] if only else step["contents"])
        if channel in step["contents"]
    }
    taken = Delivery.objects.filter(event=event, subscription=subscription, recipient__startswith="user:")
    found = set(taken.filter(address__in=[address for _, address in wanted]).values_list("channel", "address"))
    for channel, address in wanted:
        if (channel, address) not in found:
            yield channel, f"address:{address}", address, "", "", ""


def _deliver(event, subscription, step, recipients):
    now = timezone.now()
    version_for = cache(partial(plans.version_for, step))
    deliveries = []
    for channel, recipient, address, reason, wanted, time_zone in recipients:
        version, language = version_for(channel, wanted)
        deliveries.append(Delivery(
            event=event, subscription=subscription, version_id=version, channel=channel, recipient=recipient,
            address=address[:MAX_ADDRESS_CHARACTERS], language=language, time_zone=time_zone, created_at=now, reason=reason,
            status=Delivery.Status.SKIPPED if reason else Delivery.Status.QUEUED,
            finished_at=now if reason else None, due_at=None if reason else now + UNHEARD_AFTER,
        ))  # fmt: skip
    _skip_refused(deliveries, now)
    with transaction.atomic():
        # Whoever cancels the event waits for this page, and takes it back too.
        if not _held(event).select_for_update().exists():
            return
        # The update changes nothing: it makes the database return the keys of the rows that a cut-off run has written already.
        written = Delivery.objects.bulk_create(
            deliveries,
            update_conflicts=True,
            update_fields=["recipient"],
            unique_fields=["event", "subscription", "channel", "recipient"],
        )
    for channel in step["contents"]:
        ids = [delivery.pk for delivery in written if delivery.channel == channel and not delivery.reason]
        failed = publisher.publish(rings_for(channel, ids))
        ring_again_soon([pk for ring in failed for pk in ring.ids])


def _skip_refused(deliveries, now):
    """Mark those that will not be sent, by the same gates that are asked once more before a send."""
    by_channel = {}
    for delivery in deliveries:
        if not delivery.reason:
            by_channel.setdefault(delivery.channel, []).append(delivery)
    for channel, candidates in by_channel.items():
        for delivery, refused in zip(candidates, gates.ask_final(candidates, channel), strict=True):
            if refused:
                delivery.status, delivery.finished_at, delivery.due_at = Delivery.Status.SKIPPED, now, None
                delivery.reason, delivery.detail = refused.reason, refused.detail
