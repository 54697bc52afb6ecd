"""Turns one event into its deliveries, page by page, and rings for them. Called by ``lambdas.fanout``.

Note [cut off]: a page is inserted, then rung for, and only then does the cursor move. A run that goes on
after a cut does the last page again: the rows are unique and a second ring does nothing, so nothing is lost
and nothing doubled.
"""

import datetime as dt
import logging
import secrets
from functools import cache, partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..events.causes import caused_by
from ..gates import pauses
from ..gates.table import ask_final
from ..models import Audience, Delivery, Event, Subscription
from ..people import addresses as addressees
from ..queue import publisher
from ..queue.ring import rings_for
from ..rules import audiences, plans
from . import DELIVERY_UNHEARD_AFTER, flow, holding, ring_again_soon
from .due import read_first

logger = logging.getLogger(__name__)

# People a page: memory and the time between two cursors stay flat at any audience size.
PAGE_SIZE = 1000
# The column's.
MAX_REASON_CHARACTERS = 500
# An event that the sweep has rung for is rung for again after this.
EVENT_UNHEARD_AFTER = dt.timedelta(minutes=5)
# The column's.
MAX_REASON_CHARACTERS = Event._meta.get_field("reason").max_length
# An event whose fan-out fails (a project's own audience function, a rule that nobody checked) is tried again
# after this, for so long.
TRIED_AGAIN_AFTER, GIVE_UP_AFTER = dt.timedelta(hours=1), dt.timedelta(hours=24)


def fan_out(event_id, *, lease_seconds, is_time_up=lambda: False):
    """Write the deliveries of an event and ring for them.

    Returns False when time was up and somebody must go on.

    An event that is done, held by another function or not there is no error: its ring came twice, or was
    rolled back.
    """
    now, claim = timezone.now(), secrets.randbits(63)
    ready = Q(status=Event.Status.RECORDED) | Q(status=Event.Status.FANNING_OUT, due_at__lte=now)
    # A ring that came too early is one too many: the sweep rings when it is time.
    ready &= Q(starts_at__isnull=True) | Q(starts_at__lte=now)
    lease = {
        "status": Event.Status.FANNING_OUT,
        "claim": claim,
        "due_at": now + dt.timedelta(seconds=lease_seconds),
    }
    if not Event.objects.filter(ready, ~pauses.pauses_of_event(), pk=event_id).update(**lease):
        holding.hold_event(event_id)
        logger.info("Event %d is not waiting for a fan-out.", event_id)
        return True
    event = Event.objects.get(pk=event_id)
    try:
        with caused_by(event.pk):
            return _fan_out_held(event, is_time_up)
    except Exception as error:
        _put_back(event, error)
        raise


def _fan_out_held(event, is_time_up):
    for moved in _fan_out_steps(event):
        # The claim is asked for again at every page: a run that has lost it stops here.
        if not _held(event).update(cursor=event.cursor, reason=event.reason):
            logger.warning("Event %d was taken over by another function.", event.pk)
            return True
        if moved and is_time_up():
            soon = timezone.now() + dt.timedelta(seconds=60)
            _held(event).update(status=Event.Status.RECORDED, claim=None, due_at=soon)
            return False
    unwritten = _say_unwritten(event)
    is_empty = unwritten and not any(step["contents"] for step in event.plan)
    status = Event.Status.FAILED if is_empty else Event.Status.DONE
    reason = " ".join(filter(None, [event.reason, unwritten]))[:MAX_REASON_CHARACTERS]
    _held(event).update(status=status, reason=reason, claim=None, due_at=None)
    return True


def _say_unwritten(event):
    """The reason why nothing went by some channels, for people; blank where their templates were written."""
    unwritten = {step["subscription"]: step["unwritten"] for step in event.plan if step.get("unwritten")}
    if not unwritten:
        return ""
    live = Subscription.objects.filter(pk__in=unwritten, enabled=True).order_by("pk")
    reasons = [
        f"Nothing went by {', '.join(unwritten[pk])}: the template “{name}” had no content for it."
        for pk, name in live.values_list("pk", "template__name")
    ]
    return " ".join(reasons)[:MAX_REASON_CHARACTERS]


def _put_back(event, error):
    """Give the claim on a failed event back, so that the queue's next try is one and five of them lead to the
    dead-letter queue.
    """
    now = timezone.now()
    if now - (event.restarted_at or event.starts_at or event.created_at) < GIVE_UP_AFTER:
        _held(event).update(status=Event.Status.RECORDED, claim=None, due_at=now + TRIED_AGAIN_AFTER)
    else:
        reason = (
            f"Given up after {GIVE_UP_AFTER}: {type(error).__name__}. The log of the fan-out has the trace."
        )
        _held(event).update(status=Event.Status.FAILED, claim=None, due_at=None, reason=reason)


def take_due(limit):
    """Keys of up to ``limit`` events whose doorbell was lost or whose function died, ready for another; the
    urgent first.
    """
    now = timezone.now()
    due = Event.objects.filter(status__in=[Event.Status.RECORDED, Event.Status.FANNING_OUT], due_at__lte=now)
    ids = [pk for (pk,) in read_first(due, limit, "pk")]
    due.filter(pk__in=ids).update(status=Event.Status.RECORDED, claim=None, due_at=now + EVENT_UNHEARD_AFTER)
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
    """Insert and ring for one subscription's deliveries after the user ``after``; yield the last user's key,
    a page at a time.
    """
    sources, pace = Audience.objects.filter(subscriptions=subscription), flow.Pace(event, subscription)
    gone: list[str] = []
    users, addresses = audiences.select_recipients(event, sources, step.get("recipients", ()), gone)
    new = [text for text in dict.fromkeys(gone) if text not in event.reason]
    event.reason = " ".join([event.reason, *new]).strip()[:MAX_REASON_CHARACTERS]
    step = step | {"contents": pace.in_order(step["contents"])}
    columns = addressees.columns_for(step["contents"])
    page, pk = users.order_by("pk"), get_user_model()._meta.pk
    while rows := addressees.read_page(_after(page, pk.to_python(after)), columns, PAGE_SIZE):
        _deliver(pace, step, addressees.of_users(rows, step["contents"]))
        after = str(rows[-1]["pk"])
        yield after
        if len(rows) < PAGE_SIZE:
            break
    if addresses:
        _deliver(pace, step, addressees.of_addresses(event, subscription, step, addresses))


def _after(users, pk):
    return users if pk is None else users.filter(pk__gt=pk)


def _deliver(pace, step, recipients):
    event, subscription, now = pace.event, pace.subscription, timezone.now()
    version_for = cache(partial(plans.version_for, step))
    deliveries = []
    for channel, recipient, address, reason, wanted, time_zone in recipients:
        version, language = version_for(channel, wanted)
        deliveries.append(Delivery(
            event=event, subscription=subscription, version_id=version, channel=channel, recipient=recipient,
            address=address, language=language, time_zone=time_zone,
            created_at=now, reason=reason,
            status=Delivery.Status.SKIPPED if reason else Delivery.Status.QUEUED, expires_at=event.expires_at,
            finished_at=now if reason else None, due_at=None if reason else now + DELIVERY_UNHEARD_AFTER,
        ))  # fmt: skip
    _skip_refused(deliveries, now)
    with transaction.atomic():
        # A cancellation of the event waits for this page, and takes it back too.
        if not _held(event).select_for_update().exists():
            return
        pace.arrange(deliveries, now)
        # The update changes nothing: it makes the database return the keys of the rows that a cut-off run has
        # written already.
        written = Delivery.objects.bulk_create(
            deliveries,
            update_conflicts=True,
            update_fields=["recipient"],
            unique_fields=["event", "subscription", "channel", "recipient"],
        )
    for channel in step["contents"]:
        ids = [
            each.pk for each in written if each.channel == channel and each.status == Delivery.Status.QUEUED
        ]
        failed = publisher.publish(rings_for(channel, ids))
        ring_again_soon([pk for ring in failed for pk in ring.ids])


def _skip_refused(deliveries, now):
    """Mark those that will not be sent, by the same gates that are asked once more before a send."""
    by_channel = {}
    for delivery in deliveries:
        if not delivery.reason:
            by_channel.setdefault(delivery.channel, []).append(delivery)
    for channel, candidates in by_channel.items():
        for delivery, refused in zip(candidates, ask_final(candidates, channel), strict=True):
            if refused:
                flow.skip(delivery, refused.reason, refused.detail, now)
