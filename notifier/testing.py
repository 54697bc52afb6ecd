"""Tools for a project's tests: capture what its signals would send, without AWS, inside any ``TestCase``.

with capture_notifications() as sent:
    FlashSale.objects.create(...)
assert_notified(sent, user, channel="email", containing="30% off")
assert_not_notified(sent, channel="twitter")
"""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db.models import Max, Model

from . import deliveries
from .channels.recipient import Recipient
from .deliveries import composing, fanout
from .deliveries.clock import Clock
from .deliveries.worker import Channel
from .events.index import index
from .models import Delivery, Event
from .queue import publisher

LEASE_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Captured:
    """One message that would have gone to a provider.

    ``recipient`` is ``"user:<key>"`` or ``"address:<address>"``.
    """

    channel: str
    recipient: str
    address: str
    subject: str
    text: str
    html: str
    verb: str

    def is_to(self, who):
        """Whether ``who``, a user or an address, gets it."""
        if isinstance(who, Model):
            return self.recipient == str(Recipient.of_user(who.pk))
        return self.address == who


class Capture(list):
    """The Captured messages, once the ``with`` block has ended.

    ``unsent``: ``(channel, recipient, reason)`` of the others.
    """

    def __init__(self):
        super().__init__()
        self.unsent = []


@contextmanager
def capture_notifications():
    """Yield a Capture that holds, after the block, all that the block's signals would have sent.

    The events are fanned out and delivered in this process, by the same worker as in production: opted-out
    people, suppressed addresses, quiet hours and budgets are asked. Providers are not called, so what only
    they or a channel's module know (whether an address is a valid one) does not show. What a transaction
    inside the block has rolled back is not sent.
    """
    composing.forget()
    index.refresh(force=True)
    before = Event.objects.aggregate(last=Max("pk"))["last"] or 0
    capture = Capture()
    with publisher.diverted():
        yield capture
        for event in Event.objects.filter(pk__gt=before).order_by("pk"):
            fanout.fan_out(event.pk, lease_seconds=LEASE_SECONDS)
            _deliver(event, capture)


def _deliver(event, capture):
    policy = deliveries.Policy(at_most_once=True, horizon=deliveries.DELIVERY_UNHEARD_AFTER)

    def capture_batch(channel, messages, _session):
        (message,) = messages
        parts = {name: getattr(message, name) for name in ("recipient", "address", "subject", "text", "html")}
        capture.append(Captured(channel=channel, verb=event.verb, **parts))
        return ["captured"]

    for channel in sorted(set(event.deliveries.values_list("channel", flat=True))):
        ids = list(event.deliveries.filter(channel=channel).values_list("pk", flat=True))
        with Clock.lasting(LEASE_SECONDS) as clock:
            Channel(name=channel, send_batch=partial(capture_batch, channel), policy=policy).deliver(
                ids, clock
            )
    unsent = event.deliveries.exclude(status=Delivery.Status.SENT).order_by("pk")
    capture.unsent += unsent.values_list("channel", "recipient", "reason")


def assert_notified(capture, who, *, channel=None, containing="", times=1):
    """Assert that ``who`` (a user or an address) got ``times`` messages, on ``channel`` if given, with
    ``containing`` in a part.
    """
    found = [
        message
        for message in capture
        if message.is_to(who)
        and channel in (None, message.channel)
        and any(containing in part for part in (message.subject, message.text, message.html))
    ]
    if len(found) != times:
        raise AssertionError(
            f"{who} got {len(found)} such messages, not {times}. Sent: {_list(capture)}. Not "
            f"sent: {capture.unsent or 'nothing'}."
        )


def assert_not_notified(capture, who=None, *, channel=None):
    """Assert that ``who``, or nobody at all, got a message, on ``channel`` if given."""
    found = [
        message
        for message in capture
        if (who is None or message.is_to(who)) and channel in (None, message.channel)
    ]
    if found:
        raise AssertionError(f"These were sent: {_list(found)}.")


def _list(messages):
    return (
        ", ".join(
            f"{each.channel} to {each.address} ({each.subject or each.text[:40]!r})" for each in messages
        )
        or "nothing"
    )
