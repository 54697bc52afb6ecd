"""How fast functions send together: never above the provider's rate, near to it, and nobody is forgotten."""

import threading
from bisect import bisect_right

import pytest
from django.db import connection, connections

from lambdas import _clock, _handler
from notifier import rates
from notifier.limits import Limit
from notifier.models import Delivery
from tests.builders import make_delivery
from tests.functions import bodies_for, event_for, make_context
from tests.virtual_time import VirtualTime

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS, DELIVERIES, CHUNK = 4, 500, 25


class Provider:
    """Counts what it takes in any second, by its own clock, and answers after ``latency`` seconds."""

    def __init__(self, time, latency):
        self.times, self._time, self._latency, self._lock = [], time, latency, threading.Lock()

    def send(self, message, session):
        with self._lock:
            self.times.append(self._time.monotonic())
        self._time.sleep(self._latency)
        return f"taken-{message.delivery}"

    def most_in(self, seconds):
        """The most messages of any window of so many ``seconds``."""
        times = sorted(self.times)
        return max(position - bisect_right(times, end - seconds) + 1 for position, end in enumerate(times))

    def used(self, rate):
        """The share of the rate that was used, from the first message to the last."""
        return (len(self.times) - 1) / (max(self.times) - min(self.times)) / rate


@pytest.fixture
def virtual(monkeypatch):
    """``virtual(workers)``: from then on functions wait, and the database's clock shows, that time."""

    def begin(workers):
        time = VirtualTime(workers)
        monkeypatch.setattr(_clock, "monotonic", time.monotonic)
        monkeypatch.setattr(_clock, "sleep", time.sleep)
        monkeypatch.setitem(rates.CLOCKS, connection.vendor, Now(time))
        return time

    return begin


class Now:
    """The database's word for its clock, each time that a statement is written."""

    def __init__(self, time):
        self._time = time

    def __format__(self, _spec):
        return f"CAST({self._time.monotonic()!r} AS double precision)"


def channel(send, **options):
    send = lambda message, session, real=send: real(message, session)  # noqa: E731 - its module is its channel's name
    send.__module__ = "lambdas.email"
    return _handler.make_handler(send, **{"at_most_once": False, "horizon_hours": 24} | options)


def run_workers(handler, chunks, time, workers=WORKERS):
    """So many functions at once, each of which takes the next message as long as there is one."""
    left, lock = list(chunks), threading.Lock()

    def work():
        try:
            while True:
                with lock:
                    if not left:
                        return
                    ids = left.pop(0)
                handler(event_for("email", bodies_for("email", ids)), make_context(seconds=300))
        finally:
            time.leave()
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def make_many(number):
    first = make_delivery()
    rows = [
        Delivery(
            event_id=first.event_id, subscription_id=first.subscription_id, version_id=first.version_id, channel="email",
            recipient=f"address:{n}@example.com", address=f"{n}@example.com", created_at=first.created_at, due_at=first.due_at,
        )
        for n in range(number - 1)
    ]  # fmt: skip
    return [first.pk, *(each.pk for each in Delivery.objects.bulk_create(rows))]


def chunked(ids):
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


RATES = [
    # a second, the provider's latency in seconds
    (125, 0.02),  # as four functions can do easily
    (50, 0.05),
    (14, 0.07),  # what SES begins with
]


@pytest.mark.parametrize(("rate", "latency"), RATES)
def test_500_deliveries_by_four_functions_never_pass_the_rate_and_use_nine_tenths_of_it(virtual, rate, latency):
    time = virtual(WORKERS)
    provider = Provider(time, latency)
    handler = channel(provider.send, rate=Limit(number=rate))
    ids = make_many(DELIVERIES)
    run_workers(handler, chunked(ids), time)
    assert Delivery.objects.filter(status="sent", attempts=1).count() == len(provider.times) == DELIVERIES
    assert provider.most_in(1) <= rate
    assert provider.used(rate) >= 0.9
