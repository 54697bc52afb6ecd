"""Prints what is recorded, in one process and without AWS. Calls the fan-out, then ``deliveries.worker``."""

from .. import deliveries
from ..deliveries import fanout
from ..deliveries.clock import Clock
from ..deliveries.worker import Channel
from ..models import Delivery, Event
from ..queue import publisher

CHANNEL = "console"
LEASE_SECONDS = 60
# At most so many at a time.
PAGE_SIZE = 100
RULE = "─" * 60
POLICY = deliveries.Policy(at_most_once=False, horizon=deliveries.DELIVERY_UNHEARD_AFTER)


def print_waiting(write):
    """Fan out what is recorded and ``write`` what is for the console, each delivery once.

    Returns how many were written.
    """
    written = []

    def send(messages, _session):
        (message,) = messages
        write(block(message))
        written.append(message)
        return [f"printed-{message.delivery}"]

    # There is nobody to ring for: the other channels' deliveries wait in the database.
    with publisher.diverted():
        for pk in (
            Event.objects.filter(status=Event.Status.RECORDED)
            .order_by("pk")
            .values_list("pk", flat=True)[:PAGE_SIZE]
        ):
            fanout.fan_out(pk, lease_seconds=LEASE_SECONDS)
    waiting = Delivery.objects.filter(channel=CHANNEL, status=Delivery.Status.QUEUED).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:PAGE_SIZE])
    with Clock.lasting(LEASE_SECONDS) as clock:
        Channel(name=CHANNEL, send_batch=send, policy=POLICY).deliver(ids, clock)
    return len(written)


def block(message):
    """A message as lines to read: its recipient, its subject, its text."""
    head = [f"To: {message.address}", *([f"Subject: {message.subject}"] if message.subject else [])]
    return "\n".join([RULE, *head, "", message.text.rstrip(), RULE])
