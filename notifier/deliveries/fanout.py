"""Turns one event into its deliveries, page by page, and rings for them. Called by ``lambdas.fanout``.

Note [cut off]: a page and the cursor behind it are one transaction; then it is rung for. So each page is
written once, and a run that goes on after a cut begins with the next. It cannot know whether the page before
was rung for, which the cursor calls "unrung" until then; so what of it nobody has taken up is due at once,
and the sweep rings. So nothing is lost, nothing late, nothing doubled.

Note [a new chain]: a fan-out that has no more time leaves the rest to the sweep, at once. Ringing for itself
would be a loop, and Lambda ends a chain of about 16 invocations by way of SNS and SQS.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

import datetime as dt
import logging
import secrets
from collections import defaultdict

from django.db import transaction
from django.db.models import Q
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from ..events.causes import caused_by
from ..gates import pauses
from ..models import Delivery, Event
from ..observing import measure
from ..queue import publisher
from ..queue.ring import rings_for
from . import holding, ring_again_soon, rows
from .due import read_first
from .pages import note, pages_of, read_rules

logger = logging.getLogger(__name__)

# An event that the sweep has rung for is rung for again after this.
EVENT_UNHEARD_AFTER = dt.timedelta(minutes=5)
# What the cursor holds besides while its page may not have been rung for.
UNRUNG = "unrung"
# An event whose fan-out fails (a project's own audience function, a rule that nobody checked) is tried again
# after this, for so long.
TRIED_AGAIN_AFTER, GIVE_UP_AFTER = dt.timedelta(hours=1), dt.timedelta(hours=24)


def fan_out(event_id, *, lease_seconds, is_time_up=lambda: False):
    """Write the deliveries of an event and ring for them; returns how many. What time does not allow is due
    at once, for the sweep.

    An event that is done, held by another function or not there is no error: its ring came twice, or was
    rolled back.
    """
    if (event := _claim(event_id, lease_seconds)) is None:
        holding.hold_event(event_id)
        logger.info("Event %d is not waiting for a fan-out.", event_id)
        return 0
    try:
        with caused_by(event.pk):
            return _fan_out_held(event, is_time_up)
    except Exception as error:
        _put_back(event, error)
        raise


def _claim(event_id, lease_seconds):
    """The Event, held for ``lease_seconds``; None where it is not waiting, or paused. One statement."""
    now = timezone.now()
    ready = Q(status=Event.Status.RECORDED) | Q(status=Event.Status.FANNING_OUT, due_at__lte=now)
    # A ring that came too early is one too many: the sweep rings when it is time.
    ready &= Q(starts_at__isnull=True) | Q(starts_at__lte=now)
    # The ORM has no RETURNING for an UPDATE; without it, the event would have to be asked for again.
    update = Event.objects.filter(ready, ~pauses.pauses_of_event(), pk=event_id).query.chain(UpdateQuery)
    update.add_update_values({
        "status": Event.Status.FANNING_OUT,
        "claim": secrets.randbits(63),
        "due_at": now + dt.timedelta(seconds=lease_seconds),
    })  # fmt: skip
    statement, values = update.get_compiler(rows.alias()).as_sql()
    return next(iter(Event.objects.using(rows.alias()).raw(f"{statement} RETURNING *", values)), None)


def _fan_out_held(event, is_time_up):
    rules, number = read_rules(event), 0
    if event.cursor.pop(UNRUNG, False):
        _make_deliveries_due(event)
    for page in pages_of(event, rules):
        written = _write(event, page)
        if written is None:
            logger.warning("Event %d was taken over by another function.", event.pk)
            return number
        number += len(written)
        measure("DeliveriesMade", len(written), "Count")
        _ring(event, written)
        if is_time_up() and not page.is_last:
            now, recorded = timezone.now(), Event.Status.RECORDED
            _held(event).update(status=recorded, cursor=page.cursor, claim=None, due_at=now)
            return number
    _held(event).update(**_ending(event, rules))
    return number


def _write(event, page):
    """What was Written of a page; None where the claim is lost. See note [cut off]."""
    changed = {"cursor": page.cursor | {UNRUNG: True}, "lane": event.lane, "reason": event.reason}
    with transaction.atomic(using=rows.alias()):
        # A cancellation of the event waits for this page, and takes it back too.
        return page.write(timezone.now()) if _held(event).update(**changed) else None


def _make_deliveries_due(event):
    """Let the sweep ring for what nobody has taken up yet."""
    unheard = Delivery.objects.filter(event=event, status=Delivery.Status.QUEUED, attempts=0)
    unheard.update(due_at=timezone.now())


def _ring(event, written):
    by_channel = defaultdict(list)
    for each in written:
        if each.status == Delivery.Status.QUEUED:
            by_channel[each.channel].append(each.pk)
    for channel, ids in by_channel.items():
        failed = publisher.publish(rings_for(channel, sorted(ids), group=f"event-{event.pk}"))
        if failed:
            ring_again_soon([pk for ring in failed for pk in ring.ids])


def _ending(event, rules):
    """The values of an event whose deliveries all exist, with why nothing went by some channels."""
    unwritten = {step["subscription"]: step["unwritten"] for step in event.plan if step.get("unwritten")}
    for pk in sorted(unwritten.keys() & rules.keys()):
        channels, template = ", ".join(unwritten[pk]), rules[pk].template_name
        note(event, f"Nothing went by {channels}: the template “{template}” had no content for it.")
    is_empty = unwritten.keys() & rules.keys() and not any(step["contents"] for step in event.plan)
    status = Event.Status.FAILED if is_empty else Event.Status.DONE
    return {"status": status, "reason": event.reason, "claim": None, "due_at": None}


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
