"""How fast functions send together: never above the provider's rate, near to it, and nobody is forgotten."""

import threading
from bisect import bisect_right

import pytest
import requests
from django.db import connection
from django.utils import timezone

from lambdas import _handler, email, twitter
from notifier.channels.limits import Limit
from notifier.deliveries import clock
from notifier.exceptions import TryAgain
from notifier.gates import rates
from notifier.models import Delivery, Rate
from notifier.operations import gauges
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, event_for, let_time_pass, make_context, sweep
from tests.support.patience import in_threads
from tests.support.statements import statements
from tests.support.virtual_time import DatabaseClock, VirtualTime

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS, DELIVERIES, CHUNK = 4, 500, 25


class Provider:
    """Counts what it takes in any second, by its own clock, and answers after ``latency`` seconds."""

    def __init__(self, time, latency, *, stalls=0):
        self.times, self._time, self._latency, self._lock = [], time, latency, threading.Lock()
        self._stalls = stalls

    def send(self, message, session):
        with self._lock:
            self.times.append(self._time.monotonic())
            stalls = self._stalls and len(self.times) == 200
        self._time.sleep(self._stalls if stalls else self._latency)
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
        monkeypatch.setattr(clock, "monotonic", time.monotonic)
        monkeypatch.setattr(clock, "sleep", time.sleep)
        monkeypatch.setitem(rates.CLOCKS, connection.vendor, DatabaseClock(time))
        return time

    return begin


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
                handler(event_for("email", bodies_for("email", ids)), make_context())
        finally:
            time.leave()

    in_threads(*[work] * workers)


def make_many(number):
    first = make_delivery()
    rows = [
        Delivery(
            event_id=first.event_id, subscription_id=first.subscription_id, version_id=first.version_id,
            channel="email", recipient=f"address:{n}@example.com", address=f"{n}@example.com",
            created_at=first.created_at, due_at=first.due_at,
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
def test_500_deliveries_by_four_functions_never_pass_the_rate_and_use_nine_tenths_of_it(
    virtual, rate, latency
):
    time = virtual(WORKERS)
    provider = Provider(time, latency)
    handler = channel(provider.send, rate=Limit(number=rate))
    ids = make_many(DELIVERIES)
    run_workers(handler, chunked(ids), time)
    assert Delivery.objects.filter(status="sent", attempts=1).count() == len(provider.times) == DELIVERIES
    assert provider.most_in(1) <= rate
    assert provider.used(rate) >= 0.9


def test_a_function_that_was_kept_up_does_not_use_its_slots_when_they_are_over(virtual):
    time = virtual(WORKERS)
    provider = Provider(time, 0.001, stalls=1)
    run_workers(channel(provider.send, rate=Limit(number=125)), chunked(make_many(400)), time)
    assert (len(provider.times), provider.most_in(1) <= 125) == (400, True)


def test_who_would_wait_too_long_is_sent_away_and_comes_again_in_the_line_with_the_sweep(cloud, virtual):
    time = virtual(1)
    provider = Provider(time, 0)
    handler = channel(provider.send, rate=Limit(number=10))
    rates.push("email", 60)
    ids = make_many(30)
    event = event_for("email", bodies_for("email", ids))
    before = timezone.now()
    assert handler(event, make_context()) == {"batchItemFailures": []}
    rows = Delivery.objects.order_by("due_at", "pk")
    assert (set(rows.values_list("status", "reason", "attempts")), provider.times) == (
        {("waiting", "rate", 0)},
        [],
    )
    waits = [(each.due_at - before).total_seconds() for each in rows]
    # 30 at ten a second, after the minute: one after the other, in steps.
    assert 60 <= waits[0] < 66
    assert 62.5 <= waits[-1] < 69
    # When their time has come, they go first, and the others wait for them.
    time.sleep(61)
    let_time_pass()
    assert sweep() == 30
    assert handler(event, make_context()) == {"batchItemFailures": []}
    assert Delivery.objects.filter(status="sent", attempts=1).count() == 30
    assert provider.most_in(1) <= 10


def test_while_somebody_stands_in_the_line_who_comes_fresh_gets_only_what_nobody_wants(virtual):
    virtual(1)
    limit = Limit(number=1)
    assert rates.reserve("email", limit, 1, patience_seconds=2) == pytest.approx(0, abs=1e-6)
    assert rates.queue_up("email", limit, 5)[0] >= 1
    assert rates.reserve("email", limit, 1, patience_seconds=2) is None
    assert rates.reserve("email", limit, 1, patience_seconds=2, has_waited=True) == pytest.approx(
        limit.interval
    )
    # Who has waited already goes to the front; who has not, to the end.
    assert rates.queue_up("email", limit, 1, has_waited=True)[0] < rates.queue_up("email", limit, 1)[0]


def test_a_provider_that_says_enough_closes_the_rate_for_all_functions(virtual):
    virtual(1)
    answers = iter([TryAgain("throttled", after_seconds=30)])

    def send(message, session):
        raise next(answers)

    ids = make_many(3)
    channel(send, rate=Limit())(event_for("email", bodies_for("email", ids)), make_context())
    found = Delivery.objects.order_by("pk").values_list("status", "reason", "attempts")
    assert list(found) == [("waiting", "throttled", 1), ("waiting", "rate", 0), ("waiting", "rate", 0)]
    rate = Rate.objects.get()
    assert (rate.taken_until, rate.closed_until) == pytest.approx((1_000_030, 1_000_030))
    assert rate.closed_by == ids[0]


def test_a_part_of_a_channel_has_a_limit_of_its_own_and_holds_nobody_else(virtual):
    time = virtual(1)
    provider = Provider(time, 0)
    ids = make_many(6)
    rooms = {pk: ("room", Limit(number=1)) for pk in ids[:3]}
    handler = channel(provider.send, rate=Limit(number=30), part=lambda message: rooms.get(message.delivery))
    handler(event_for("email", bodies_for("email", ids)), make_context())
    found = list(Delivery.objects.order_by("pk").values_list("status", flat=True))
    assert found == ["sent", "waiting", "waiting", "sent", "sent", "sent"]


def test_a_room_that_has_enough_closes_itself_and_no_other(virtual):
    virtual(1)
    ids = make_many(4)
    rooms = {
        pk: (f"room {number % 2}", Limit(number=10, seconds=10, burst=5)) for number, pk in enumerate(ids)
    }

    def send(message, session):
        if message.delivery == ids[0]:
            raise TryAgain("throttled", after_seconds=30)
        return "an-id"

    handler = channel(send, rate=Limit(number=30), part=lambda message: rooms[message.delivery])
    handler(event_for("email", bodies_for("email", ids)), make_context())
    found = Delivery.objects.order_by("pk").values_list("status", "reason")
    assert list(found) == [("waiting", "throttled"), ("sent", ""), ("waiting", "rate"), ("sent", "")]


def test_a_rate_costs_few_statements_and_an_unlimited_channel_pays_nothing(virtual):
    virtual(1)
    costs = {}
    for name, rate in {"none": None, "ample": Limit(number=1000)}.items():
        ids = make_many(40)
        with statements() as found:
            channel(lambda message, session: "an-id", rate=rate)(
                event_for("email", bodies_for("email", ids)), make_context()
            )
        costs[name] = [each for each in found if "notifier_rate" in each]
    assert (costs["none"], len(costs["ample"]) <= 10) == ([], True)


def test_ses_is_asked_for_its_rate_and_before_that_nothing_is_known():
    assert email.read_rate() is None
    gauges.record({gauges.SEND_RATE: 14.0})
    assert email.read_rate() == Limit(number=14.0)


LIMITS_OF_X = [
    # headers, seconds that X takes no more
    ({}, 0),
    ({"x-rate-limit-remaining": "5", "x-rate-limit-reset": "+900"}, 0),
    # The other function may be using it
    ({"x-rate-limit-remaining": "1", "x-rate-limit-reset": "+900"}, 900),
    ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "-900"}, 0),
    ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "soon"}, 0),
    (
        {
            "x-rate-limit-remaining": "80",
            "x-app-limit-24hour-remaining": "0",
            "x-app-limit-24hour-reset": "+7200",
        },
        7200,
    ),
]


@pytest.mark.parametrize(("headers", "seconds"), LIMITS_OF_X)
def test_x_says_with_each_answer_when_it_takes_no_more(monkeypatch, headers, seconds):
    now = int(twitter.time.time())
    told = requests.Response()
    told.request = requests.Request("POST", "https://api.x.com/2/tweets").prepare()
    for name, value in headers.items():
        told.headers[name] = str(now + int(value)) if value[0] in "+-" else value
    with twitter.open_session() as client:
        for hook in client.session.hooks["response"]:
            hook(told)
        assert seconds - 5 <= twitter.used_up(client) <= seconds
