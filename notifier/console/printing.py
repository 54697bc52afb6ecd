"""From what is recorded to what is printed, in one process and without AWS: fan-out, claim, gates, render, print. Next: ``deliveries``."""

from .. import composing, deliveries, fanout, gates, publisher
from ..models import Delivery, Event

CHANNEL = "console"
LEASE_SECONDS = 60
# At most so many at a time.
PAGE_SIZE = 100
RULE = "─" * 60


def print_waiting(write):
    """Fan out what is recorded and ``write`` what is for the console, each delivery once. Returns how many were written."""
    # There is nobody to ring for: the other channels' deliveries wait in the database.
    with publisher.diverted():
        for pk in Event.objects.filter(status=Event.Status.RECORDED).order_by("pk").values_list("pk", flat=True)[:PAGE_SIZE]:
            fanout.fan_out(pk, lease_seconds=LEASE_SECONDS)
    waiting = Delivery.objects.filter(channel=CHANNEL, status=Delivery.Status.QUEUED).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:PAGE_SIZE])
    works = deliveries.claim_deliveries(ids, channel=CHANNEL, lease_seconds=LEASE_SECONDS)
    asked = list(zip(works, gates.ask_all(works, CHANNEL), strict=True))
    ready, refused = composing.compose_messages([work for work, answer in asked if answer is None])
    _record([*((work, answer) for work, answer in asked if answer is not None), *refused])
    for work, message in ready:
        write(block(message))
        _record([(work, f"printed-{work.pk}")])
    return len(ready)


def block(message):
    """A message as lines to read: to whom, its subject, its text."""
    head = [f"To: {message.address}", *([f"Subject: {message.subject}"] if message.subject else [])]
    return "\n".join([RULE, *head, "", message.text.rstrip(), RULE])


def _record(answers):
    policy = deliveries.Policy(at_most_once=False, horizon=deliveries.UNHEARD_AFTER)
    deliveries.announce_outcomes(deliveries.record_answers(answers, policy), channel=CHANNEL)
