"""Rings again for what nobody has taken up, and for what is due now. Called by ``lambdas.sweep``."""

from collections import defaultdict

from .. import deliveries
from ..gates import rates
from ..queue import publisher
from ..queue.ring import FANOUT, Ring, rings_for
from . import allowances, fanout, holding

PAGE_SIZE = 1000


def sweep(is_time_up=lambda: False):
    """Ring for every due event and delivery, a page at a time, until none is left or time is up.

    Returns how many.
    """
    for release in (holding.release_events, holding.release_deliveries):
        while release() and not is_time_up():
            pass  # What is let go is due, and is rung for below.
    rung = 0
    for page in (_sweep_events, _sweep_deliveries):
        while not is_time_up() and (found := page()):
            rung += found
    while not is_time_up() and allowances.forget_ended() == allowances.PAGE_SIZE:
        pass
    if not is_time_up():
        rates.forget_idle()
    return rung


def _sweep_events():
    ids = fanout.take_due(PAGE_SIZE)
    failed = publisher.publish([Ring(route=FANOUT, ids=(pk,)) for pk in ids])
    fanout.make_due([pk for ring in failed for pk in ring.ids])
    return len(ids) - len(failed)


def _sweep_deliveries():
    suspects, by_channel, rings = set(), defaultdict(list), []
    for channel, pk in deliveries.take_due(PAGE_SIZE, suspects=suspects):
        if pk in suspects:
            # A message that kills its function again comes again, and in the end is a dead letter: no other
            # delivery should be in it.
            rings.append(Ring(route=channel, ids=(pk,)))
        else:
            by_channel[channel].append(pk)
    rings = [ring for channel, ids in sorted(by_channel.items()) for ring in rings_for(channel, ids)] + rings
    failed = publisher.publish(rings)
    deliveries.ring_again_soon([pk for ring in failed for pk in ring.ids])
    return sum(len(ring.ids) for ring in rings) - sum(len(ring.ids) for ring in failed)
