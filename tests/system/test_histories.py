"""Whatever happens, in whatever order: nothing is lost, nothing is made up, nothing is stuck, and nothing
comes twice but what was in flight when a function died.

Hypothesis draws what happens; a failure prints the shortest history that has it, and the line with which it
comes again. ``EVERY=1`` draws thousands.
"""

import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, note, settings, strategies as st

from notifier.models import Event, Lane
from tests.support.histories import ANSWERS, PEOPLE, Shop, World, unfinished
from tests.support.sizes import every_or, full_or
from tests.support.virtual_time import TurnTime, everywhere

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = every_or(full_or(25, full=150), every=3000)


def step(name, **how):
    """Something that happens: a method of ``World``, and what it is called with."""
    return st.tuples(st.just(name), st.fixed_dictionaries(how))


ROUTES = st.sampled_from(["fanout", "email", "sms"])
LANES = st.sampled_from(Lane)
SOMEBODY = st.integers(0, PEOPLE - 1)
DEATHS = st.none() | st.none() | st.tuples(st.integers(0, 25), st.booleans())
WORDS = st.lists(st.sampled_from(["takes it", *ANSWERS]), min_size=1, max_size=6)
SAVE = step("save", lane=LANES, rolls_back=st.just(False), ring=st.just("rung"))
RUN = step("run", which=st.integers(0, 2), answers=WORDS, dies_at=DEATHS)
# The more often it stands here, the more often it is drawn; what stands first is all that is left of a step
# that does not matter to a failure.
WHAT_HAPPENS = [
    *[step("resume")] * 2,
    *[RUN] * 8,
    *[SAVE] * 3,
    step("save", lane=LANES, rolls_back=st.booleans(), ring=st.sampled_from(["rung", "lost", "refused"])),
    step("opt_out", person=SOMEBODY),
    step("suppress", person=SOMEBODY),
    step("come_back", person=SOMEBODY, what=st.sampled_from(["bounce", "complaint"])),
    step("pause", scope=st.sampled_from(["everything", "email", "sms", *Lane])),
    *[step("sweep", dies_at=DEATHS)] * 2,
    step("repeat", route=ROUTES),
    step("lose", route=ROUTES),
    step("reverse", route=ROUTES),
    *[step("wait", minutes=st.sampled_from([1, 2, 10, 70]))] * 2,
]
HISTORY = st.lists(st.sampled_from(WHAT_HAPPENS).flatmap(lambda drawn: drawn), min_size=10, max_size=40)


def test_no_history_loses_makes_up_or_doubles_a_message_nor_leaves_one_stuck():
    shop = Shop()

    @settings(
        max_examples=HISTORIES, deadline=None, database=None, print_blob=True,
        # Always the same ones, but where very many are drawn by hand.
        derandomize=every_or(True, every=False),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(HISTORY)
    @example([*BEGINNING, ("run", {"which": "email", "answers": ["takes it slowly"] * 3})])
    @example([*BEGINNING, ("run", {"which": "email", "answers": ["takes it and hangs"]})])
    def play(history):
        with everywhere(TurnTime(time.time())) as now, World(shop, now) as world:
            for name, how in history:
                note(f"{name} {how}")
                getattr(world, name)(**how)
            world.end()
            check(world)

    play()


BEGINNING = [("save", {"lane": Lane.URGENT}), ("run", {"which": "fanout"})]


def check(world):
    """What must hold of a history that has come to its end."""
    assert not unfinished(), "stuck"
    assert not world.wrong
    rows, taken = world.rows(), Counter(world.taken)
    titles = {title for _lane, title in world.saved}
    told = {(message.channel, message.title) for message in rows}
    assert Event.objects.count() == len(titles), "an event is lost, or made up"
    assert {title for _channel, title in told} <= titles, "made up: it was rolled back"
    for lane, title in world.saved:
        for channel in ["email", "sms"] if lane == Lane.URGENT else ["email"]:
            number = sum((message.channel, message.title) == (channel, title) for message in rows)
            assert number == PEOPLE, f"lost: {PEOPLE - number} of {channel} of {title}"
    for message, row in rows.items():
        if row.status == "sent":
            assert taken[message], f"{message} is said to be sent, and was not"
        elif row.status == "unknown":
            assert (row.channel, message in world.left_open) == ("sms", True), f"{message} {row.reason}"
        else:
            assert row.reason, f"{message} ended as {row.status} without a reason"
    assert taken.keys() <= rows.keys(), "made up"
    for message, number in taken.items():
        most = 1 + world.doubles[message] if message.channel == "email" else 1
        assert number <= most, f"{message} went {number} times where {most} can be"
    for address, since in world.stopped.items():
        late = [message for message in world.taken[since:] if message.address == address]
        assert not late, f"sent after its person had said no: {late}"
