"""An event becomes its deliveries, page by page: flat in memory, and cut off anywhere it goes on without a
double.
"""

import json
from collections import Counter

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from notifier.deliveries import fanout, holding, requests
from notifier.deliveries.pages import PAGE_SIZE
from notifier.models import ContactPoint, Delivery, Event, Subscription, Template, TemplateContent
from notifier.queue.ring import CHUNK_SIZE
from notifier.rules import audiences
from project.demo.models import Post
from tests.support.builders import make_audience, make_event, make_people, make_trigger, make_user
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep, worker
from tests.support.gate import PUBLISH_BATCH
from tests.support.patience import PATIENCE_SECONDS
from tests.support.sizes import IS_SLOW, full_or

pytestmark = pytest.mark.django_db(transaction=True)

# Of 100,000 people the process may take 30 MB more than of 1,000. Of fewer, what the function holds is
# traced.
FEW, MANY, MOST_KILOBYTES = full_or((1_000, 8_000, 1_000), full=(1_000, 100_000, 30 * 1024))
A_DAY_SECONDS = 24 * 3600
# Statements between which a worker dies.
INSERTS_DELIVERIES = r"INSERT INTO notifier_delivery"
MOVES_THE_CURSOR = r'UPDATE "notifier_event" SET "cursor"'
ENDS = r'UPDATE "notifier_event" SET "status" = .*"reason" = .*"claim" = '


@pytest.fixture
def doorbells(gate):
    """The gate, as an SNS that takes everything."""
    gate.take_rings()
    return gate


def rung(gate, route="email"):
    """How often each delivery, or event, was rung for."""
    return Counter({pk: times for (found, pk), times in gate.rung().items() if found == route})


def fan_out(event, **options):
    return invoke("fanout", *bodies_for("fanout", [event.pk]), **options)


def recipients():
    return dict(Delivery.objects.values_list("recipient", "reason"))


def test_memory_stays_flat_and_queries_follow_pages_at_100_000_people(doorbells):
    if connection.vendor != "sqlite":
        pytest.skip("The process's memory is the same with either database, and this takes long.")
    found = {}
    for number in (FEW, MANY):
        User.objects.all().delete()
        make_people(number)
        event = make_event()
        with worker(
            "fanout", *bodies_for("fanout", [event.pk]), seconds=A_DAY_SECONDS, traced=not IS_SLOW
        ) as process:
            found[number] = process.result(
                progress=lambda event=event: Event.objects.values("cursor").get(pk=event.pk)
            )
        assert found[number]["answer"] == {"batchItemFailures": []}
        ids = set(Delivery.objects.filter(event=event).values_list("pk", flat=True))
        assert len(ids) == number
        assert rung(doorbells) == dict.fromkeys(ids, 1)
        doorbells.calls.clear()
    few, many = found[FEW], found[MANY]
    assert many["peak_kilobytes"] - few["peak_kilobytes"] < MOST_KILOBYTES
    pages = MANY // PAGE_SIZE
    assert few["statements"] < 60
    assert many["statements"] <= pages * few["statements"]


def test_a_page_costs_the_same_statements_for_few_people_and_for_many(doorbells):
    """Those that read or move the cursor. How many rows one INSERT takes is the database's affair."""
    found = []
    for people in (10, PAGE_SIZE - 11):
        make_people(people)
        event = make_event()
        with CaptureQueriesContext(connection) as captured:
            fan_out(event)
        found.append([query["sql"].split()[0] for query in captured if not query["sql"].startswith("INSERT")])
    assert found[0] == found[1]


POINTS = [
    # what the worker is about to do when it dies, and the how many-eth time
    (MOVES_THE_CURSOR, 1),  # nothing is there yet
    (INSERTS_DELIVERIES, 1),  # the cursor has moved, and nothing is behind it
    (INSERTS_DELIVERIES, 2),  # the first page is written and rung for
    (ENDS, 1),  # all is written and rung for
]


@pytest.mark.parametrize(("pattern", "nth"), POINTS)
def test_a_killed_fan_out_goes_on_without_a_double_and_with_nobody_missing(doorbells, pattern, nth):
    make_people(2 * PAGE_SIZE + 10)
    event = make_event()
    with worker("fanout", *bodies_for("fanout", [event.pk]), die_before=[pattern, nth]) as process:
        assert process.wait(PATIENCE_SECONDS) == -9
    # While its lease lasts, nobody takes it over.
    assert fan_out(event) == []
    assert Event.objects.get().status == "fanning_out"
    let_time_pass()
    assert fan_out(event) == []
    _assert_complete(doorbells, event, 2 * PAGE_SIZE + 10)


@pytest.mark.parametrize("call", [2, 3])  # The first page takes two.
def test_what_a_fan_out_killed_while_it_rings_has_written_is_rung_for_as_soon_as_its_lease_ends(gate, call):
    make_people(PAGE_SIZE + 10)
    event = make_event()
    with (
        worker("fanout", *bodies_for("fanout", [event.pk])) as process,
        gate.hold(PUBLISH_BATCH, nth=call, taken=False) as reached,
    ):
        assert reached.wait(PATIENCE_SECONDS)
        process.kill()
        process.wait(PATIENCE_SECONDS)
    Event.objects.update(due_at=timezone.now())
    gate.take_rings()
    fan_out(event)
    sweep()
    _assert_complete(gate, event, PAGE_SIZE + 10)
    # Without the call that was not answered.
    heard = gate.rung(numbers={*range(1, gate.count(PUBLISH_BATCH) + 1)} - {call})
    assert {pk for route, pk in heard if route == "email"} == {each.pk for each in Delivery.objects.all()}


def test_a_fan_out_cut_off_again_and_again_rings_for_itself_never_and_is_finished_by_sweeps(doorbells):
    make_people(3 * PAGE_SIZE + 10)
    event = make_event()
    # With so little time left each function does one page.
    for page in (1, 2, 3):
        assert fan_out(event, seconds=5) == []
        event.refresh_from_db()
        assert (event.status, event.claim, Delivery.objects.count()) == ("recorded", None, page * PAGE_SIZE)
        # The sweep alone begins a new chain.
        assert rung(doorbells, "fanout").total() == page - 1
        assert sweep() == 1
    assert fan_out(event, seconds=5) == []
    _assert_complete(doorbells, event, 3 * PAGE_SIZE + 10)
    assert set(rung(doorbells).values()) == {1}
    assert rung(doorbells, "fanout") == {event.pk: 3}


def _assert_complete(gate, event, number):
    event.refresh_from_db()
    assert (event.status, event.due_at, event.claim) == ("done", None, None)
    assert Delivery.objects.count() == Delivery.objects.values("recipient").distinct().count() == number
    assert rung(gate).keys() == set(Delivery.objects.values_list("pk", flat=True))


def test_a_function_that_lost_its_claim_stops_at_its_page(doorbells):
    make_people(2 * PAGE_SIZE)
    event = make_event()

    def lose_it():
        Event.objects.update(claim=1)
        return False

    assert fanout.fan_out(event.pk, lease_seconds=900, is_time_up=lose_it) == PAGE_SIZE
    event.refresh_from_db()
    assert (event.status, event.claim) == ("fanning_out", 1)
    assert event.cursor["after"] == str(User.objects.order_by("pk")[PAGE_SIZE - 1].pk)


NOT_WAITING = [
    {"status": "done", "due_at": None},  # its ring came twice
    {"status": "failed", "due_at": None},  # it was too large to be recorded
    {"status": "fanning_out", "claim": 1},  # another function is at it
]


@pytest.mark.parametrize("values", NOT_WAITING)
def test_an_event_that_is_not_waiting_is_left_alone(doorbells, values):
    make_user()
    event = make_event(**values)
    assert fan_out(event) == []
    assert not Delivery.objects.exists()
    assert Event.objects.values_list("status", flat=True).get() == values["status"]


def test_a_ring_for_an_event_that_was_rolled_back_is_no_error(doorbells):
    assert invoke("fanout", *bodies_for("fanout", [4711])) == []


def test_each_message_rings_for_at_most_a_chunk_and_each_channel_for_its_own(doorbells):
    for _ in range(2):
        ContactPoint.objects.create(user=make_user(), channel="sms", address="+447400123450")
    make_people(CHUNK_SIZE)
    parts = {"text": "Hello"}
    fan_out(make_event(contents={"email": parts, "sms": parts}))
    by_channel = Counter(Delivery.objects.filter(status="queued").values_list("channel", flat=True))
    assert by_channel == {"email": CHUNK_SIZE + 2, "sms": 2}
    for channel in by_channel:
        expected = Delivery.objects.filter(status="queued", channel=channel).values_list("pk", flat=True)
        assert rung(doorbells, channel) == Counter(expected)
    messages = list(doorbells.ring_messages())
    assert max(len(each.encode()) for each in messages) < 1024
    # 52 mails, 2 SMS.
    assert sorted(len(json.loads(each)["deliveries"]) for each in messages) == [2, 2, 50]


def test_who_cannot_be_reached_is_on_record_with_the_reason_and_not_rung_for(doorbells):
    people = {
        "": make_user(),
        "no_address": make_user(email="  "),
        "inactive": make_user(is_active=False),
        "unverified": make_user(),
    }
    ContactPoint.objects.create(
        user=people["unverified"], channel="email", address="new@example.com", verified=False
    )
    fan_out(make_event(audiences=[make_audience(users=people.values())]))
    assert recipients() == {f"user:{person.pk}": reason for reason, person in people.items()}
    assert rung(doorbells) == {Delivery.objects.get(reason="").pk: 1}
    skipped = Delivery.objects.exclude(reason="")
    assert set(skipped.values_list("status", "due_at")) == {("skipped", None)}
    assert not skipped.filter(finished_at=None).exists()


UNWRITTEN = [
    # the subscription's channels, the contents that there are, the event's status, its words, what is sent
    (["sms"], ["email"], "failed", "Nothing went by sms: the template “news” had no content for it.", []),
    (["email", "sms"], ["email"], "done", "Nothing went by sms: the template", ["email"]),
    (["email", "sms"], [], "failed", "Nothing went by email, sms: the template", []),
    (["email"], ["email", "sms"], "done", "", ["email"]),
]


@pytest.mark.parametrize(("channels", "written", "status", "says", "sent"), UNWRITTEN)
def test_an_event_says_which_channels_had_no_content(
    doorbells, admin_client, channels, written, status, says, sent
):
    # The forms refuse it; code and fixtures do not.
    make_trigger(contents={"email": {"text": "-"}, "sms": {"text": "-"}}, channels=channels)
    Template.objects.update(name="news")
    TemplateContent.objects.exclude(channel__in=written).delete()
    Post.objects.create(title="Linen")
    event = Event.objects.get()
    fan_out(event)
    event.refresh_from_db()
    assert (event.status, event.reason.startswith(says)) == (status, True)
    assert bool(event.reason) == bool(says)
    assert sorted(set(Delivery.objects.values_list("channel", flat=True))) == sent
    shown = admin_client.get(f"/admin/notifier/event/{event.pk}/change/").content.decode()
    assert escape(event.reason) in shown


def test_a_subscription_that_was_switched_off_meanwhile_is_not_said_to_be_unwritten(doorbells):
    make_trigger(channels=["sms"])
    Post.objects.create(title="Linen")
    Subscription.objects.update(enabled=False)
    fan_out(Event.objects.get())
    assert Event.objects.values_list("status", "reason").get() == ("done", "")


def test_a_person_in_several_sources_and_whose_address_is_listed_gets_one_delivery(doorbells):
    group = Group.objects.create(name="Readers")
    ada, bo = make_user(email="ada@example.com"), make_user(email="bo@example.com")
    ada.groups.add(group)
    both = make_audience(
        users=[ada, bo], groups=[group], addresses="email: ada@example.com\nemail: press@example.com"
    )
    fan_out(make_event(audiences=[both, make_audience(everyone=True)], recipients=[{"users": [bo.pk]}]))
    assert recipients() == {f"user:{ada.pk}": "", f"user:{bo.pk}": "", "address:press@example.com": ""}


@pytest.mark.parametrize(
    "address",
    [
        "x" * 300 + "@example.com",  # as long as the column for it
        "y" * 5_000,  # longer
    ],
)
def test_an_address_of_any_length_harms_nobody_else(doorbells, address):
    make_user(email="ada@example.com")
    fan_out(make_event(recipients=[{"address": address, "channel": "email"}]))
    assert Event.objects.get().status == "done"
    assert len(recipients()) == 2


def test_an_address_field_that_is_no_text_is_taken_as_it_is_written(doorbells, settings):
    # A phone number can be a whole number
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"email": "pk"}}
    user = make_user()
    fan_out(make_event())
    assert Delivery.objects.get().address == str(user.pk)


def test_a_subscription_that_was_switched_off_meanwhile_sends_nothing(doorbells):
    make_user()
    event = make_event()
    Subscription.objects.update(enabled=False)
    fan_out(event)
    assert Event.objects.get().status == "done"
    assert not Delivery.objects.exists()


@pytest.fixture
def broken_audience():
    def fail(event):
        raise LookupError("a bug in the project's own function")

    audiences.register_audience("broken", fail)
    yield make_audience(callables=["broken"])
    audiences._callables.pop("broken")


def test_an_event_that_cannot_be_fanned_out_comes_back_by_the_queue_and_is_given_up_after_a_day(
    doorbells, broken_audience
):
    event = make_event(audiences=[broken_audience])
    # Though no lease has ended, each of the queue's tries is one: five of them lead to the dead-letter queue.
    for _ in range(2):
        assert fan_out(event) == [0]
        event.refresh_from_db()
        assert (event.status, event.claim) == ("recorded", None)
        assert event.due_at > timezone.now()
    Event.objects.update(created_at=event.created_at - fanout.GIVE_UP_AFTER)
    fan_out(event)
    event.refresh_from_db()
    assert (event.status, event.claim, event.due_at) == ("failed", None, None)
    assert "LookupError" in event.reason


def test_an_event_that_was_paused_for_days_is_tried_for_as_long_again(doorbells, broken_audience):
    event = make_event(audiences=[broken_audience], status=Event.Status.HELD, due_at=None)
    Event.objects.update(created_at=event.created_at - fanout.GIVE_UP_AFTER)
    assert holding.release_events() == 1
    assert fan_out(event) == [0]
    event.refresh_from_db()
    assert event.status == "recorded"
    Event.objects.update(restarted_at=event.restarted_at - fanout.GIVE_UP_AFTER)
    fan_out(event)
    event.refresh_from_db()
    assert event.status == "failed"


def test_an_event_that_cannot_be_fanned_out_harms_no_other_of_the_batch(doorbells, broken_audience):
    make_user()
    broken, good = make_event(audiences=[broken_audience]), make_event()
    assert invoke("fanout", *bodies_for("fanout", [broken.pk]), *bodies_for("fanout", [good.pk])) == [0]
    good.refresh_from_db()
    assert good.status == "done"


def test_an_event_that_is_cancelled_while_a_page_is_read_gets_no_delivery(doorbells):
    def cancel_it(event):
        assert requests.cancel_events([event.pk]) == 1
        return [user]

    user = make_user()
    audiences.register_audience("cancelling", cancel_it)
    try:
        event = make_event(audiences=[make_audience(callables=["cancelling"])])
        assert fan_out(event) == []
    finally:
        audiences._callables.pop("cancelling")
    event.refresh_from_db()
    assert (event.status, Delivery.objects.count(), rung(doorbells)) == ("cancelled", 0, {})
