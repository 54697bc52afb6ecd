"""Results are stored in groups: when, and by how many statements."""

import pytest

from notifier import hooks
from notifier.deliveries import clock
from notifier.deliveries.results import GROUP_SECONDS, GROUP_SIZE
from notifier.exceptions import Rejected, TryAgain
from notifier.models import Delivery
from tests.support.builders import make_delivery
from tests.support.flights import Provider, deliver
from tests.support.flowing import AT_MOST_ONCE, POLICY
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

STORE = "UPDATE"


@pytest.fixture
def time(monkeypatch):
    """A time that stands still but for what a test adds: ``time[0] += seconds``."""
    found = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: found[0])
    return found


def make(number):
    first = make_delivery()
    return [first.pk, *(make_delivery(event=first.event).pk for _ in range(number - 1))]


def sizes(ids, provider, **options):
    """How many results each group held, in their order."""
    found = []
    from notifier.deliveries import results

    real = results.record_answers

    def record(answers, policy):
        found.append(len(answers))
        return real(answers, policy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "record_answers", record)
        deliver(ids, provider, **options)
    return found


def test_a_group_is_what_the_guarantees_say():
    assert (GROUP_SIZE, GROUP_SECONDS) == (10, 0.05)


SIZES = [
    # how many, options → the groups
    (25, {}, [10, 10, 5]),
    (3, {}, [3]),
    (10, {}, [10]),
    (3, {"policy": AT_MOST_ONCE}, [1, 1, 1]),  # nothing is unknown for longer than need be
    (120, {"batch_size": 50}, [50, 50, 20]),
    (12, {"batch_size": 4}, [12]),
]


@pytest.mark.parametrize(("number", "options", "expected"), SIZES)
def test_a_group_is_stored_when_it_is_full_and_at_the_end(time, number, options, expected):
    ids = make(number)
    assert sizes(ids, Provider(), **options) == expected
    assert Delivery.objects.filter(status="sent").count() == number


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (GROUP_SECONDS / 3.5, [4, 2]),
        (GROUP_SECONDS * 2, [1] * 6),  # as nothing is stored during the next call
        (GROUP_SECONDS / 100, [6]),
    ],
)
def test_a_group_is_stored_when_its_first_has_waited_long_enough(time, seconds, expected):
    ids = make(6)

    def take_long():
        time[0] += seconds
        return "id"

    found = sizes(ids, Provider(answers=dict.fromkeys(ids, take_long)))
    assert found == expected


def test_what_other_functions_must_hear_of_waits_for_no_group(time):
    ids = make(6)
    answers = {ids[1]: TryAgain("throttled"), ids[3]: Rejected("refused")}
    assert sizes(ids, Provider(answers=answers)) == [2, 4]


def test_ten_that_were_sent_are_one_statement(time):
    ids = make(GROUP_SIZE)
    with statements() as found:
        deliver(ids, Provider())
    assert found.count(STORE) == 2  # the claim is the other


def test_in_a_group_each_has_its_own_end_and_is_told_of_it(time):
    ids, told = make(4), []
    answers = {ids[1]: Rejected("refused"), ids[2]: TryAgain("unreachable")}

    def hear(delivery_id, status, **_more):
        told.append((delivery_id, status))

    hooks.notification_sent.connect(hear)
    hooks.notification_failed.connect(hear)
    try:
        assert sizes(ids, Provider(answers=answers), policy=POLICY) == [4]
    finally:
        hooks.notification_sent.disconnect(hear)
        hooks.notification_failed.disconnect(hear)
    found = Delivery.objects.order_by("pk").values_list("status", "provider_id")
    assert list(found) == [
        ("sent", f"id-{ids[0]}"), ("failed", ""), ("waiting", ""), ("sent", f"id-{ids[3]}"),
    ]  # fmt: skip
    assert sorted(told) == [(ids[0], "sent"), (ids[1], "failed"), (ids[3], "sent")]
