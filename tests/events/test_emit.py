"""``emit`` and ``emit_bulk``: what happened without a signal, said once, at a known price, or refused with a
reason.
"""

import datetime as dt
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from threading import Barrier

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from notifier import emit, emit_bulk
from notifier.events.emit import PAGE_SIZE, _objects_a_page
from notifier.events.index import index
from notifier.exceptions import EmitError
from notifier.models import Event
from notifier.queue import publisher
from project.demo.models import Movie, Post
from tests.app.models import Company, Customer, Line, Order
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.gate import PUBLISH_BATCH
from tests.support.observing import recorded, register
from tests.support.patience import PATIENCE_SECONDS, in_threads
from tests.support.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)


def make_posts(number):
    return Post.objects.bulk_create(Post(title=f"Post {n}") for n in range(number))


# One.


def test_an_emitted_event_is_as_the_signals_own(gate):
    make_trigger(contents={"email": {"text": "{{ instance.title }} {{ created }}"}}, on="created")
    (post,) = make_posts(1)
    assert recorded() == []
    (event,) = emit("post_save", instance=post, created=True)
    assert Event.objects.get().pk == event.pk
    assert recorded() == [("post_save", f"demo.post:{post.pk}")]
    assert (event.data["instance"]["title"], event.data["created"]) == ("Post 0", True)
    assert gate.count(PUBLISH_BATCH) == 1
    assert emit("post_save", instance=post, created=False) == []
    assert len(recorded()) == 1


def test_a_scheduled_event_is_left_to_the_sweep_and_one_whose_time_is_past_is_rung_for(gate):
    make_trigger()
    (post,) = make_posts(1)
    now = timezone.now()
    emit("post_save", instance=post, created=True, at=now + dt.timedelta(hours=1))
    assert gate.count(PUBLISH_BATCH) == 0
    emit("post_save", instance=post, created=True, at=now - dt.timedelta(hours=1))
    assert gate.count(PUBLISH_BATCH) == 1


def test_actor_target_and_the_signals_own_arguments_are_matched_and_frozen():
    register("emitted_order_placed", args=["order"])
    ada, eve = make_user(), make_user()
    text = "{{ order.number }} {{ target }} {{ actor_object.first_name }}"
    make_trigger(
        verb="emitted_order_placed", model="", actor_model="auth.user", actor_pk=str(ada.pk), target="shop",
        contents={"email": {"text": text}},
    )  # fmt: skip
    order = Order.objects.create(number="17")
    (event,) = emit("emitted_order_placed", order=order, actor=ada, target="shop")
    assert event.data["order"]["number"] == "17"
    assert event.data["actor_object"]["first_name"] == ada.first_name
    assert emit("emitted_order_placed", order=order, actor=eve, target="shop") == []
    assert emit("emitted_order_placed", order=order, actor=ada, target="office") == []


def test_an_emit_costs_one_insert():
    make_trigger()
    (post,) = make_posts(1)
    with statements() as found:
        emit("post_save", instance=post, created=True)
    assert found == ["INSERT notifier_event"]
    with statements() as found:
        emit("pre_delete", instance=post)
    assert found == []


def test_what_is_rolled_back_was_not_emitted(gate):
    make_trigger()
    (post,) = make_posts(1)
    with transaction.atomic():
        emit("post_save", instance=post, created=True)
        emit_bulk(Post.objects.all(), created=True)
        assert Event.objects.count() == 2
        transaction.set_rollback(True)
    assert (recorded(), gate.count(PUBLISH_BATCH)) == ([], 0)


# the call, a part of what it says
REFUSED = [
    (lambda: emit("no_such_verb"), "No signal is registered as “no_such_verb”. Known: "),
    (lambda: emit("post_save", created=True), "give it instance="),
    (lambda: emit("post_save", instance="a text", created=True), "is str, not an object of a model"),
    (lambda: emit("post_save", instance=Post(title="New"), created=True), "post is not saved"),
    (lambda: emit("post_delete", instance=Post(pk=4)), "post is not saved"),  # never was
    (lambda: emit("post_save", instance=Post.objects.first()), "created=True or created=False"),
    (lambda: emit("post_delete", instance=Post.objects.first(), created=True), "leave out created"),
    (lambda: emit("notify_audiences", film=1), "has no argument film. It has: action_object, movie."),
    (lambda: emit("notify_audiences", movie=None, key=""), "1 to 200 characters"),
    (lambda: emit("notify_audiences", movie=None, key="x" * 201), "1 to 200 characters"),
    (lambda: emit_bulk(17, created=True), "not int"),
    (lambda: emit_bulk((each for each in ()), created=True), "not generator"),
    (lambda: emit_bulk(Post, created=True), "not ModelBase"),
    (lambda: emit_bulk([1, 2], created=True), "this list holds int"),
    (
        lambda: emit_bulk([Post.objects.first(), Movie()], created=True),
        "one model at a time, not of Movie, Post",
    ),
    (lambda: emit_bulk([Post(title="New")], created=True), "post is not saved"),
    (lambda: emit_bulk(Post.objects.all()), "created=True or created=False"),
    (lambda: emit_bulk(Post.objects.values(), created=True), "leave out .values()"),
    (lambda: emit_bulk(Post.objects.values_list("pk"), created=True), "leave out .values()"),
    (lambda: emit_bulk(Post.objects.all()[:3], created=True), "is a slice, which cannot be read by page"),
    (lambda: emit_bulk(Post.objects.all().union(Post.objects.all()), created=True), "is a union"),
    (lambda: emit_bulk(Post.objects.distinct("title"), created=True), "is distinct on fields"),
    (lambda: emit_bulk(Post.objects.raw("SELECT * FROM demo_post"), created=True), "not RawQuerySet"),
    (lambda: emit_bulk(Post.objects.all(), created=True, key="the-same"), "{pk}"),
    (lambda: emit_bulk(Post.objects.all(), created=True, key=17), "{pk}"),
    (
        lambda: emit_bulk(Movie.objects.all(), verb="notify_audiences", argument="film"),
        "has no argument film",
    ),
    (lambda: emit_bulk(Post.objects.all(), verb="no_such_verb"), "No signal is registered"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_a_call_that_makes_no_sense_is_refused_with_words_and_records_nothing(call, words):
    make_posts(1)
    make_trigger()
    make_trigger(verb="notify_audiences", model="")
    with transaction.atomic():
        with pytest.raises(EmitError) as refused:
            call()
        assert words in str(refused.value)
        assert recorded() == []


def test_where_nothing_can_be_recorded_it_raises_and_the_callers_transaction_is_whole():
    make_trigger()
    (post,) = make_posts(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifier_event RENAME TO notifier_event_gone")
        try:
            with transaction.atomic():
                with pytest.raises(DatabaseError):
                    emit("post_save", instance=post, created=True)
                assert Post.objects.count() == 1
        finally:
            cursor.execute("ALTER TABLE notifier_event_gone RENAME TO notifier_event")


def test_what_cannot_be_read_fails_its_event_and_does_not_raise():
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken }}"}})
    from tests.app.models import Parcel

    (parcel,) = Parcel.objects.bulk_create([Parcel(label="a")])
    for _ in range(2):
        (event,) = emit("post_save", instance=Parcel.objects.get(), created=True, key="once")
        # The key is free again: once it is mended, the same call may send.
        assert (event.status, event.key) == ("failed", None)


# The same once.


def test_the_same_key_again_makes_no_second_event_of_a_trigger(gate):
    first = make_trigger()
    (post,) = make_posts(1)
    assert [event.trigger_id for event in emit("post_save", instance=post, created=True, key="k")] == [
        first.pk
    ]
    assert emit("post_save", instance=post, created=True, key="k") == []
    assert gate.count(PUBLISH_BATCH) == 1
    # A trigger that is new has had no event of it.
    second = make_trigger()
    assert [event.trigger_id for event in emit("post_save", instance=post, created=True, key="k")] == [
        second.pk
    ]
    assert len(emit("post_save", instance=post, created=True, key="another")) == 2
    assert len(emit("post_save", instance=post, created=True)) == 2
    assert Event.objects.count() == 6


def test_a_repeated_key_leaves_the_callers_transaction_whole():
    make_trigger()
    (post,) = make_posts(1)
    with transaction.atomic():
        for _ in range(3):
            emit("post_save", instance=post, created=True, key="k")
        assert Post.objects.count() == Event.objects.count() == 1


def test_of_the_same_key_at_the_same_instant_there_is_one_event():
    for _ in range(2):
        make_trigger()
    (post,) = make_posts(1)
    barrier, made, failed = Barrier(4), [], []

    def run():
        try:
            barrier.wait(PATIENCE_SECONDS)
            with transaction.atomic():
                new = emit("post_save", instance=post, created=True, key="k")
                assert Post.objects.count() == 1
            made.extend(new)
        except DatabaseError as error:
            failed.append(error)

    in_threads(*[run] * 4)
    # SQLite may refuse a writer that began by reading; on PostgreSQL nobody is refused.
    assert connection.vendor == "sqlite" or failed == []
    assert sorted(event.pk for event in made) == sorted(Event.objects.values_list("pk", flat=True))
    assert Event.objects.count() == 2


# Many.


@pytest.mark.parametrize("triggers", [1, 2])
def test_a_thousand_objects_are_one_insert_a_page(triggers):
    for _ in range(triggers):
        make_trigger(contents={"email": {"text": "{{ instance.title }}"}})
    make_posts(1000)
    with publisher.diverted(), statements() as found:
        assert emit_bulk(Post.objects.all(), created=True) == 1000 * triggers
    pages = -(-1000 // _objects_a_page(triggers))
    counted = Counter(found)
    assert counted["INSERT notifier_event"] == pages
    # Django puts fewer rows into one statement of SQLite.
    assert pages == 2 * triggers or connection.vendor == "sqlite"
    # A last page that is full is followed by an empty one.
    assert counted["SELECT demo_post"] in (pages, pages + 1)
    # Each page's own, around its INSERT.
    assert counted.keys() - {"BEGIN", "COMMIT"} == {"INSERT notifier_event", "SELECT demo_post"}
    events = Event.objects.order_by("pk").values_list("action_object", "data")
    assert Counter(name for name, _ in events) == Counter(
        {f"demo.post:{post.pk}": triggers for post in Post.objects.all()}
    )
    assert {data["instance"]["title"] for _, data in events} == {f"Post {n}" for n in range(1000)}


def test_in_one_transaction_they_are_published_in_tens_after_the_commit(gate):
    make_trigger()
    make_posts(30)
    with transaction.atomic():
        emit_bulk(Post.objects.all(), created=True)
        assert gate.count(PUBLISH_BATCH) == 0
    assert gate.count(PUBLISH_BATCH) == 3
    assert sorted(pk for _, pk in gate.rung()) == sorted(Event.objects.values_list("pk", flat=True))


def test_what_no_trigger_wants_is_not_even_read():
    make_trigger()
    make_trigger(model="demo.movie")
    with statements() as found:
        assert emit_bulk(Customer.objects.all(), created=True) == 0
        assert emit_bulk(Post.objects.all(), verb="post_delete") == 0
    assert found == []


def test_what_triggers_read_comes_with_the_page():
    text = "{{ instance.customer.first_name }}{% for line in instance.lines.all %}{{ line.name }}{% endfor %}"
    paths = "instance.owner\ninstance.watchers"
    make_trigger(
        model="shop.order", contents={"email": {"text": text}}, audiences=[make_audience(paths=paths)]
    )
    orders = [
        Order.objects.create(
            number=str(n), customer=Customer.objects.create(first_name=f"C{n}"), owner=make_user()
        )
        for n in range(5)
    ]
    Line.objects.bulk_create(
        Line(order=order, name=f"{order.number}{letter}") for order in orders for letter in "ab"
    )
    Event.objects.all().delete()
    with statements() as found:
        emit_bulk(Order.objects.only("number"), created=True)
    assert sorted(found) == ["INSERT notifier_event", "SELECT shop_line", "SELECT shop_order"]
    for event in Event.objects.all():
        order = event.data["instance"]
        number = order["customer"]["first_name"][1:]
        assert sorted(line["name"] for line in order["lines"]["all"]) == [f"{number}a", f"{number}b"]
        assert len(event.plan[0]["recipients"]) == 2


def test_a_list_that_is_read_ahead_is_as_short_as_any_other(monkeypatch):
    monkeypatch.setattr("notifier.templating.snapshot.MAX_ITEMS", 3)
    text = "{% for line in instance.lines.all %}{{ line.name }}{% endfor %}"
    make_trigger(model="shop.order", contents={"email": {"text": text}})
    (order,) = Order.objects.bulk_create([Order(number="1")])
    Line.objects.bulk_create(Line(order=order, name=str(n)) for n in range(5))
    emit_bulk(Order.objects.all(), created=True)
    assert len(Event.objects.get().data["instance"]["lines"]["all"]) == 3


# what is emitted, and how many events there are, of two orders with two lines each and one company
QUERYSETS = [
    (lambda: Order.objects.order_by("-number"), 2),  # keys that are no numbers, an order that is not ours
    (lambda: Order.objects.filter(lines__name__in=["x", "y"]), 2),  # a join gives each twice
    (lambda: Order.objects.filter(number="1").distinct(), 1),
    (lambda: Order.objects.none(), 0),
    (lambda: Order.objects, 2),  # a manager
    (lambda: list(Order.objects.all()[:1]), 1),
    (lambda: tuple(Order.objects.all()), 2),
    (lambda: [], 0),
    (lambda: Order.objects.bulk_create(Order(number=str(n)) for n in range(3, 10)), 7),
    (lambda: Company.objects.all(), 1),  # a subclass of the trigger's model
]


@pytest.mark.parametrize(("objects", "expected"), QUERYSETS)
def test_querysets_and_lists_of_every_kind_are_emitted_once_each(objects, expected, monkeypatch):
    monkeypatch.setattr("notifier.events.emit.PAGE_SIZE", 3)
    for order in Order.objects.bulk_create([Order(number="1"), Order(number="2")]):
        Line.objects.bulk_create([Line(order=order, name="x"), Line(order=order, name="y")])
    Company.objects.create(first_name="Ltd")
    make_trigger(model="shop.order")
    make_trigger(model="shop.customer")
    assert emit_bulk(objects(), created=True) == expected
    assert (
        len(set(Event.objects.values_list("action_object", flat=True))) == Event.objects.count() == expected
    )


def test_the_object_is_the_argument_that_the_signal_calls_it():
    make_trigger(verb="notify_audiences", model="", contents={"email": {"text": "{{ movie.title }}"}})
    Movie.objects.create(title="Stalker")
    assert emit_bulk(Movie.objects.all(), verb="notify_audiences", argument="movie") == 1
    assert Event.objects.get().data["movie"]["title"] == "Stalker"


@pytest.mark.parametrize("key", ["reminder-{pk}", lambda post: f"reminder-{post.pk}"])
def test_a_run_that_is_repeated_emits_what_is_missing(key):
    make_trigger()
    make_posts(3)
    assert emit_bulk(list(Post.objects.all()[:1]), created=True, key=key) == 1
    assert emit_bulk(Post.objects.all(), created=True, key=key) == 2
    assert emit_bulk(Post.objects.all(), created=True, key=key) == 0
    assert {event.key for event in Event.objects.all()} == {
        f"reminder-{post.pk}" for post in Post.objects.all()
    }


def test_two_objects_of_one_key_are_one_event():
    make_trigger()
    make_posts(3)
    assert emit_bulk(Post.objects.all(), created=True, key=lambda post: "all") == 1
    assert Event.objects.count() == 1


def test_an_object_that_cannot_be_read_does_not_stop_the_others():
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken_query }}"}})
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.label }}"}})
    from tests.app.models import Parcel

    Parcel.objects.bulk_create(Parcel(label=str(n)) for n in range(3))
    with transaction.atomic():
        assert emit_bulk(Parcel.objects.all(), created=True) == 6
    assert Counter(Event.objects.values_list("status", flat=True)) == {"failed": 3, "recorded": 3}


def peak_bytes(number):
    Post.objects.all().delete()
    Event.objects.all().delete()
    make_posts(number)
    tracemalloc.start()
    try:
        with publisher.diverted():
            emit_bulk(Post.objects.all(), created=True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_flat(monkeypatch):
    monkeypatch.setattr("notifier.events.emit.PAGE_SIZE", 20)
    make_trigger()
    peak_bytes(20)  # what is imported and cached at the first call
    few, many = peak_bytes(100), peak_bytes(700)
    # What the collector has not come to yet; an object that was kept would be ten times that, and its event
    # even more.
    assert (many - few) / 600 < 400


# Importing.

EARLY = """
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "notifier"])
# As an app's models.py would.
from notifier import emit, emit_bulk
import django
django.setup()
assert callable(emit) and callable(emit_bulk)
"""


def test_emit_may_be_imported_before_the_apps_are_ready():
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", EARLY]
    ran = subprocess.run(
        command, cwd=django_settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_a_process_whose_first_act_is_to_emit_knows_its_rules():
    """Rules are loaded at the first connection; until then there are none."""
    make_trigger()
    (post,) = make_posts(1)
    connections.close_all()
    index.forget()
    assert len(emit("post_save", instance=post, created=True)) == 1


def test_a_page_is_no_longer_than_what_one_statement_takes():
    assert 1 <= _objects_a_page(1) <= PAGE_SIZE
    assert _objects_a_page(10_000) == 1
