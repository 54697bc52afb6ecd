"""Lanes at one provider's rate: urgent ones go soon, no lane starves, nothing of the rate is lost, and it is
never passed.
"""

import pytest
from hypothesis import given, settings, strategies as st

from notifier.channels.limits import Limit
from notifier.gates import rates
from notifier.models import Lane, Rate
from tests.support.lanes_at_work import Play, Scenario

pytestmark = pytest.mark.django_db(transaction=True)

URGENT, NORMAL, BULK = Lane
SES = Limit(number=14)
ROOM = Limit(number=10, seconds=10, burst=5)
STORM = {URGENT: 4, BULK: 4}

# By name: the scenario; the longest that an urgent message waits, in seconds, as (p50, p95); the least share
# of the rate that is used by all, by bulk, by normal.
PLAYS = {
    "bulk alone": (Scenario(limit=SES, functions={BULK: 4}), None, (0.98, 0.98, 0)),
    "bulk alone, in one function": (Scenario(limit=SES, functions={BULK: 1}), None, (0.98, 0.98, 0)),
    "bulk alone, in ten": (Scenario(limit=SES, functions={BULK: 10}), None, (0.98, 0.98, 0)),
    "urgent alone": (Scenario(limit=SES, functions={URGENT: 4}), (0.2, 1), (0.98, 0, 0)),
    "urgent under bulk": (
        Scenario(limit=SES, functions={BULK: 10}, urgent_every=0.5),
        (0.5, 0.6),
        (0.98, 0.8, 0),
    ),
    "urgent under normal": (
        Scenario(limit=SES, functions={NORMAL: 4}, urgent_every=0.5),
        (0.75, 0.85),
        (0.98, 0, 0.8),
    ),
    "urgent under both": (
        Scenario(limit=SES, functions={NORMAL: 4, BULK: 4}, urgent_every=0.5, seconds=60),
        (0.8, 0.9),
        (0.98, 0.08, 0.6),
    ),
    "a storm of urgent": (Scenario(limit=SES, functions=STORM, seconds=60), (0.2, 2), (0.98, 0.08, 0)),
    "a storm, one function of bulk": (
        Scenario(limit=SES, functions={URGENT: 8, BULK: 1}, seconds=60),
        (0.2, 3),
        (0.98, 0.08, 0),
    ),
    "a storm in all lanes": (
        Scenario(limit=SES, functions=STORM | {NORMAL: 4}, seconds=60),
        (0.2, 2.5),
        (0.98, 0.08, 0.19),
    ),
    "one a second": (
        Scenario(limit=Limit(number=1), functions={BULK: 4}, urgent_every=7, seconds=200),
        (1.1, 1.35),
        (0.97, 0.8, 0),
    ),
    "one a second, a storm": (
        Scenario(limit=Limit(number=1), functions=STORM, seconds=200),
        (4, 10.1),
        (0.97, 0.08, 0),
    ),
    "500 a second": (
        Scenario(limit=Limit(number=500), functions={BULK: 4}, urgent_every=0.1, seconds=8),
        (0.3, 0.5),
        (0.98, 0.9, 0),
    ),
    "500 a second, a storm": (
        Scenario(limit=Limit(number=500), functions=STORM, seconds=8),
        (0.1, 1),
        (0.98, 0.08, 0),
    ),
    "a channel of bursts": (
        Scenario(limit=ROOM, functions={BULK: 4}, urgent_every=7, seconds=200),
        (0, 1),
        (0.97, 0.6, 0),
    ),
    "one room": (
        Scenario(limit=ROOM, functions={BULK: 4}, urgent_every=7, seconds=200, in_one_room=True),
        (0, 0),  # of what may come at once, one is always left for it
        (0.97, 0.6, 0),
    ),
    "one room, a storm": (
        Scenario(limit=ROOM, functions=STORM, seconds=200, in_one_room=True),
        (1, 1.6),
        (0.97, 0.08, 0),
    ),
    "a provider that has enough, thrice": (
        Scenario(limit=SES, functions={BULK: 4}, urgent_every=0.5, closes=(10, 15, 20)),
        (0.6, 3.2),
        (0.65, 0.5, 0),
    ),
}


@pytest.mark.parametrize("name", PLAYS)
def test_at_the_rate_urgent_ones_go_soon_and_no_lane_starves(name, monkeypatch):
    scenario, soon, shares = PLAYS[name]
    play = Play(scenario, monkeypatch)
    used = (play.used(), play.used(BULK), play.used(NORMAL))
    waits = play.waits() if soon else None
    assert play.most_in_any(scenario.limit.seconds) <= scenario.limit.number
    assert soon is None or (waits[0] <= soon[0] + 1e-6 and waits[1] <= soon[1] + 1e-6), waits
    assert all(found >= least for found, least in zip(used, shares, strict=True)), used


functions = st.dictionaries(st.sampled_from(Lane), st.integers(1, 4), min_size=1)
limits = st.one_of(
    st.builds(Limit, number=st.sampled_from([1, 3, 14, 100])),
    st.builds(Limit, number=st.integers(6, 20), seconds=st.sampled_from([10, 60]), burst=st.integers(1, 5)),
)


@given(functions=functions, limit=limits, closes=st.lists(st.integers(1, 15), max_size=2), room=st.booleans())
@settings(max_examples=12, deadline=None)
def test_whoever_asks_together_no_slot_is_given_twice(functions, limit, closes, room):
    Rate.objects.all().delete()
    scenario = Scenario(
        limit=limit, functions=functions, urgent_every=1.3, seconds=20, closes=tuple(closes), in_one_room=room
    )
    with pytest.MonkeyPatch.context() as patch:
        play = Play(scenario, patch)
    assert play.most_in_any(limit.seconds) <= limit.number


def test_the_lines_of_the_lanes_stand_behind_each_other():
    asker = {lane: rates.Asker("email", SES, lane) for lane in Lane}
    urgent = rates.queue_up(asker[URGENT], 14)[-1]
    bulk = rates.queue_up(asker[BULK], 1400)
    assert bulk[0] > urgent
    # Who is normal passes 1,400 of bulk, and an urgent one all.
    assert urgent < rates.queue_up(asker[NORMAL], 14)[-1] < bulk[100]
    assert rates.queue_up(asker[URGENT], 1)[0] < bulk[50]
    assert rates.queue_up(asker[BULK], 1)[0] >= bulk[-1]
