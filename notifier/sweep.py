"""Rings again for what nobody has taken up, and for what is due now. Next hop: ``lambdas.fanout`` and the channels."""

import datetime as dt
from collections import defaultdict

from django.db.models import Q
from django.utils import timezone

from . import deliveries, publisher
from .messages import FANOUT, Ring, rings_for
from .models import Event

PAGE_SIZE = 1000
# An event that was rung for and not taken up is rung for again after this.
EVENT_PAUSE = dt.timedelta(minutes=5)


def sweep(is_time_up=lambda: False):
    """Ring for every due event and delivery, a page at a time, until none is left or time is up. Returns how many."""
    rung = 0
    for page in (_sweep_events, _sweep_deliveries):
        while not is_time_up() and (found := page()):
            rung += found
    return rung


def _sweep_events():
    now = timezone.now()
    due = Event.objects.filter(
        Q(status=Event.Status.RECORDED) | Q(status=Event.Status.FANNING_OUT), due_at__lte=now
    )
    ids = list(due.order_by("due_at").values_list("pk", flat=True)[:PAGE_SIZE])
    due.filter(pk__in=ids).update(status=Event.Status.RECORDED, claim=None, due_at=now + EVENT_PAUSE)
    failed = publisher.publish([Ring(route=FANOUT, ids=(pk,)) for pk in ids])
    Event.objects.filter(pk__in=[ring.ids[0] for ring in failed], status=Event.Status.RECORDED).update(due_at=now)
    return len(ids) - len(failed)


def _sweep_deliveries():
    by_channel = defaultdict(list)
    for channel, pk in deliveries.take_due(PAGE_SIZE):
        by_channel[channel].append(pk)
    rings = [ring for channel, ids in sorted(by_channel.items()) for ring in rings_for(channel, ids)]
    failed = publisher.publish(rings)
    deliveries.ring_again_soon([pk for ring in failed for pk in ring.ids])
    return sum(len(ring.ids) for ring in rings) - sum(len(ring.ids) for ring in failed)
