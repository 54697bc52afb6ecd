"""A message is rendered just before it is sent: in which order, at what cost, and what of time and money that
run out meanwhile.
"""

import pytest
from django.db import connection
from django.utils import timezone

from notifier import deliveries
from notifier.channels.limits import Limit
from notifier.channels.recipient import Recipient
from notifier.deliveries.clock import RESERVE_SECONDS, Clock
from notifier.deliveries.purse import Purse
from notifier.deliveries.worker import Channel
from notifier.models import Budget, Delivery, Pause, Spending
from notifier.rules import providers
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.flowing import AT_MOST_ONCE, POLICY, another
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

CONTENT = {"subject": "{{ title }}", "text": "{{ title }}{{ effort }} {{ user.first_name }}"}
LONG_SECONDS = 900
TITLES = ["one", "two", "three", "four"]


class Play:
    """What was made and sent, in its order, and the seconds that a function has left."""

    def __init__(self):
        self.seen, self.seconds_left, self.slow = [], LONG_SECONDS, ()

    def make(self, context, user):
        self.seen.append(f"made {context['title']}")
        if context["title"] in self.slow:
            self.seconds_left = RESERVE_SECONDS - 1
        return {"effort": ""}

    def send(self, messages, _session):
        self.seen += [f"sent {message.subject}" for message in messages]
        return ["taken"] * len(messages)

    def deliver(self, ids, *, name="email", policy=POLICY, **options):
        with Clock(lambda: self.seconds_left) as clock:
            Channel(name=name, send_batch=self.send, policy=policy, **options).deliver(ids, clock)

    def sent(self):
        return [each[5:] for each in self.seen if each.startswith("sent")]


@pytest.fixture
def play(monkeypatch):
    found = Play()
    monkeypatch.setattr(providers, "_registry", dict(providers._registry))
    providers.register_provider("effort", found.make, provides=["effort"])
    return found


def make(*titles, channel="email", content=CONTENT):
    """A delivery to a user for each title, of events of one rule; returns their keys."""
    first = make_event(contents={channel: content}, data={"title": titles[0]}, status="done", due_at=None)
    events = [first, *(another(first, title, status="done") for title in titles[1:])]
    return [to_a_user(event, channel).pk for event in events]


def to_a_user(event, channel="email"):
    user = make_user()
    return make_delivery(
        event=event, channel=channel, recipient=str(Recipient.of_user(user.pk)), address=user.email
    )


def rows(ids):
    found = Delivery.objects.filter(pk__in=ids).order_by("pk")
    return list(found.values_list("status", "reason", "attempts"))


def due(ids):
    """Those that the next sweep rings for."""
    found = Delivery.objects.filter(pk__in=ids, status="queued", claim=None, due_at__lte=timezone.now())
    return set(found.values_list("pk", flat=True))


# The order.


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, "made one, sent one, made two, sent two, made three, sent three"),
        (2, "made one, made two, sent one, sent two, made three, sent three"),
        (9, "made one, made two, made three, sent one, sent two, sent three"),
    ],
)
def test_each_is_made_when_what_came_before_it_is_sent(play, size, expected):
    play.deliver(make(*TITLES[:3]), batch_size=size)
    assert ", ".join(play.seen) == expected


@pytest.mark.parametrize("policy", [POLICY, AT_MOST_ONCE], ids=["at least once", "at most once"])
def test_no_statement_more_than_before(play, policy):
    """One query an event and one for its people, however many they are; then a call for each, whose results
    are one statement, or where nothing may go twice one each, and one before it.
    """
    first = make_event(contents={"email": CONTENT}, data={"title": "one"}, status="done", due_at=None)
    ids = [to_a_user(event).pk for event in (first, another(first, "two", status="done")) for _ in range(3)]
    with statements() as found:
        play.deliver(ids, policy=policy)
    calls = found.count("UPDATE notifier_delivery")
    assert calls == (6 if policy is AT_MOST_ONCE else 0)
    read = [each for each in found if each in ("SELECT notifier_event", "SELECT auth_user")]
    # The people's whereabouts at the claim; then for each event: itself, its people, its users.
    assert read.count("SELECT notifier_event") == 2
    in_groups = 1 if policy is POLICY else 6
    assert (read.count("SELECT auth_user"), len(found)) == (4, 21 + calls + in_groups)


@pytest.mark.parametrize("broken", [0, 1], ids=["first", "last"])
def test_what_cannot_be_read_for_an_event_harms_its_own_deliveries_only(play, broken):
    ids = make("one", "two")
    # As no release has written it.
    event = Delivery.objects.get(pk=ids[broken]).event_id
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifier_event SET data = %s WHERE id = %s", ["[1]", event])
    play.deliver(ids)
    expected = [("failed", "template_failed", 1), ("sent", "", 1)]
    assert rows(ids) == (expected if broken == 0 else expected[::-1])


# Time.


@pytest.mark.parametrize("size", [1, 9], ids=["a call for each", "a call for all"])
@pytest.mark.parametrize("slow", TITLES)
def test_what_takes_all_the_time_comes_last_and_alone_the_next_time(play, slow, size):
    play.slow = [slow]
    ids, position = make(*TITLES), TITLES.index(slow)
    before = TITLES[:position] if size == 1 else []
    play.deliver(ids, batch_size=size)
    assert (due(ids), play.sent()) == (set(ids[len(before) :]), before)
    assert rows(ids)[position] == ("queued", "unanswered", 1)
    assert rows(ids)[position + 1 :] == [("queued", "", 0)] * (3 - position)
    play.seconds_left = LONG_SECONDS
    play.deliver(ids, batch_size=size)
    assert due(ids) == {ids[position]}
    assert sorted(play.sent()) == sorted(set(TITLES) - {slow})


def test_what_waited_for_a_slot_and_takes_all_the_time_is_not_the_first_again(play):
    play.slow = ["one"]
    ids = make(*TITLES[:2])
    Delivery.objects.filter(pk=ids[0]).update(reason="rate")
    play.deliver(ids, rate=Limit(number=1000))
    assert due(ids) == {ids[0]}
    assert rows(ids) == [("queued", "unanswered", 1), ("waiting", "rate", 0)]


def test_it_is_given_up_like_what_ends_its_function(play):
    play.slow = ["one"]
    (pk,) = make("one")
    for _ in range(deliveries.MAX_ATTEMPTS + 1):
        play.seconds_left = LONG_SECONDS
        play.deliver([pk])
    assert rows([pk])[0][:2] == ("failed", "gave_up")


def test_what_is_alone_is_claimed_once(play):
    (pk,) = make("one")
    Delivery.objects.filter(pk=pk).update(reason="unanswered", attempts=1)
    other = make("two")
    with statements() as plain:
        play.deliver(other)
    with statements() as suspect:
        play.deliver([pk])
    assert (play.sent(), len(suspect)) == (["two", "one"], len(plain))


# Money.


@pytest.mark.parametrize(
    ("costs", "paid", "asked"),
    [
        ([100_000] * 5, 5, 1),
        ([100_000] * 12, 10, 2),
        ([500_000, 500_000, 1], 2, 2),  # to the last cent
        ([600_000, 100_000, 100_000, 100_000, 100_000, 1], 5, 2),  # a dear one first
        ([1, 2, 4, 8, 16, 400_000, 600_000, 5], 6, 4),  # dearer and dearer
        ([1_000_001, 1], 0, 1),
        ([400_000, 700_000, 100_000], 1, 2),  # the first that does not fit ends it
        ([0] * 5, 5, 1),
    ],
    ids=str,
)
def test_the_budget_pays_for_the_first_that_fit_and_is_seldom_asked(costs, paid, asked):
    Budget.objects.create(channel="sms", monthly_usd=1)
    with statements() as found, Clock.lasting(LONG_SECONDS) as clock:
        purse, number = Purse("sms", clock), 0
        for position, cost in enumerate(costs):
            if not purse.pay([cost], rest=len(costs) - position - 1):
                break
            store_as_sent(cost)
            number += 1
    assert number == paid
    assert found.count("INSERT notifier_spending") == asked
    assert Pause.objects.filter(scope="budget:sms").exists() == (paid < len(costs))
    assert not Spending.objects.exists()


def store_as_sent(cost):
    make_delivery(channel="sms", status="sent", due_at=None, cost_micros=cost, finished_at=timezone.now())


def test_what_is_free_goes_as_long_as_not_more_than_all_is_spent():
    Budget.objects.create(channel="sms", monthly_usd=1)
    store_as_sent(1_000_001)
    with Clock.lasting(LONG_SECONDS) as clock:
        assert Purse("sms", clock).pay([0, 0], rest=5) == 0


def test_of_a_batch_what_is_not_paid_for_is_held_with_all_that_comes_after_it():
    Budget.objects.create(channel="sms", monthly_usd=1)
    with Clock.lasting(LONG_SECONDS) as clock:
        purse = Purse("sms", clock)
        assert purse.pay([400_000, 400_000, 400_000], rest=50) == 2
        assert Spending.objects.get().micros == 800_000
