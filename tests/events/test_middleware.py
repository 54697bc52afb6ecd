"""Signal middleware adds to, changes, refuses and observes events, and nothing that it does wrong reaches the
caller.
"""

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.db import transaction
from django.urls import reverse

from notifier import emit, emit_bulk
from notifier.events.middleware import _chain
from notifier.exceptions import UnreadablePath
from notifier.models import Delivery, Event
from notifier.rules import offers
from project.demo.models import Movie, Post
from tests.app.models import Note
from tests.support import middleware
from tests.support.builders import make_trigger, make_user
from tests.support.functions import let_time_pass, sweep
from tests.support.gate import PUBLISH_BATCH
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def use(settings):
    """``use("raising", …)``: these of ``tests.support.middleware`` are installed, the outermost first."""

    def install(*names):
        settings.NOTIFIER = settings.NOTIFIER | {
            "MIDDLEWARE": [f"tests.support.middleware.{name}" for name in names]
        }
        _chain.cache_clear()
        middleware.SEEN.clear()

    return install


def save():
    return Post.objects.create(title="Linen")


def save_in_a_transaction():
    with transaction.atomic():
        post = save()
        # Any statement would be refused in a transaction that is broken.
        assert Post.objects.exists()
    return post


def emit_it():
    post = Post(title="Linen")
    post.save_base(raw=True)
    emit("post_save", instance=post, created=True)


def emit_many():
    post = Post(title="Linen")
    post.save_base(raw=True)
    emit_bulk(Post.objects.all(), created=True)


ACTS = [save, save_in_a_transaction, emit_it, emit_many]


def test_the_first_is_the_outermost_and_each_is_made_once(use):
    use("outer", "inner")
    make_trigger()
    save()
    around = ["outer before", "inner before", "inner after", "outer after"]
    assert ["inner made", "outer made", *around] == middleware.SEEN
    save()
    assert middleware.SEEN[-4:] == around
    assert len(middleware.SEEN) == 10


def test_a_firing_that_matches_nothing_calls_no_middleware(use):
    use("outer", "impossible")
    make_trigger(on="updated")
    save()
    assert (middleware.SEEN, Event.objects.count()) == ([], 0)


def test_middleware_costs_no_statement(use):
    use("outer", "AddTenant", "observe")
    make_trigger()
    make_trigger()
    with statements() as found, transaction.atomic():
        save()
    assert found == ["BEGIN", "INSERT demo_post", "INSERT notifier_event", "COMMIT"]


@pytest.mark.parametrize("act", ACTS)
def test_what_it_adds_is_frozen_as_far_as_templates_read_it(use, act):
    use("AddTenant")
    make_trigger(contents={"email": {"text": "{{ tenant.name }}: {{ instance.title }}"}})
    act()
    data = Event.objects.get().data
    assert data["tenant"] == {"name": "Tenant of Linen"}
    assert data["instance"]["title"] == "Linen"


def test_names_that_are_provided_and_no_others_may_be_named_by_templates(use):
    trigger = make_trigger(subscribe=False)
    with pytest.raises(UnreadablePath, match="no “tenant”"):
        offers.check_paths({"tenant": {"name": {}}}, trigger)
    use("AddTenant", "does_not_exist")
    offers.check_paths({"tenant": {"name": {}}}, trigger)


def test_it_may_change_what_is_recorded_of_its_own_event_alone(use):
    use("shout")
    for _ in range(2):
        make_trigger(contents={"email": {"text": "{{ instance.title }}"}})
    post = save()
    assert {(event.action_object, event.data["instance"]["title"]) for event in Event.objects.all()} == {
        ("demo.post:loud", "Linen!")
    }
    assert post.title == "Linen"


def test_it_is_told_what_happens(use):
    use("describe")
    for verb in "post_save", "pre_save", "pre_delete":
        make_trigger(verb=verb)
    post = save()
    assert middleware.SEEN == [
        ("pre_save", True, None, False, "default"),
        ("post_save", True, None, False, "default"),
    ]
    post.delete()
    emit("post_save", instance=Post.objects.create(title="2"), created=False, key="k")
    assert middleware.SEEN[2] == ("pre_delete", None, None, True, "default")
    assert middleware.SEEN[-1] == ("post_save", False, "k", False, "default")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["refuse", "refuse_afterwards"])
def test_a_veto_is_recorded_with_its_reason_and_nothing_is_sent(use, gate, pump, act, name):
    use(name)
    make_user()
    make_trigger()
    act()
    event = Event.objects.get()
    assert (event.status, event.data, event.due_at) == ("vetoed", {}, None)
    assert event.reason == {"refuse": "The shop is closed."}.get(name, "x" * 500)
    let_time_pass()
    assert sweep() == 0
    assert (gate.count(PUBLISH_BATCH), pump.drain(), Delivery.objects.count()) == (0, 0, 0)


def test_a_veto_before_the_save_is_recorded_when_it_is_saved(use):
    use("refuse")
    make_trigger(verb="pre_save")
    save()
    assert list(Event.objects.values_list("verb", "status")) == [("pre_save", "vetoed")]


def test_a_veto_is_shown_in_the_admin(use, client):
    use("refuse")
    make_trigger()
    save()
    client.force_login(get_user_model().objects.create_superuser("admin"))
    for page in (
        reverse("admin:notifier_event_changelist"),
        reverse("admin:notifier_event_change", args=[Event.objects.get().pk]),
    ):
        text = client.get(page).content.decode()
        assert "vetoed" in text
        assert "The shop is closed." in text


# the innermost middleware, what the outermost sees
OBSERVED = [
    ("outer", ("recorded", "", "NoneType")),
    ("refuse", ("vetoed", "The shop is closed.", "Veto")),
    (
        "raising",
        (
            "failed",
            "The signal middleware tests.support.middleware.raising raised ZeroDivisionError.",
            "ZeroDivisionError",
        ),
    ),
]


@pytest.mark.parametrize(("name", "expected"), OBSERVED)
def test_it_observes_what_came_of_an_event(use, name, expected):
    use("observe", name)
    make_trigger()
    save()
    status, reason, error = middleware.SEEN[-1]
    assert (status, reason.removesuffix(" The log has the trace."), error) == expected


def test_it_observes_what_could_not_be_read(use):
    use("observe")
    make_trigger(model="shop.parcel", contents={"email": {"text": "{{ instance.broken }}"}})
    make_trigger(contents={"email": {"text": "{{ instance.title }}"}})
    from tests.app.models import Parcel

    Parcel.objects.create(label="a")
    assert middleware.SEEN[0][0::2] == ("failed", "ZeroDivisionError")


# what is wrong, what the event says of it
FAULTS = [
    ("raising", "raising raised ZeroDivisionError"),
    ("raising_afterwards", "raising_afterwards raised KeyError"),
    ("returning_nothing", "returning_nothing returned NoneType"),
    ("emitting", "emitting raised EmitError"),  # it would never end
    ("breaking_the_transaction", "could not be read: "),  # a statement that the database refuses
    ("not_json", "cannot be stored as JSON: TypeError"),
    ("too_much", "an event holds 262144 at most"),
    ("does_not_exist", "could not be loaded: ImportError"),
    ("NOT_CALLABLE", "could not be loaded: TypeError"),
    ("impossible", "could not be loaded: RuntimeError"),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("name", "reason"), FAULTS)
def test_what_is_wrong_with_it_fails_the_event_and_does_not_reach_the_caller(
    use, caplog, gate, act, name, reason
):
    use("outer", name)
    make_trigger()
    act()
    event = Event.objects.get()
    assert (event.status, event.due_at, event.data) == ("failed", None, {})
    assert reason in event.reason
    assert "secret words" not in event.reason
    assert f"Event {event.pk} has failed" in caplog.text
    assert [event.pk] in [getattr(record, "event_ids", None) for record in caplog.records]
    assert Post.objects.count() == 1
    assert gate.count(PUBLISH_BATCH) == 0


def test_its_own_rows_are_kept_with_the_event(use):
    use("writing")
    make_trigger()
    save()
    with transaction.atomic():
        save()
        transaction.set_rollback(True)
    assert (Event.objects.count(), list(Note.objects.values_list("text", flat=True))) == (1, ["True"])


def test_one_that_says_so_is_not_used(use):
    use("outer", "unused", "inner")
    make_trigger()
    save()
    assert Event.objects.get().status == "recorded"
    assert middleware.SEEN[:2] == ["inner made", "outer made"]


# MIDDLEWARE, the ids of what `manage.py check` says
CHECKS = [
    ([], []),
    (["tests.support.middleware.AddTenant", "tests.support.middleware.outer"], []),
    ("tests.support.middleware.outer", ["notifier.E005"]),  # a text, whose letters would be the paths
    (["tests.support.middleware.does_not_exist"], ["notifier.E006"]),
    (["no_such_module.middleware"], ["notifier.E006"]),
    (["middleware"], ["notifier.E006"]),
    ([None], ["notifier.E006"]),
    (["tests.support.middleware.NOT_CALLABLE"], ["notifier.E006"]),
    (["tests.support.middleware.providing_a_text"], ["notifier.E006"]),
    (["tests.support.middleware.taking_a_name"], ["notifier.E007"]),  # an argument of post_save
    (["tests.support.middleware.taking_a_reserved_name"], ["notifier.E007"]),
    (
        ["tests.support.middleware.AddTenant", "tests.support.middleware.AddTenant"],
        ["notifier.E007"],
    ),  # two of one name
]


@pytest.mark.parametrize(("paths", "expected"), CHECKS)
def test_what_is_wrong_with_the_setting_is_found_by_the_checks(settings, paths, expected):
    settings.NOTIFIER = settings.NOTIFIER | {"MIDDLEWARE": paths}
    found = [each for each in run_checks() if each.id.startswith("notifier.E00")]
    assert [each.id for each in found] == expected
    assert all(each.hint and "MIDDLEWARE" in each.msg for each in found)


def test_it_stands_around_signals_of_ones_own_too(use):
    use("AddTenant")
    make_trigger(verb="notify_audiences", model="", contents={"email": {"text": "{{ tenant.name }}"}})
    from project.demo.signals import notify_audiences

    notify_audiences.send(sender=None, movie=Movie(title="Stalker"))
    assert Event.objects.get().data["tenant"]["name"] == "Tenant of Stalker"
