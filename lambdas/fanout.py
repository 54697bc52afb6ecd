"""From an event to its deliveries. Next hop: ``notifier.fanout``, then each channel's function."""

from notifier import fanout, publisher
from notifier.messages import FANOUT, Ring

from ._handler import make_queue_handler


def process(ring, clock):
    """Fan out each event of the message; what time did not allow goes on in the next invocation, at once."""
    for event_id in ring.ids:
        done = fanout.fan_out(event_id, lease_seconds=clock.seconds_left(), is_time_up=clock.is_time_up)
        if not done and publisher.publish([Ring(route=FANOUT, ids=(event_id,))]):
            return False
    return True


handler = make_queue_handler(FANOUT, process)
