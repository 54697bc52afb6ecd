"""Several calls in flight: how many, with what of the run's own, and what one of them does to the others."""

import os
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

import pytest
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from lambdas import _handler
from notifier import observing
from notifier.channels.limits import Limit
from notifier.deliveries import calls, clock, worker
from notifier.deliveries.composing import Composer
from notifier.events import causes
from notifier.exceptions import ConfigurationError, Rejected, TryAgain
from notifier.gates import rates
from notifier.models import Budget, Delivery, Rate, Spending
from tests.support.builders import make_delivery
from tests.support.flights import Provider, deliver
from tests.support.flowing import AT_MOST_ONCE, LEASE_SECONDS, POLICY, let_flow, sweep
from tests.support.patience import PATIENCE_SECONDS, in_threads, wait_until
from tests.support.virtual_time import VirtualTime

pytestmark = pytest.mark.django_db(transaction=True)

# Of SMS that cost 0.04 USD.
PRICE = 40_000


def make(number, **values):
    return [make_delivery(**values).pk for _ in range(number)]


def statuses(ids):
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk").values_list("status", flat=True))


def count_sent():
    return Delivery.objects.filter(status="sent").count()


@pytest.mark.parametrize("concurrency", [1, 2, 7, 16])
def test_so_many_calls_are_in_flight_and_never_more_each_on_a_session_of_its_own(concurrency):
    ids, provider = make(20), Provider(together=concurrency)
    deliver(ids, provider, concurrency=concurrency)
    assert (provider.calls, provider.most) == (Counter(ids), concurrency)
    assert statuses(ids) == ["sent"] * 20
    assert Delivery.objects.get(pk=ids[7]).provider_id == f"id-{ids[7]}"
    assert (len(provider.sessions) <= concurrency, provider.shared) == (True, 0)
    assert [each["open"] for each in provider.sessions] == [False] * len(provider.sessions)


def test_one_call_at_a_time_is_made_in_the_thread_of_the_run():
    (pk,), threads = make(1), []
    deliver([pk], Provider(answers={pk: lambda: threads.append(threading.current_thread()) or "id"}))
    assert threads == [threading.current_thread()]


def test_threads_stay_for_the_next_run_and_a_child_of_the_process_has_its_own():
    counts = []
    for _ in range(10):
        deliver(make(2), Provider(together=2), concurrency=2)
        counts.append(threading.active_count())
    # Those of the run before may not be free yet.
    assert counts[-1] <= counts[0] + 2
    if not (child := os.fork()):
        back = SimpleQueue()
        calls._threads.make(partial(back.put, 0))
        with suppress(Empty):
            os._exit(back.get(timeout=PATIENCE_SECONDS))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_functions_at_the_same_moment_send_nothing_twice():
    ids, provider = make(20), Provider()
    in_threads(*[lambda: deliver(ids, provider, concurrency=8)] * 3)
    assert (provider.calls, statuses(ids)) == (Counter(ids), ["sent"] * 20)


def fail():
    raise ZeroDivisionError


def leave():
    raise SystemExit


@pytest.mark.parametrize("concurrency", [2, 8])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Rejected("refused"), "failed"),
        (TryAgain("throttled"), "waiting"),
        (fail, "waiting"),
        (leave, "waiting"),
    ],
    ids=["no", "later", "a bug", "it ends its thread"],
)
def test_what_one_call_comes_to_harms_no_other(answer, status, concurrency):
    ids = make(10)
    provider = Provider(answers={ids[3]: answer})
    deliver(ids, provider, concurrency=concurrency)
    assert statuses(ids) == ["sent"] * 3 + [status] + ["sent"] * 6
    assert provider.calls == Counter(ids)


@pytest.mark.parametrize(("channel", "again"), [("email", "sent"), ("sms", "unknown")])
def test_a_call_that_hangs_keeps_neither_the_others_results_nor_the_function(channel, again, caplog):
    is_sms = channel == "sms"
    options = {"policy": AT_MOST_ONCE if is_sms else POLICY}
    ids, never = make(6, channel=channel), threading.Event()
    provider = Provider(answers={ids[2]: lambda: never.wait(PATIENCE_SECONDS)})
    # Time runs out as soon as everything else is stored.
    deliver(
        ids, provider, name=channel, concurrency=3, **options,
        seconds_left=lambda: LEASE_SECONDS if count_sent() < 5 else 1,
    )  # fmt: skip
    hanging = "sending" if is_sms else "claimed"
    assert statuses(ids) == ["sent", "sent", hanging, "sent", "sent", "sent"]
    assert f"has not answered to deliveries [{ids[2]}]" in caplog.text
    assert sum(each["open"] for each in provider.sessions) == 1
    # After its lease it is as after a crash.
    let_flow(hours=1)
    assert sweep() == ([] if is_sms else [("email", ids[2])])
    deliver(ids, Provider(), name=channel, **options)
    assert statuses(ids)[2] == again
    never.set()


def test_nobody_waits_for_longer_than_any_call_may_take(monkeypatch):
    """Both places hang: what is left is given back, with much of the function's time left."""
    ids, never = make(5), threading.Event()
    provider = Provider(answers={pk: lambda: never.wait(PATIENCE_SECONDS) for pk in ids[:2]})
    # Nobody can be so patient: the second look is at a later time.
    late = iter([0.0] * 6)
    real = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: real() + next(late, clock.RESERVE_SECONDS + 1))
    deliver(ids, provider, concurrency=2)
    # A thread may only just have begun.
    wait_until(lambda: provider.calls == Counter(ids[:2]), "both are called")
    never.set()
    assert statuses(ids) == ["claimed"] * 2 + ["queued"] * 3


# Time that runs out, and what breaks.


@pytest.mark.parametrize("concurrency", [1, 4])
def test_when_time_is_up_what_was_called_is_stored_and_the_rest_is_due_at_once(concurrency):
    ids, provider = make(20), Provider(together=concurrency)
    deliver(
        ids, provider, concurrency=concurrency,
        seconds_left=lambda: LEASE_SECONDS if len(provider.calls) < 6 else clock.RESERVE_SECONDS - 1,
    )  # fmt: skip
    called = len(provider.calls)
    assert 6 <= called < 6 + concurrency
    assert statuses(ids) == ["sent"] * called + ["queued"] * (20 - called)
    left = Delivery.objects.filter(status="queued", claim=None, due_at__lte=timezone.now())
    assert left.count() == 20 - called
    assert sorted(pk for _, pk in sweep()) == ids[called:]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_breaks_the_run_loses_no_result_of_what_was_called(monkeypatch, concurrency):
    ids, provider = make(12), Provider(together=concurrency)
    real = Composer.compose

    def compose(self, work):
        if work.pk == ids[7]:
            raise DatabaseError
        return real(self, work)

    monkeypatch.setattr(Composer, "compose", compose)
    with pytest.raises(DatabaseError):
        deliver(ids, provider, concurrency=concurrency)
    assert statuses(ids) == ["sent"] * 7 + ["claimed"] * 5


def test_what_ends_the_run_within_its_own_call_is_not_waited_for(monkeypatch):
    """Such as somebody at a keyboard."""
    ids = make(3)
    monkeypatch.setattr(worker._Run, "_collect", lambda *args: pytest.fail("it waits"))
    with pytest.raises(SystemExit):
        deliver(ids, Provider(answers={ids[0]: leave}))
    assert statuses(ids) == ["claimed"] * 3


def test_suspects_go_alone_with_nothing_else_in_flight():
    suspects, others = make(3, reason="unanswered", attempts=1), make(6)
    in_flight, seen = set(), {}

    def look(pk):
        in_flight.add(pk)
        seen[pk] = set(in_flight)
        in_flight.discard(pk)
        return "id"

    provider = Provider(answers={pk: lambda pk=pk: look(pk) for pk in [*suspects, *others]})
    deliver([*suspects, *others], provider, concurrency=4)
    assert [seen[pk] for pk in suspects] == [{pk} for pk in suspects]
    assert list(seen)[:6] != suspects
    assert set(list(seen)[6:]) == set(suspects)
    assert statuses([*suspects, *others]) == ["sent"] * 9


# Money and slots.


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_what_is_in_flight_counts_as_spent(monkeypatch, concurrency):
    """Each is dearer than the one before it, so the budget is asked for each."""
    Budget.objects.create(channel="sms", monthly_usd=1)
    ids = make(12, channel="sms")
    prices = {pk: PRICE + position for position, pk in enumerate(ids)}
    monkeypatch.setattr(
        "notifier.channels.registry.price", lambda _channel, message: prices[message.delivery]
    )
    Budget.objects.update(monthly_usd="0.24")
    provider = Provider(together=min(concurrency, 5))
    deliver(ids, provider, name="sms", concurrency=concurrency)
    # Five and a bit fit.
    assert statuses(ids) == ["sent"] * 5 + ["held"] * 7
    assert not Spending.objects.exists()


def test_each_call_has_a_slot_before_it_has_a_thread(monkeypatch):
    time = VirtualTime(1)
    monkeypatch.setattr(clock, "monotonic", time.monotonic)
    monkeypatch.setattr(clock, "sleep", time.sleep)
    monkeypatch.setitem(rates.CLOCKS, connection.vendor, _Now(time))
    ids, times = make(60), []
    provider = Provider(answers={pk: lambda: times.append(time.monotonic()) or "id" for pk in ids})
    deliver(ids, provider, concurrency=16, rate=Limit(number=20))
    times.sort()
    assert max(sum(begin <= each < begin + 1 for each in times) for begin in times) <= 20
    assert (times[-1] - times[0]) * 20 <= 60 / 0.9
    assert (statuses(ids), Rate.objects.count()) == (["sent"] * 60, 1)


class _Now:
    """The database's word for its clock."""

    def __init__(self, time):
        self._time = time

    def __format__(self, _spec):
        return f"CAST({self._time.monotonic()!r} AS double precision)"


# What goes along into the thread, and what stays there.


def test_a_thread_knows_which_delivery_it_sends_and_what_causes_it():
    ids, found = make(4), {}

    def look(pk):
        found[pk] = observing.log_keys()["delivery_ids"], causes.current()._event_ids
        return "id"

    deliver(ids, Provider(answers={pk: lambda pk=pk: look(pk) for pk in ids}), concurrency=4)
    events = dict(Delivery.objects.values_list("pk", "event_id"))
    assert found == {pk: ([pk], (events[pk],)) for pk in ids}


def test_a_connection_that_somebody_opens_in_a_thread_is_closed(monkeypatch):
    ids, opened = make(3), []

    def query():
        assert Delivery.objects.count() == 3
        opened.append(connections["default"])
        return "id"

    deliver(ids, Provider(together=3, answers=dict.fromkeys(ids, query)), concurrency=3)
    assert len(opened) == 3
    wait_until(lambda: [each.connection for each in opened] == [None] * 3, "three closed connections")
    assert connection.connection is not None


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4", None, True])
def test_a_concurrency_that_is_no_number_of_calls_is_refused_in_words(concurrency):
    def send(message, session):
        return "id"

    with pytest.raises(ConfigurationError, match="concurrency of .* a whole number from 1 on"):
        _handler.make_handler(send, at_most_once=False, horizon_hours=1, concurrency=concurrency)
