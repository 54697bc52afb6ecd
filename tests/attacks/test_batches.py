"""One delivery ends its function, by no fault of the others: they go out all the same, and only once.

A template without an end, no memory left, a fault in a library: the process is gone, without a word.
"""

from collections import Counter

import pytest

from notifier import deliveries
from notifier.channels.recipient import Recipient
from notifier.deliveries import MAX_ATTEMPTS
from notifier.models import Delivery
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.flowing import another
from tests.support.functions import let_time_pass, sweep
from tests.support.mortal import CONTENT, mortal_functions

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]

GOOD = ["one", "two", "three", "four"]
FIRST, MIDDLE, LAST = 0, 2, 4
POSITIONS = pytest.mark.parametrize("position", [FIRST, MIDDLE, LAST], ids=["first", "middle", "last"])


@pytest.fixture(scope="module")
def process(django_db_setup, tmp_path_factory):
    with mortal_functions(tmp_path_factory.mktemp("mortal") / "sent") as found:
        yield found


@pytest.fixture
def mortal(process):
    process.forget()
    return process


def make(*titles, **values):
    """A delivery for each title, all of one rule; returns their keys."""
    event = make_event(contents={"email": CONTENT}, data={"title": titles[0]}, status="done", due_at=None)
    events = [event]
    events += [another(event, title, status="done") for title in titles[1:]]
    return [make_to_a_user(each, **values).pk for each in events]


def make_to_a_user(event, *, user=None, **values):
    user = user or make_user()
    return make_delivery(event=event, recipient=str(Recipient.of_user(user.pk)), address=user.email, **values)


def deliver_again(mortal, ids, **options):
    """As the sweep does, after the lease; returns the function's return code."""
    let_time_pass()
    deliveries.take_due(1000)
    return mortal.deliver(ids, **options)


def outcomes(ids):
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk").values_list("status", flat=True))


def assert_sent_to_all(mortal, *, once_more):
    """All good ones are sent, and only those ``once_more`` that were in a group that was not stored."""
    found = Counter(mortal.sent())
    assert set(found) == set(GOOD)
    assert set((found - Counter(GOOD)).elements()) <= set(once_more)
    assert max(found.values()) <= 2


def with_poison(place, *positions):
    titles = list(GOOD)
    for position in positions:
        titles.insert(position, f"poison {place}")
    return titles


@POSITIONS
@pytest.mark.parametrize("size", [1, 100], ids=["a call for each", "a call for all"])
@pytest.mark.parametrize("place", ["rendering", "pricing", "call"])
def test_what_ends_its_function_ends_no_other_delivery(mortal, place, size, position):
    ids = make(*with_poison(place, position))
    assert mortal.deliver(ids, batch_size=size) == -9
    before = GOOD[:position] if size == 1 else []
    assert mortal.sent() == before
    # Of what was not stored yet, and of a batch, any may have done it: one more end tells which.
    for _death in range(2):
        assert deliver_again(mortal, ids, batch_size=size) == -9
    assert_sent_to_all(mortal, once_more=before)
    expected = ["sent"] * len(GOOD)
    expected.insert(position, "claimed")
    assert outcomes(ids) == expected


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("positions", [(0, 1), (0, 5), (2, 3), (4, 5)], ids=str)
def test_of_two_that_end_their_function_each_ends_itself_alone(mortal, positions, size):
    ids = make(*with_poison("rendering", *positions))
    assert mortal.deliver(ids, batch_size=size) == -9
    before = mortal.sent()
    for _death in range(len(positions) + 1):
        assert deliver_again(mortal, ids, batch_size=size) == -9
    assert_sent_to_all(mortal, once_more=before)
    # The good ones were not tried so often: one death was a neighbour's.
    tries = dict(Delivery.objects.filter(status="sent").values_list("pk", "attempts"))
    assert max(tries.values()) <= 2
    assert outcomes(ids).count("sent") == len(GOOD)


def test_what_comes_new_goes_before_what_ended_its_function(mortal):
    (poison,) = make("poison rendering")
    assert mortal.deliver([poison]) == -9
    let_time_pass()
    new = make(*GOOD)
    assert mortal.deliver([poison, *new]) == -9
    assert mortal.sent() == GOOD
    assert outcomes(new) == ["sent"] * len(GOOD)


@pytest.mark.parametrize("place", ["rendering", "pricing", "call"])
def test_it_is_given_up_after_as_many_tries_as_ever_and_the_others_are_not(mortal, place):
    ids = make(*with_poison(place, FIRST))
    Delivery.objects.filter(pk=ids[0]).update(attempts=MAX_ATTEMPTS - 1)
    assert mortal.deliver(ids) == -9
    assert deliver_again(mortal, ids) == 0
    assert outcomes(ids) == ["failed", *["sent"] * len(GOOD)]
    assert Delivery.objects.get(pk=ids[0]).reason == "gave_up"
    # Priced before it is sent, it never was, nor was it doubled.
    assert sorted(mortal.sent()) == sorted(GOOD)


def make_digest(*titles, user):
    ids = make(*titles, user=user, digest=True)
    # One rule, one person: one message.
    first = Delivery.objects.get(pk=ids[0])
    Delivery.objects.filter(pk__in=ids).update(subscription=first.subscription_id)
    return ids


@pytest.mark.parametrize("position", [0, 1, 2], ids=["oldest", "middle", "newest"])
def test_a_digest_that_ends_its_function_ends_no_other(mortal, position):
    titles = ["five", "six"]
    titles.insert(position, "poison rendering")
    digest = make_digest(*titles, user=make_user())
    other = make_digest("seven", "eight", user=make_user())
    single = make(*GOOD)
    ids = [*digest, *other, *single]
    # Of a digest the newest is rendered, with the others in it: all three are its end only if that is it.
    newest = position == 2
    assert mortal.deliver(ids) == (-9 if newest else 0)
    if newest:
        assert deliver_again(mortal, ids) == -9
        assert outcomes(digest) == ["claimed"] * 3
    assert outcomes([*other, *single]) == ["sent"] * 6


def test_of_a_digest_only_what_was_tried_too_often_is_given_up(mortal):
    user = make_user()
    old = make_digest("five", "poison rendering", user=user)
    Delivery.objects.filter(pk__in=old).update(attempts=MAX_ATTEMPTS)
    (new,) = make("nine", user=user, digest=True)
    subscription = Delivery.objects.get(pk=old[0]).subscription_id
    Delivery.objects.filter(pk=new).update(subscription=subscription)
    assert mortal.deliver([new]) == 0
    assert outcomes([*old, new]) == ["failed", "failed", "sent"]
    assert mortal.sent() == ["nine"]


def test_what_is_asked_about_ends_no_other_delivery(mortal):
    """The provider is asked what it has of one whose function died, and the asking is the end."""
    asked = make("poison asking", "five", reason="unsettled")
    ids = [*asked, *make(*GOOD)]
    assert mortal.deliver(ids, at_most_once=True) == -9
    assert mortal.sent() == GOOD
    for _again in range(2):
        deliver_again(mortal, ids, at_most_once=True)
    assert outcomes(ids) == ["claimed", *["sent"] * 5]


def test_in_a_call_that_must_not_be_repeated_only_what_was_in_it_is_left_to_a_person(mortal):
    ids = make(*with_poison("call", MIDDLE))
    assert mortal.deliver(ids, at_most_once=True) == -9
    Delivery.objects.filter(status="sending").update(digest=True)  # it is not asked about
    assert deliver_again(mortal, ids, at_most_once=True) == 0
    assert outcomes(ids) == ["sent", "sent", "unknown", "sent", "sent"]


def test_the_sweep_rings_alone_for_what_may_have_ended_its_function(mortal, cloud, gate):
    ids = make(*with_poison("rendering", FIRST))
    assert mortal.deliver(ids[:2]) == -9
    let_time_pass()
    gate.take_rings()
    assert sweep() == len(ids)
    rung = sorted(len(message.split("[")[1].split(",")) for message in gate.ring_messages())
    assert rung == [1, 1, 3]
    # Again and again, until it is given up.
    let_time_pass()
    sweep()
    assert len(list(gate.ring_messages())) == 6
