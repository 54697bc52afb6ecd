"""Turns events into deliveries. Calls ``notifier.deliveries.fanout``, which rings for each channel's
function.
"""

import logging

# First of all: it sets Django up, and what stands below needs models.
from lambdas._handler import make_queue_handler
from notifier.deliveries import fanout
from notifier.observing import keys, log_failure
from notifier.queue.ring import FANOUT

logger = logging.getLogger(__name__)


def process(rings, clock):
    """Fan out each event; what time did not allow is due for the sweep, at once."""
    return [message for message, ring in rings.items() if not _fan_out_all(ring, clock)]


def _fan_out_all(ring, clock):
    for event_id in ring.ids:
        with keys(event_ids=[event_id]):
            try:
                made = fanout.fan_out(
                    event_id, lease_seconds=clock.seconds_left(), is_time_up=clock.is_time_up
                )
            except Exception:
                log_failure(logger, "The fan-out of event %d failed and will be tried again.", event_id)
                return False
            if made:
                logger.info("Event %d has %d more deliveries.", event_id, made)
    return True


handler = make_queue_handler(FANOUT, process)
