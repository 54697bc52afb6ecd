"""Rings again for what nobody has taken up, and for what is due now. Called by ``lambdas.sweep``.

Note [turns]: who was sent away for a slot comes again when it is likely to get one. All of a minute at once
would find the next seconds' slots only; most would be sent away again, and when these are used the provider
would be idle until the next minute. So while there is a line, it is rung for every few seconds.
"""

from collections import Counter, defaultdict

from ..gates import rates
from ..queue import publisher
from ..queue.ring import CHUNK_SIZE, FANOUT, Ring, rings_for
from . import allowances, clock as time, fanout, holding, queueing
from .slots import STEP_SECONDS

PAGE_SIZE = 1000
# The line's own step. A sweep's turns end before the next sweep begins.
TURN_SECONDS, MINUTE_SECONDS = STEP_SECONDS, 50
# So many of one event get messages of their own.
MANY = CHUNK_SIZE // 2


def sweep(is_time_up=lambda: False):
    """Ring for every due event and delivery, a page at a time, until none is left or time is up.

    Returns how many.
    """
    for release in (holding.release_events, holding.release_deliveries):
        while release() and not is_time_up():
            pass  # What is let go is due, and is rung for below.
    rung = 0
    # By turns: what is urgent of the one is not behind all of the other.
    while not is_time_up() and (found := _sweep_events() + _sweep_deliveries()):
        rung += found
    while not is_time_up() and allowances.forget_ended() == allowances.PAGE_SIZE:
        pass
    if not is_time_up():
        rates.forget_idle()
    return rung


def sweep_in_turns(clock):
    """Sweep every few seconds while something waits for a slot of a provider's rate; see note [turns].

    Returns how many it rang for.
    """
    rung, end = 0, time.monotonic() + MINUTE_SECONDS
    while (left := min(end - time.monotonic(), clock.seconds_left() - TURN_SECONDS)) > TURN_SECONDS:
        if not queueing.is_slot_due(within_seconds=left):
            break
        time.sleep(TURN_SECONDS)
        rung += sweep(lambda: clock.seconds_left() < TURN_SECONDS)
    return rung


def _sweep_events():
    ids = fanout.take_due(PAGE_SIZE)
    failed = publisher.publish([Ring(route=FANOUT, ids=(pk,), group=f"event-{pk}") for pk in ids])
    fanout.make_due([pk for ring in failed for pk in ring.ids])
    return len(ids) - len(failed)


def _sweep_deliveries():
    rings = _rings(queueing.take_due_rows(PAGE_SIZE))
    failed = publisher.publish(rings)
    queueing.ring_again_soon([pk for ring in failed for pk in ring.ids])
    return sum(len(ring.ids) for ring in rings) - sum(len(ring.ids) for ring in failed)


def _rings(rows):
    """The Rings for these Due, the urgent first: of one lane each, and of one event that has many.

    A message that kills its function again comes again, and in the end is a dead letter: no other delivery
    should be in it.
    """
    number = Counter((row.lane, row.channel, row.event_id) for row in rows if not row.is_suspect)
    ids = defaultdict(list)
    for row in rows:
        alone = row.pk if row.is_suspect else 0
        many = number[row.lane, row.channel, row.event_id] >= MANY
        ids[row.lane, alone, row.channel, row.event_id if alone or many else 0].append(row.pk)
    return [
        ring
        for (_lane, _alone, channel, event), found in sorted(ids.items())
        for ring in rings_for(channel, found, group=f"event-{event}" if event else "")
    ]
