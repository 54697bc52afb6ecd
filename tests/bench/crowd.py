"""A mail to very many: the memory of its fan-out, and how long an urgent one waits beside it."""

import datetime as dt
import threading
import time

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from notifier.deliveries.sweep import sweep
from notifier.models import Audience, Delivery, Event, Lane, Trigger
from notifier.operations import gauges
from project.demo.models import Post
from tests.support.patience import in_threads
from tests.support.virtual_time import VirtualContext, VirtualTime, everywhere

from . import letter, mails, memory
from .budget import CROWD_RATE

# Functions of one channel that work at once, with one for the sweep and one who saves.
FUNCTIONS = 4
# The urgent one is saved when the crowd's first have gone, and waited for.
SAVED_AFTER_SECONDS, MOST_SECONDS = 90, 120
URGENT = "Your code"


def measure(wire, *, few, crowd, is_long, say=lambda text: None):
    """Name → figure."""
    subscription = letter.make_rule("demo.flashsale", lane=Lane.BULK)
    found = {}
    for name, people in [("few", few), ("crowd", crowd)]:
        say(f"the memory of a fan-out to {people:,}")
        letter.make_people(people)
        letter.enable(subscription.trigger)
        letter.save_sale()
        wire.forget()
        found[f"peak {name}"] = memory.peak_of(Event.objects.latest("pk").pk)
    say("an urgent mail beside them")
    gauges.record({gauges.SEND_RATE: float(CROWD_RATE)})
    found["urgent"] = wait_of_urgent(wire)
    gauges.record({gauges.SEND_RATE: 0.0})  # none
    letter.finish_all()
    wire.forget()
    if is_long:
        say(f"from a save to {crowd:,} mails")
        found |= mails.measure(wire, subscription, people=crowd, rounds=1)
    return found


class Provider(BaseEmailBackend):
    """Takes everything at once, and looks for the urgent one."""

    street = None

    def send_messages(self, messages):
        if any(mail.subject == URGENT for mail in messages):
            self.street.sent_at = self.street.time.now
        return len(messages)


class Street:
    """Functions, a sweep a minute and somebody who saves, in one virtual time."""

    def __init__(self, wire, time):
        self.wire, self.time = wire, time
        self.committed_at = self.sent_at = None
        self._lock, self._ends_at = threading.Lock(), time.now + SAVED_AFTER_SECONDS + MOST_SECONDS

    @property
    def is_over(self):
        return self.sent_at is not None or self.time.now >= self._ends_at

    def work(self):
        """A function: takes what waits, as long as anything may come."""
        while not self.is_over:
            with self._lock:
                route = next((each for each in ("fanout", "email") if each in self.wire.waiting), None)
                messages = self.wire.take(route) if route else []
            if not messages:
                self.time.sleep(0.1)
                continue
            again = self.wire.invoke(route, messages, context=VirtualContext.beginning(self.time))
            with self._lock:
                self.wire.put(route, *again)

    def ring(self):
        while not self.is_over:
            sweep()
            self.time.sleep(60)

    def save(self):
        self.time.sleep(SAVED_AFTER_SECONDS)
        with transaction.atomic():
            Post.objects.create(title=URGENT)
        self.committed_at = self.time.now

    def play(self):
        jobs = [*[self.work] * FUNCTIONS, self.ring, self.save]
        in_threads(*(_leaving(job, self.time) for job in jobs))


def wait_of_urgent(wire):
    """``(seconds, whether it was sent then)`` from the commit of an urgent mail to its sending, while all
    deliveries that wait go at CROWD_RATE a second. One that is not sent soon has at least as long to wait as
    its place in the line says.
    """
    parts = {"subject": "{{ instance.title }}", "text": "{{ instance.title }}"}
    one = letter.make_rule("demo.post", parts, lane=Lane.URGENT)
    one.audiences.set([Audience.objects.create(name="one", addresses="email: one@example.com")])
    letter.enable(*Trigger.objects.filter(lane__isnull=False))
    # Their rings are lost: the sweep rings for all of them.
    Delivery.objects.filter(status="queued").update(due_at=timezone.now() - dt.timedelta(seconds=1))
    virtual = VirtualTime(FUNCTIONS + 2, now=time.time())
    with everywhere(virtual), override_settings(EMAIL_BACKEND=f"{__name__}.Provider"):
        Provider.street = Street(wire, virtual)
        Provider.street.play()
        street = Provider.street
        if street.sent_at:
            return street.sent_at - street.committed_at, True
        late = Delivery.objects.filter(event__trigger=one.trigger, due_at__isnull=False).first()
        due_at = late.due_at.timestamp() if late and late.status == "waiting" else virtual.now
        return due_at - street.committed_at, False


def _leaving(job, time):
    def run():
        try:
            job()
        finally:
            time.leave()

    return run
