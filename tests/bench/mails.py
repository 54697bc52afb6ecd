"""From a save to the transport: the real functions in this process, beside a bare loop of Django's."""

import time

from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.template import Context, Engine
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from notifier.deliveries.clock import RESERVE_SECONDS
from notifier.models import Delivery
from notifier.queue.ring import CHUNK_SIZE, rings_for
from project.demo.models import Post
from tests.support.functions import invoke
from tests.support.mailing import mail_by
from tests.support.wire import MESSAGES_AT_ONCE

from . import letter
from .budget import PROVIDER_SECONDS
from .rounds import Took, best

NOOP = "django.core.mail.backends.dummy.EmailBackend"
TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Provider(BaseEmailBackend):
    """Takes each mail after as long as SES does."""

    sent = 0

    def send_messages(self, messages):
        for _ in messages:
            time.sleep(PROVIDER_SECONDS)
            Provider.sent += 1
        return len(messages)


def measure(wire, subscription, *, people, rounds):
    """A mail from the save to the no-op transport, by the functions and by a bare loop: name → Took.

    And of each mail, how many requests to publish and messages it took, and bytes that PostgreSQL wrote.
    """

    def ours():
        with transaction.atomic():
            letter.save_sale()
        wire.carry()

    letter.make_people(people)
    letter.enable(subscription.trigger)
    before, counts = Delivery.objects.filter(status="sent").count(), _counts(wire)
    with override_settings(**mail_by(NOOP)):
        took = best({"ours": (ours, people), "loop": (send_barely, people)}, rounds=rounds)
    assert Delivery.objects.filter(status="sent").count() == before + rounds * people
    counts = {name: (each - counts[name]) / rounds / people for name, each in _counts(wire).items()}
    letter.enable()
    return {f"{name} {people}": each for name, each in took.items()} | counts


def _counts(wire):
    found = {"requests": wire.requests, "messages": wire.messages}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
            found["written"] = float(cursor.fetchone()[0])
    return found


def send_barely():
    """What a project without a notification system writes: parsed once, rendered and sent one by one."""
    subject, text, html = (Engine().from_string(letter.PARTS[name]) for name in ("subject", "text", "html"))
    with transaction.atomic():
        Post.objects.create(title="A plain save, of which nobody is told")
    sale = {"instance": letter.unsaved_sale()}
    with import_string(NOOP)() as backend:
        for user in get_user_model().objects.filter(is_active=True).iterator():
            context = Context(sale | {"user": user})
            mail = EmailMultiAlternatives(subject.render(context), text.render(context), to=[user.email])
            mail.attach_alternative(html.render(context), "text/html")
            backend.send_messages([mail])


def measure_slow(*, seconds, rounds):
    """A mail of one function whose provider takes PROVIDER_SECONDS, in an invocation that has ``seconds`` for
    five hundred of the deliveries that wait.
    """
    waiting = Delivery.objects.filter(status="queued").order_by("-pk").values_list("pk", flat=True)
    found = []
    for _ in range(rounds):
        bodies = [ring.body() for ring in rings_for("email", waiting[: CHUNK_SIZE * MESSAGES_AT_ONCE])]
        with override_settings(**mail_by(f"{__name__}.Provider")):
            Provider.sent = 0
            wall, work = time.perf_counter(), time.process_time()
            invoke("email", *bodies, seconds=RESERVE_SECONDS + seconds)
            took = time.perf_counter() - wall, time.process_time() - work
        found.append(Took(*(each / Provider.sent for each in took)))
    return min(found)


def count_statements(wire, subscription):
    """Function → ``(statements, of which begin or end a transaction)`` for an event to one person, in
    functions that have worked before.
    """
    letter.enable(subscription.trigger)
    with override_settings(**mail_by(NOOP)):
        for _ in range(2):
            with transaction.atomic():
                letter.save_sale()
            found = {route: _count(wire, route) for route in ("fanout", "email")}
    letter.enable()
    return found


def _count(wire, route):
    with CaptureQueriesContext(connection) as captured:
        wire.carry(route)
    words = [query["sql"].split()[0].rstrip(";") for query in captured]
    return len(words), sum(word in TRANSACTIONS for word in words)
