"""A mail to very many: the memory of its fan-out, and how long an urgent one waits beside it."""

import datetime as dt
import threading
import time

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from lambdas import email
from notifier.deliveries.sweep import sweep
from notifier.models import Audience, Delivery, Event, Lane, Trigger
from notifier.operations import gauges
from project.demo.models import Post
from tests.support.mailing import mail_by
from tests.support.patience import in_threads
from tests.support.virtual_time import VirtualContext, VirtualTime, everywhere

from . import letter, mails, memory
from .budget import CROWD_RATE

# Functions of one channel that work at once, with one for the sweep and one who saves.
FUNCTIONS = 4
# Over the minute between two sweeps, when the crowd's first have gone; and how long they are waited for.
SAVED_AFTER_SECONDS = range(62, 122, 6)
MOST_SECONDS = 120


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
    _let_provider_take(CROWD_RATE)
    found["urgent"] = waits_of_urgent(wire)
    _let_provider_take(0)  # as many as come
    letter.finish_all()
    wire.forget()
    if is_long:
        say(f"from a save to {crowd:,} mails")
        found |= mails.measure(wire, subscription, people=crowd, rounds=1)
    return found


def _let_provider_take(rate):
    gauges.record({gauges.SEND_RATE: float(rate)})
    # It is kept for some seconds.
    email.heard_rate.cache_clear()


class Provider(BaseEmailBackend):
    """Takes everything at once, and looks for the urgent ones."""

    street = None

    def send_messages(self, messages):
        for mail in messages:
            if mail.subject in self.street.committed:
                self.street.sent[mail.subject] = self.street.time.now
        return len(messages)


class Street:
    """Functions, a sweep a minute and somebody who saves, in one virtual time."""

    def __init__(self, wire, time):
        self.wire, self.time = wire, time
        self.began, self.committed, self.sent = time.now, {}, {}
        self._lock = threading.Lock()

    @property
    def is_over(self):
        passed = self.time.now - self.began
        return len(self.sent) == len(SAVED_AFTER_SECONDS) or passed > SAVED_AFTER_SECONDS[-1] + MOST_SECONDS

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
        for seconds in SAVED_AFTER_SECONDS:
            self.time.sleep(self.began + seconds - self.time.now)
            title = f"Your code {seconds}"
            with transaction.atomic():
                Post.objects.create(title=title)
                self.committed[title] = self.time.now

    def play(self):
        jobs = [*[self.work] * FUNCTIONS, self.ring, self.save]
        in_threads(*(_leaving(job, self.time) for job in jobs))


def waits_of_urgent(wire):
    """``[seconds, whether it was sent then]`` of each of several urgent mails, from commit to sending.

    All deliveries that wait go at CROWD_RATE a second meanwhile. One that is not sent soon has at least as
    long to wait as its place in the line says.
    """
    parts = {"subject": "{{ instance.title }}", "text": "{{ instance.title }}"}
    one = letter.make_rule("demo.post", parts, lane=Lane.URGENT)
    one.audiences.set([Audience.objects.create(name="one", addresses="email: one@example.com")])
    letter.enable(*Trigger.objects.filter(lane__isnull=False))
    # Their rings are lost: the sweep rings for all of them.
    Delivery.objects.filter(status="queued").update(due_at=timezone.now() - dt.timedelta(seconds=1))
    virtual = VirtualTime(FUNCTIONS + 2, now=time.time())
    with everywhere(virtual), override_settings(**mail_by(f"{__name__}.Provider")):
        Provider.street = street = Street(wire, virtual)
        street.play()
        due = _due_of(one.trigger)
        return [
            [street.sent.get(title, max(due.get(title, 0), virtual.now)) - since, title in street.sent]
            for title, since in street.committed.items()
        ]


def _due_of(trigger):
    """Title → when the mail of a post is due, of those that wait."""
    titles = {f"demo.post:{pk}": title for pk, title in Post.objects.values_list("pk", "title")}
    rows = Delivery.objects.filter(event__trigger=trigger, due_at__isnull=False)
    return {titles[key]: at.timestamp() for key, at in rows.values_list("event__action_object", "due_at")}


def _leaving(job, time):
    def run():
        try:
            job()
        finally:
            time.leave()

    return run
