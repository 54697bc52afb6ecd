"""A message for nobody, which shows that every link works: topic, queues and functions.

A canary is a row per route. One ring for all of them goes to the fan-out, which marks its own row and rings
for each of the others.
"""

import datetime as dt

from django.utils import timezone

from ..models import Canary
from .publisher import publish
from .ring import FANOUT, Ring

KEPT = dt.timedelta(days=1)


def release(channels):
    """Send a canary to the fan-out and on to ``channels``; return its rows' primary keys by route.

    Raises ConnectionError when SNS does not take it: nothing would ever arrive then.
    """
    now = timezone.now()
    Canary.objects.filter(released_at__lt=now - KEPT).delete()
    rows = {route: Canary.objects.create(route=route, released_at=now).pk for route in [FANOUT, *channels]}
    if publish([Ring(route=FANOUT, ids=tuple(rows.values()), canary=True)]):
        raise ConnectionError("SNS did not take the canary; the log of this function says why.")
    return rows


def seconds_by_route(rows):
    """Route → seconds that its canary took, or None while it is on its way.

    ``rows`` is what :func:`release` returned.
    """
    arrived = Canary.objects.in_bulk(rows.values())
    return {route: arrived[pk].seconds() for route, pk in rows.items()}


def receive(ring):
    """Note that the canary has come as far as the function behind ``ring.route``, and send it on to where
    else it goes.

    Returns whether SNS took it.
    """
    canaries = list(Canary.objects.filter(pk__in=ring.ids, arrived_at=None))
    here = [canary.pk for canary in canaries if canary.route == ring.route]
    onward = [
        Ring(route=canary.route, ids=(canary.pk,), canary=True)
        for canary in canaries
        if canary.route != ring.route
    ]
    failed = publish(onward)
    Canary.objects.filter(pk__in=here).update(arrived_at=timezone.now())
    return not failed
