"""A worker process is killed in the middle of its work, and everything arrives all the same.

What it costs is what was in flight, and answered but not stored yet: see the note [groups] in
``notifier.deliveries.results``.
"""

from collections import Counter
from contextlib import ExitStack

import pytest

from lambdas import email, sms, twitter
from notifier.deliveries.results import GROUP_SIZE
from notifier.models import Delivery
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep, worker
from tests.support.gate import POST_TO_X, SEND_MAIL, SEND_SMS
from tests.support.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]

# What sends on a channel, how many calls are in flight, and what becomes of what may have been sent: it is
# sent again, left for a person, or asked for.
AGAIN, A_PERSON, ASKED = "again", "a person", "asked"
CHANNELS = {
    "email": (SEND_MAIL, email.CONCURRENCY, AGAIN),
    "sms": (SEND_SMS, sms.CONCURRENCY, A_PERSON),
    "twitter": (POST_TO_X, twitter.CONCURRENCY, ASKED),
}
# More than a crash may cost.
CHUNK = 40
# Statements between which a worker dies.
READS_THE_EVENT = r'SELECT .*"notifier_event"\."data"'
STORES_A_RESULT = r"(?s)UPDATE notifier_delivery\s.*provider_id"


@pytest.fixture(params=CHANNELS)
def chunk(request, gate):
    """A channel's name, and the ids of a chunk of deliveries."""
    return request.param, [make_delivery(channel=request.param).pk for _ in range(CHUNK)]


def kill_at_statement(channel, ids, pattern, nth):
    with worker(channel, *bodies_for(channel, ids), die_before=[pattern, nth]) as process:
        assert process.wait(PATIENCE_SECONDS) == -9


def kill_in_calls(gate, channel, ids, *, first, taken):
    """Kill it when its ``first`` call and all that go beside it are held, and no other call is under way."""
    action, in_flight, _ = CHANNELS[channel]
    with worker(channel, *bodies_for(channel, ids)) as process, ExitStack() as held:
        numbers = range(first, first + in_flight)
        reached = [held.enter_context(gate.hold(action, nth=nth, taken=taken)) for nth in numbers]
        for each in reached:
            assert each.wait(PATIENCE_SECONDS)
        process.kill()
        assert process.wait(PATIENCE_SECONDS) == -9


def recover(pump):
    let_time_pass()
    sweep()
    pump.drain()


def statuses(ids):
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk").values_list("status", flat=True))


def received(cloud, ids):
    """How often each delivery's message arrived, in the order of ``ids``: each has a text of its own."""
    titles = Delivery.objects.order_by("pk").values_list("event__data", flat=True).filter(pk__in=ids)
    texts = Counter(message.text.strip() for message in cloud.outbox())
    counts = [texts.pop(data["title"], 0) for data in titles]
    assert not texts
    return counts


def assert_it_cost_little(cloud, channel, ids, *, crashes=1):
    """Nobody can know what became of it. A mail is sent again, an SMS is left for a person; X shows what it
    has.

    Returns how many were doubled, or left.
    """
    _action, in_flight, open_ones = CHANNELS[channel]
    most = crashes * (in_flight + (GROUP_SIZE if open_ones == AGAIN else 0))
    counts, found = received(cloud, ids), statuses(ids)
    if open_ones == A_PERSON:
        left = Delivery.objects.filter(pk__in=ids, status="unknown")
        assert found.count("sent") + left.count() == len(ids)
        assert all(count == 1 for count, status in zip(counts, found, strict=True) if status == "sent")
        assert max(counts) == 1
        assert left.count() <= most
        for each in left:
            assert (each.reason, each.due_at, each.claim) == ("crashed", None, None)
            assert "Ask the provider" in each.detail
        return left.count()
    assert found == ["sent"] * len(ids)
    assert min(counts) == 1
    assert sum(counts) - len(ids) <= (0 if open_ones == ASKED else most)
    return sum(counts) - len(ids)


def test_a_worker_killed_between_claim_and_call_sends_nothing_and_its_successor_everything_once(
    cloud, chunk, pump
):
    channel, ids = chunk
    kill_at_statement(channel, ids, READS_THE_EVENT, 1)
    assert statuses(ids) == ["claimed"] * CHUNK
    recover(pump)
    assert statuses(ids) == ["sent"] * CHUNK
    assert received(cloud, ids) == [1] * CHUNK


@pytest.mark.parametrize("first", [1, 8])
@pytest.mark.parametrize(
    "taken",
    [
        False,  # the provider did not take the messages
        True,  # it took them, and its answers found nobody
    ],
)
def test_a_worker_killed_with_all_its_calls_in_flight_costs_at_most_these_and_a_group(
    cloud, gate, chunk, pump, taken, first
):
    channel, ids = chunk
    kill_in_calls(gate, channel, ids, first=first, taken=taken)
    recover(pump)
    cost = assert_it_cost_little(cloud, channel, ids)
    _action, in_flight, open_ones = CHANNELS[channel]
    if open_ones == A_PERSON:
        assert cost == in_flight
    elif open_ones == AGAIN and taken:
        assert cost >= in_flight


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_worker_killed_between_answers_and_storing_costs_at_most_what_was_in_flight_and_a_group(
    cloud, chunk, pump, nth
):
    channel, ids = chunk
    kill_at_statement(channel, ids, STORES_A_RESULT, nth)
    recover(pump)
    assert assert_it_cost_little(cloud, channel, ids) > 0 or channel == "twitter"
    if channel == "twitter":
        posted = {post.text: post.id for post in cloud.x.posts}
        for settled in Delivery.objects.filter(pk__in=ids).select_related("event"):
            assert settled.provider_id == posted[settled.event.data["title"]]


def test_a_message_that_the_queue_brings_again_after_a_kill_sends_the_rest_of_the_chunk(cloud, gate, chunk):
    channel, ids = chunk
    kill_in_calls(gate, channel, ids, first=1, taken=True)
    bodies, before = bodies_for(channel, ids), received(cloud, ids)
    # Before the lease has ended nobody else touches what the dead one held.
    assert invoke(channel, *bodies) == []
    assert received(cloud, ids) == before
    let_time_pass()
    assert invoke(channel, *bodies) == []
    if channel == "email":
        assert_it_cost_little(cloud, channel, ids)
    else:
        # What may have been sent is not sent again, whoever rings.
        assert received(cloud, ids) == [1] * CHUNK


def test_three_workers_killed_in_a_row_cost_at_most_three_times_as_much(cloud, gate, pump):
    ids = [make_delivery().pk for _ in range(CHUNK)]
    kill_in_calls(gate, "email", ids, first=1, taken=True)
    for _ in range(2):
        # From now on each is sent alone, as any of them may have been the end of it.
        let_time_pass()
        with (
            worker("email", *bodies_for("email", ids)) as process,
            gate.hold(SEND_MAIL, nth=2, taken=True) as reached,
        ):
            assert reached.wait(PATIENCE_SECONDS)
            process.kill()
            assert process.wait(PATIENCE_SECONDS) == -9
    recover(pump)
    assert_it_cost_little(cloud, "email", ids, crashes=3)
    assert sum(received(cloud, ids)) <= CHUNK + email.CONCURRENCY + GROUP_SIZE + 2
