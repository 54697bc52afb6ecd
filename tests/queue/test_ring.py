"""What crosses the wire: ids and nothing else, read back strictly."""

import json

import pytest
from hypothesis import example, given, strategies as st

from notifier.exceptions import MalformedMessage
from notifier.queue.ring import CHUNK_SIZE, FANOUT, MAX_MESSAGE_BYTES, Ring, parse, rings_for
from tests.support.messages import MALFORMED

IDS = st.integers(min_value=1, max_value=2**63 - 1)


@given(
    route=st.sampled_from([FANOUT, "email", "twitter"]),
    ids=st.lists(IDS, min_size=1, max_size=40).map(tuple),
    canary=st.booleans(),
)
def test_what_is_written_is_read_back(route, ids, canary):
    ring = Ring(route=route, ids=ids, canary=canary)
    assert parse(ring.body(), route=route) == ring


# More than any chunk may hold, whatever its size is set to.
@example(ids=[10**16 - 1] * 200)
@given(ids=st.lists(st.integers(min_value=1, max_value=10**16 - 1)))
def test_rings_hold_all_ids_in_order_each_in_less_than_a_kilobyte(ids):
    rings = rings_for("a_channel_of_long_name", ids)
    assert [pk for ring in rings for pk in ring.ids] == ids
    assert all(1 <= len(ring.ids) <= CHUNK_SIZE for ring in rings)
    assert all(len(ring.body().encode()) < 1024 for ring in rings)


def test_a_message_holds_a_version_a_route_and_ids_and_nothing_else():
    assert json.loads(Ring(route="email", ids=(1, 2)).body()) == {
        "v": 1,
        "route": "email",
        "deliveries": [1, 2],
    }
    assert json.loads(Ring(route=FANOUT, ids=(3,)).body()) == {"v": 1, "route": "fanout", "events": [3]}


def test_a_full_ring_of_the_longest_ids_stays_under_a_kilobyte():
    bodies = [ring.body() for ring in rings_for("a_channel_of_long_name", [10**16 - 1] * 3 * CHUNK_SIZE)]
    assert len(bodies) == 3
    assert max(len(body.encode()) for body in bodies) < MAX_MESSAGE_BYTES == 1024


def test_no_ids_are_no_message():
    assert rings_for("email", []) == []


@pytest.mark.parametrize(("body", "reason"), MALFORMED)
def test_what_this_project_did_not_write_is_refused_with_a_reason_that_does_not_quote_it(body, reason):
    with pytest.raises(MalformedMessage, match=reason) as caught:
        parse(body, route="email")
    assert "MARKED" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.one_of(st.text(max_size=2_000), st.from_regex(r"[\[{\"\\u0-9:,]{1,1024}", fullmatch=True)))
def test_no_text_at_all_does_anything_else_than_being_refused(body):
    with pytest.raises(MalformedMessage):
        parse(body, route="email")


@given(
    st.dictionaries(
        st.sampled_from(["v", "route", "deliveries", "events", "canaries", "command"]),
        st.one_of(
            st.integers(),
            st.booleans(),
            st.none(),
            st.just("email"),
            st.lists(st.one_of(IDS, st.booleans(), st.floats())),
        ),
    )
)
def test_only_the_exact_form_is_taken(found):
    body = json.dumps(found)
    try:
        ring = parse(body, route="email")
    except MalformedMessage:
        return
    assert json.loads(ring.body()) == found
    assert found.keys() in ({"v", "route", "deliveries"}, {"v", "route", "canaries"})
    assert all(type(pk) is int for pk in ring.ids)
