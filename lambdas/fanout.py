"""Turns events into deliveries. Calls ``notifier.deliveries.fanout``, which rings for each channel's
function.
"""

import logging

# First of all: it sets Django up, and what stands below needs models.
from lambdas._handler import make_queue_handler
from notifier.deliveries import fanout
from notifier.deliveries.outcome_counts import counting_deliveries
from notifier.observing import keys, log_failure
from notifier.queue import publisher
from notifier.queue.ring import FANOUT, Ring

logger = logging.getLogger(__name__)


def process(rings, clock):
    """Fan out each event; what time did not allow goes on in the next invocation, at once."""
    return [message for message, ring in rings.items() if not _fan_out_all(ring, clock)]


def _fan_out_all(ring, clock):
    for event_id in ring.ids:
        with keys(event_ids=[event_id]):
            try:
                with counting_deliveries(event_id):
                    done = fanout.fan_out(
                        event_id, lease_seconds=clock.seconds_left(), is_time_up=clock.is_time_up
                    )
            except Exception:
                log_failure(logger, "The fan-out of event %d failed and will be tried again.", event_id)
                return False
            if not done and publisher.publish([Ring(route=FANOUT, ids=(event_id,))]):
                return False
    return True


handler = make_queue_handler(FANOUT, process)
