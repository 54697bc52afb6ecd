"""A worker process is killed in the middle of its work, and everything arrives all the same."""

from collections import Counter

import pytest

from notifier.models import Delivery
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep, worker
from tests.support.gate import POST_TO_X, SEND_MAIL, SEND_SMS
from tests.support.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]

# What sends on a channel, and what becomes of a delivery that may have been sent: sent again, left for a
# person, or asked for.
AGAIN, A_PERSON, ASKED = "again", "a person", "asked"
CHANNELS = [("email", SEND_MAIL, AGAIN), ("sms", SEND_SMS, A_PERSON), ("twitter", POST_TO_X, ASKED)]
CHUNK = 5
# The third delivery of the chunk is in flight.
IN_FLIGHT = 2
# Statements between which a worker dies.
READS_THE_EVENT = r'SELECT .*"notifier_event"\."data"'
STORES_A_RESULT = r"(?s)UPDATE notifier_delivery\s.*provider_id"


@pytest.fixture(params=CHANNELS, ids=lambda found: found[0])
def chunk(request, gate):
    """A channel's name, its send, what becomes of what is open, and the ids of a chunk of deliveries."""
    channel, action, open_ones = request.param
    return channel, action, open_ones, [make_delivery(channel=channel).pk for _ in range(CHUNK)]


def kill_at_statement(channel, ids, pattern, nth):
    with worker(channel, *bodies_for(channel, ids), die_before=[pattern, nth]) as process:
        assert process.wait(PATIENCE_SECONDS) == -9


def kill_in_call(gate, channel, ids, action, *, nth, taken):
    with (
        worker(channel, *bodies_for(channel, ids)) as process,
        gate.hold(action, nth=nth, taken=taken) as reached,
    ):
        assert reached.wait(PATIENCE_SECONDS)
        process.kill()
        assert process.wait(PATIENCE_SECONDS) == -9


def statuses(ids):
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk").values_list("status", flat=True))


def received(cloud, ids):
    """How often each delivery's message arrived, in the order of ``ids``: each has a text of its own."""
    titles = Delivery.objects.order_by("pk").values_list("event__data", flat=True).filter(pk__in=ids)
    texts = Counter(message.text.strip() for message in cloud.outbox())
    counts = [texts.pop(data["title"], 0) for data in titles]
    assert not texts
    return counts


def test_a_worker_killed_between_claim_and_call_sends_nothing_and_its_successor_everything_once(
    cloud, chunk, pump
):
    channel, _, _, ids = chunk
    kill_at_statement(channel, ids, READS_THE_EVENT, 1)
    assert statuses(ids) == ["claimed"] * CHUNK
    let_time_pass()
    sweep()
    pump.drain()
    assert statuses(ids) == ["sent"] * CHUNK
    assert received(cloud, ids) == [1] * CHUNK


@pytest.mark.parametrize(
    "taken",
    [
        False,  # the provider did not take the message
        True,  # it took it, and its answer found nobody
    ],
)
def test_a_worker_killed_during_a_call_costs_at_most_that_one_message(cloud, gate, chunk, pump, taken):
    channel, action, open_ones, ids = chunk
    kill_in_call(gate, channel, ids, action, nth=IN_FLIGHT + 1, taken=taken)
    let_time_pass()
    sweep()
    pump.drain()
    expected = [1] * CHUNK
    # Nobody can know. A mail is sent again, an SMS is left for a person; X shows what it has.
    expected[IN_FLIGHT] = {AGAIN: taken + 1, A_PERSON: taken, ASKED: 1}[open_ones]
    assert received(cloud, ids) == expected
    after = ["sent"] * CHUNK
    if open_ones == A_PERSON:
        after[IN_FLIGHT] = "unknown"
        left = Delivery.objects.get(pk=ids[IN_FLIGHT])
        assert (left.reason, left.due_at, left.claim) == ("crashed", None, None)
        assert "Ask the provider" in left.detail
    assert statuses(ids) == after


def test_a_worker_killed_between_answer_and_storing_costs_at_most_that_one_message(cloud, chunk, pump):
    channel, _, open_ones, ids = chunk
    kill_at_statement(channel, ids, STORES_A_RESULT, IN_FLIGHT + 1)
    let_time_pass()
    sweep()
    pump.drain()
    expected, after = [1] * CHUNK, ["sent"] * CHUNK
    if open_ones == A_PERSON:
        after[IN_FLIGHT] = "unknown"
    elif open_ones == AGAIN:
        expected[IN_FLIGHT] = 2
    assert received(cloud, ids) == expected
    assert statuses(ids) == after
    if open_ones == ASKED:
        posted = {post.text: post.id for post in cloud.x.posts}
        settled = Delivery.objects.get(pk=ids[IN_FLIGHT])
        assert settled.provider_id == posted[settled.event.data["title"]]


def test_a_message_that_the_queue_brings_again_after_a_kill_sends_the_rest_of_the_chunk(cloud, gate, chunk):
    channel, action, open_ones, ids = chunk
    kill_in_call(gate, channel, ids, action, nth=IN_FLIGHT + 1, taken=True)
    bodies = bodies_for(channel, ids)
    # Before the lease has ended nobody else touches what the dead one held.
    assert invoke(channel, *bodies) == []
    assert received(cloud, ids) == [1, 1, 1, 0, 0]
    let_time_pass()
    assert invoke(channel, *bodies) == []
    assert received(cloud, ids) == ([1, 1, 2, 1, 1] if open_ones == AGAIN else [1] * CHUNK)


def test_three_workers_killed_in_a_row_cost_at_most_three_mails(cloud, gate, pump):
    ids = [make_delivery().pk for _ in range(CHUNK)]
    for _ in range(3):
        kill_in_call(gate, "email", ids, SEND_MAIL, nth=2, taken=True)
        let_time_pass()
    sweep()
    pump.drain()
    assert min(received(cloud, ids)) == 1
    assert sum(received(cloud, ids)) <= CHUNK + 3
    assert statuses(ids) == ["sent"] * CHUNK
