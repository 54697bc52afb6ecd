"""Prints what is recorded, in one process and without AWS: plays the sweep, the fan-out and the function of
the channel, ``deliveries.worker``.
"""

from django.db.models import Q
from django.utils import timezone

from .. import deliveries
from ..deliveries import fanout
from ..deliveries.clock import Clock
from ..deliveries.sweep import sweep
from ..deliveries.worker import Channel
from ..models import Delivery, Event
from ..queue import publisher

CHANNEL = "console"
# What was taken up and not printed, as something went wrong or Ctrl-C came, is printed after this. No
# delivery is begun with less left than `deliveries.clock.RESERVE_SECONDS`.
LEASE_SECONDS = 30
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
        sweep()
        for pk in _recorded():
            fanout.fan_out(pk, lease_seconds=LEASE_SECONDS)
    waiting = Delivery.objects.filter(channel=CHANNEL, status=Delivery.Status.QUEUED).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:PAGE_SIZE])
    with Clock.lasting(LEASE_SECONDS) as clock:
        Channel(name=CHANNEL, send_batch=send, policy=POLICY).deliver(ids, clock)
    return len(written)


def _recorded():
    its_time = Q(starts_at__isnull=True) | Q(starts_at__lte=timezone.now())
    events = Event.objects.filter(its_time, status=Event.Status.RECORDED).order_by("pk")
    return events.values_list("pk", flat=True)[:PAGE_SIZE]


def block(message):
    """A message as lines to read: its recipient, its subject, its text."""
    head = [f"To: {message.address}", *([f"Subject: {message.subject}"] if message.subject else [])]
    return "\n".join([RULE, *head, "", message.text.rstrip(), RULE])
