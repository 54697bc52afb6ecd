"""What the caller pays for an event, and that nothing it does with its transaction, and nothing that breaks,
goes wrong.
"""

import json
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from notifier.models import Delivery, Event
from project.demo.models import Movie, Post
from tests.app.models import Customer, Note, Order, Parcel
from tests.support.builders import make_audience, make_people, make_subscription, make_trigger, make_user
from tests.support.gate import PUBLISH_BATCH
from tests.support.observing import recorded, register
from tests.support.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)


class Change(Exception):
    """Of mind."""


def save_and_roll_back():
    with pytest.raises(Change), transaction.atomic():
        Post.objects.create(title="Never")
        raise Change


def save_and_roll_back_a_savepoint():
    with transaction.atomic():
        save_and_roll_back()
        Note.objects.create(text="What is around it is committed")
    assert Note.objects.exists()


def save_and_roll_back_what_is_around():
    with pytest.raises(Change), transaction.atomic():
        with transaction.atomic():
            Post.objects.create(title="Never")
        raise Change


def save_and_mark_for_rollback():
    with transaction.atomic():
        Post.objects.create(title="Never")
        transaction.set_rollback(True)


def save_in_a_request_that_fails():
    assert Client(raise_request_exception=False).get("/save-and-fail/").status_code == 500


ROLLBACKS = [
    save_and_roll_back,
    save_and_roll_back_a_savepoint,
    save_and_roll_back_what_is_around,
    save_and_mark_for_rollback,
    save_in_a_request_that_fails,
]


@pytest.mark.parametrize("act", ROLLBACKS)
def test_what_is_rolled_back_is_neither_recorded_nor_sent(act, gate, pump, settings):
    settings.ROOT_URLCONF = "tests.app.urls"
    make_user()
    for verb in "pre_save", "post_save":
        make_trigger(verb=verb)
    act()
    assert not Post.objects.exists()
    assert recorded() == []
    assert gate.count(PUBLISH_BATCH) == 0
    assert pump.drain() == 0


def test_what_a_request_commits_is_recorded_and_sent(gate, pump, settings):
    settings.ROOT_URLCONF = "tests.app.urls"
    make_user()
    make_trigger()
    assert Client().get("/save/").status_code == 200
    assert [verb for verb, _ in recorded()] == ["post_save"]
    assert gate.count(PUBLISH_BATCH) == 1
    pump.drain()
    assert Delivery.objects.get().status == "sent"


def test_a_fixture_that_is_loaded_fires_nothing(tmp_path):
    ada = make_user()
    for verb in "pre_save", "post_save", "m2m_changed":
        make_trigger(verb=verb, model="demo.movie", subscribe=False)
    fixture = tmp_path / "movies.json"
    fields = {"title": "Stalker", "audiences": [ada.pk]}
    fixture.write_text(json.dumps([{"model": "demo.movie", "pk": 4, "fields": fields}]))
    call_command("loaddata", fixture, verbosity=0)
    movie = Movie.objects.get()
    assert (movie.pk, list(movie.audiences.all())) == (4, [ada])
    assert recorded() == []
    # The same by hand does.
    movie.save()
    movie.audiences.remove(ada)
    assert [verb for verb, _ in recorded()] == ["pre_save", "post_save", "m2m_changed", "m2m_changed"]


def test_an_object_that_was_loaded_counts_again_once_it_is_saved(tmp_path):
    make_trigger(verb="m2m_changed", model="demo.movie", subscribe=False)
    movie = Movie(title="Stalker")
    movie.save_base(raw=True)
    movie.audiences.add(make_user())
    assert recorded() == []
    movie.save()
    movie.audiences.add(make_user())
    assert recorded() == [("m2m_changed", f"demo.movie:{movie.pk}")] * 2


MATCHED_SAVE = ["INSERT demo_post", "INSERT notifier_event"]
MATCHED_SAVE_IN_A_TRANSACTION = ["BEGIN", *MATCHED_SAVE, "COMMIT"]


def for_one_person():
    make_trigger(audiences=[make_audience(users=[make_user()])])


def for_10_000_people():
    make_people(10_000)
    make_trigger()


def for_five_subscriptions():
    trigger = make_trigger(subscribe=False)
    for number in range(5):
        make_subscription(
            trigger,
            channels=["email"],
            audiences=[make_audience(users=[make_user()], addresses=f"email: {number}@x.org")],
        )


def for_three_channels():
    parts = {"text": "{{ instance.title }}"}
    make_trigger(
        contents={"email": parts, "sms": parts, "twitter": parts}, channels=["email", "sms", "twitter"]
    )


@pytest.mark.parametrize(
    "set_up", [for_one_person, for_10_000_people, for_five_subscriptions, for_three_channels]
)
def test_a_matched_save_costs_one_insert_whoever_receives_it(set_up):
    set_up()
    with statements() as found:
        Post.objects.create(title="Linen")
    assert found == MATCHED_SAVE
    with statements() as found, transaction.atomic():
        Post.objects.create(title="Linen")
    assert found == MATCHED_SAVE_IN_A_TRANSACTION


def test_two_triggers_that_match_one_save_cost_one_insert():
    for _ in range(2):
        make_trigger()
    with statements() as found, transaction.atomic():
        Post.objects.create(title="Linen")
    assert found == MATCHED_SAVE_IN_A_TRANSACTION
    assert Event.objects.count() == 2


def test_an_audience_on_the_object_costs_no_query_either():
    paths = "instance.owner\ninstance.watchers\nemail: instance.contact_email\ninstance.owner_id"
    make_trigger(
        model="shop.order",
        contents={"email": {"text": "{{ instance.number }}"}},
        audiences=[make_audience(paths=paths)],
    )
    order = Order.objects.create(number="17", owner=make_user(), contact_email="ada@example.com")
    order.watchers.set([make_user(), make_user()])
    order = Order.objects.get(pk=order.pk)
    with statements() as found:
        order.save(update_fields=["number"])
    assert found == ["UPDATE shop_order", "INSERT notifier_event"]


def test_a_save_that_no_trigger_matches_costs_nothing():
    make_trigger()
    make_trigger(model="shop.customer", on="updated")
    with statements() as found:
        Note.objects.create(text="Another model")
        Customer.objects.create(first_name="A creation")
    assert found == ["INSERT shop_note", "INSERT shop_customer"]


@pytest.fixture
def without_event_table():
    """The events' table is gone, as before a migration: every INSERT fails."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifier_event RENAME TO notifier_event_gone")
        yield
        cursor.execute("ALTER TABLE notifier_event_gone RENAME TO notifier_event")


def save_three_parcels():
    for label in "abc":
        Parcel.objects.create(label=label)
    # Any statement would be refused in a transaction that is broken.
    assert Parcel.objects.count() == 3


def save_in_a_transaction(save):
    with transaction.atomic():
        save()


@pytest.fixture(params=[lambda save: save(), save_in_a_transaction], ids=["autocommit", "atomic"])
def run(request):
    """Runs what saves, outside a transaction or in one."""
    return request.param


@pytest.mark.parametrize("verb", ["pre_save", "post_save"])
@pytest.mark.usefixtures("without_event_table")
def test_an_insert_that_fails_reaches_neither_the_caller_nor_its_transaction(run, verb, caplog):
    make_trigger(verb=verb, model="shop.parcel")
    run(save_three_parcels)
    assert Parcel.objects.count() == 3
    assert [record.message for record in caplog.records] == [f"Could not record the signal {verb}"] * 3


def test_a_query_that_fails_while_reading_reaches_neither_the_caller_nor_its_transaction(run, caplog):
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken_query }}"}})
    run(save_three_parcels)
    assert Parcel.objects.count() == 3
    assert set(Event.objects.values_list("status", "due_at")) == {("failed", None)}
    assert Event.objects.count() == 3
    assert "no_such_column" in caplog.text


def test_a_query_that_fails_while_reading_fails_its_own_event_and_no_other(run):
    texts = [
        "{{ instance.label }}",
        "{{ instance.broken_query }}",
        "{{ instance.size }}",
        "{{ instance.broken_query }}",
    ]
    for text in texts:
        make_trigger(model="shop.parcel", contents={"email": {"text": text}})
    run(save_three_parcels)
    found = Event.objects.order_by("pk").values_list("trigger_id", "status")
    assert [status for _, status in sorted(found)] == [*["recorded"] * 3, *["failed"] * 3] * 2


def test_a_property_that_fails_fails_its_own_event_and_no_other(run, caplog):
    broken = make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken }}"}})
    sound = make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.label }}"}})
    run(save_three_parcels)
    assert set(Event.objects.filter(trigger=sound).values_list("status", "reason")) == {("recorded", "")}
    failed = Event.objects.filter(trigger=broken)
    assert set(failed.values_list("status", "due_at")) == {("failed", None)}
    assert "could not be read: ZeroDivisionError" in failed[0].reason
    assert (failed.count(), Event.objects.count()) == (3, 6)
    assert "parcels/0" in caplog.text


def test_an_event_that_failed_is_not_rung_for(gate):
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken }}"}})
    save_three_parcels()
    assert gate.count(PUBLISH_BATCH) == 0


class Unprintable:
    def __str__(self):
        raise TypeError("There is no text for this.")


def test_an_argument_that_cannot_be_stored_does_not_reach_the_sender():
    signal = register("carries_anything", args=["value"])
    make_trigger(verb="carries_anything", model="", contents={"email": {"text": "{{ value }}"}})
    signal.send(sender=None, value=Unprintable())
    assert Event.objects.get().status == "failed"


def test_pre_save_outside_a_transaction_is_recorded_after_the_save_with_what_was_before(gate):
    post = Post.objects.create(title="Before")
    make_trigger(verb="pre_save", contents={"email": {"text": "{{ instance.title }}"}})
    post.title = "After"
    with statements() as found:
        post.save()
    assert found == ["UPDATE demo_post", "INSERT notifier_event"]
    assert gate.count(PUBLISH_BATCH) == 1
    post.save()
    assert [event.data["instance"]["title"] for event in Event.objects.all()] == ["After", "After"]


def test_pre_save_outside_a_transaction_is_not_recorded_when_the_save_fails(gate):
    make_trigger(verb="pre_save", model="shop.parcel", contents={"email": {"text": "{{ instance.label }}"}})
    Parcel.objects.create(label="taken")
    parcel = Parcel(label="taken")
    with pytest.raises(IntegrityError):
        parcel.save()
    assert (Event.objects.count(), gate.count(PUBLISH_BATCH)) == (1, 1)
    # What the failed save had left is not sent with the next one, wherever that is.
    parcel.label = "free"
    with transaction.atomic():
        parcel.save()
    parcel.save()
    assert [event.data["instance"]["label"] for event in Event.objects.order_by("pk")] == [
        "taken",
        "free",
        "free",
    ]


@pytest.mark.parametrize("verb", ["pre_save", "pre_delete"])
def test_what_is_told_before_is_published_after_the_commit_only(gate, verb):
    post = Post.objects.create(title="Linen")
    make_trigger(verb=verb)
    with transaction.atomic():
        post.delete() if verb == "pre_delete" else post.save()
        assert Event.objects.count() == 1
        assert gate.count(PUBLISH_BATCH) == 0
    assert gate.count(PUBLISH_BATCH) == 1


def test_recording_fires_nothing_itself():
    # Reading an order's lines makes objects, and the event is an object that is saved.
    make_trigger(verb="post_init", model="shop.line", subscribe=False)
    make_trigger(verb="post_save", model="notifier.event", subscribe=False)
    text = "{% for line in instance.lines.all %}{{ line.name }}{% endfor %}"
    make_trigger(model="shop.order", contents={"email": {"text": text}})
    order = Order.objects.create(number="17")
    order.lines.create(name="Shirt")
    Event.objects.all().delete()
    order.save()
    assert [verb for verb, _ in recorded()] == ["post_save"]


def test_an_event_in_a_transaction_that_the_caller_manages_is_kept_with_it(gate):
    make_trigger()
    transaction.set_autocommit(False)
    try:
        Post.objects.create(title="Never")
        transaction.rollback()
        Post.objects.create(title="Linen")
        transaction.commit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert Event.objects.count() == Post.objects.count() == 1


def test_events_of_another_database_wait_for_its_commit_and_cannot_break_it():
    command = [sys.executable, "-m", "tests.support.two_databases"]
    ran = subprocess.run(command, cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "outside a transaction": ["post_save", "pre_save"],
        "before the commit": [],
        "after the commit": ["post_save", "pre_save"],
        "rolled back": [],
        "the events' own rolled back, the save's committed": ["post_save", "pre_save"],
        "what was before is read where it is saved": ["post_save", "pre_save"],
        "saved although nothing could be recorded": 1,
    }


def test_the_log_names_an_event_and_nobody(caplog):
    make_trigger()
    make_user(first_name="Marked")
    with caplog.at_level("INFO", logger="notifier.events.storing"):
        Post.objects.create(title="Marked")
    (line,) = [record for record in caplog.records if record.name == "notifier.events.storing"]
    assert line.event_ids == [Event.objects.get().pk]
    assert "Marked" not in line.getMessage()
