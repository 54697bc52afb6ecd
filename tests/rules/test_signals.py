"""Every signal can trigger something, by name, and a model that no trigger names pays nothing."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from functools import partial

import django
import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.models import signals as db
from django.dispatch import Signal
from django.test import Client, override_settings
from django.test.signals import template_rendered
from django.utils import autoreload

from notifier.events.index import index
from notifier.exceptions import SignalRegistrationError
from notifier.models import Event
from notifier.rules import signals
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Movie, Post
from tests.app.models import Company, Customer, Guest, Note, NotePage
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import data_of_the_event, recorded, register
from tests.support.without_notifier import delete_notes

pytestmark = pytest.mark.one_database

MODEL_SIGNALS = [
    db.pre_init,
    db.post_init,
    db.pre_save,
    db.post_save,
    db.pre_delete,
    db.post_delete,
    db.m2m_changed,
]
# Django's own signals that no deployed process ever sends.
NEVER_SENT = {
    id(template_rendered),  # by the test client alone
    id(autoreload.autoreload_started),  # by `runserver`
    id(autoreload.file_changed),  # by `runserver`
}


def signals_of_django():
    """``(name, signal)`` of every signal that a module called ``signals`` of Django holds."""
    modules = [
        name for _, name, _ in pkgutil.walk_packages(django.__path__, "django.", onerror=lambda name: None)
    ]
    for name in modules:
        if name.endswith(".signals") or name == "django.utils.autoreload":
            members = vars(importlib.import_module(name)).items()
            yield from ((member, found) for member, found in members if isinstance(found, Signal))


def test_every_signal_of_django_is_registered_under_its_own_name():
    wanted = {name: found for name, found in signals_of_django() if id(found) not in NEVER_SENT}
    assert {name: signals.get(name).signal for name in wanted if signals.get(name)} == wanted
    assert {"post_save", "user_logged_in", "request_started", "class_prepared"} <= set(wanted)
    assert set(wanted) <= set(signals.names())


def make_post():
    return Post.objects.create(title="Linen")


def change_groups():
    make_user(username="ada").groups.add(Group.objects.create(name="Readers"))


def add_from_the_other_side():
    Group.objects.create(name="Readers").user_set.add(make_user())


def log_in():
    user = make_user(username="ada")
    user.set_password("right")
    user.save()
    assert Client().login(username="ada", password="right")


def log_out():
    client = Client()
    client.force_login(make_user(username="ada", is_staff=True))
    assert client.post("/admin/logout/").status_code == 200


def fail_a_request():
    with override_settings(ROOT_URLCONF="tests.app.urls"):
        assert Client(raise_request_exception=False).get("/save-and-fail/").status_code == 500


def tell_of_migrations(emit):
    emit(0, False, "default")


def change_a_setting():
    with override_settings(ANYTHING=1):
        """The signal is sent on the way in and on the way out."""


def reconnect():
    connection.close()
    connection.ensure_connection()


ACTIONS = [
    # verb, model of the trigger, what somebody does, the action object that is recorded
    ("pre_init", "demo.post", partial(Post, title="Linen"), "demo.post"),
    ("post_init", "demo.post", partial(Post, pk=7), "demo.post:7"),
    ("pre_save", "demo.post", make_post, "demo.post"),
    ("post_save", "demo.post", make_post, "demo.post:{post}"),
    ("pre_delete", "demo.post", lambda: make_post().delete(), "demo.post:{post}"),
    ("post_delete", "demo.post", lambda: make_post().delete(), "demo.post:{post}"),
    # A queryset's deletion tells of each object, too.
    ("post_delete", "demo.post", lambda: (make_post(), Post.objects.all().delete()), "demo.post:{post}"),
    ("m2m_changed", "auth.user", change_groups, "auth.user:{user}"),
    # The relation belongs to the user's model, the object that is changed is a group.
    ("m2m_changed", "auth.group", add_from_the_other_side, "auth.group:{group}"),
    ("user_logged_in", "auth.user", log_in, "auth.user"),
    ("user_logged_out", "", log_out, "auth.user"),
    # Django's sender is the name of a module, which is no action object.
    ("user_login_failed", "", lambda: Client().login(username="ada", password="wrong"), ""),
    ("request_started", "", lambda: Client().get("/"), ""),
    ("request_finished", "", lambda: Client().get("/"), ""),
    ("got_request_exception", "", fail_a_request, ""),
    ("pre_migrate", "", partial(tell_of_migrations, emit_pre_migrate_signal), ""),
    ("post_migrate", "", partial(tell_of_migrations, emit_post_migrate_signal), ""),
    ("connection_created", "", reconnect, ""),
    ("setting_changed", "", change_a_setting, ""),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("verb", "model", "act", "action_object"), ACTIONS)
def test_every_signal_of_django_records_an_event(verb, model, act, action_object):
    make_trigger(verb=verb, model=model, subscribe=False)
    act()
    keys = {
        name: getattr(kind.objects.last(), "pk", None) for name, kind in (("user", User), ("group", Group))
    }
    # A deleted post has left its key behind in the event alone.
    keys["post"] = next((found.rpartition(":")[2] for _, found in recorded()), "")
    assert (verb, action_object.format(**keys)) in recorded()
    assert {found for found, _ in recorded()} == {verb}


@pytest.mark.django_db
def test_a_deleted_object_is_rendered_as_it_was():
    boss = make_user(email="boss@example.com")
    contents = {"email": {"subject": "{{ instance.title }} is gone", "text": "{{ instance.pk }}"}}
    make_trigger(verb="post_delete", contents=contents, audiences=[make_audience(users=[boss])])
    post = make_post()
    key = post.pk
    with capture_notifications() as sent:
        post.delete()
    assert_notified(sent, boss, containing="Linen is gone")
    assert_notified(sent, boss, containing=str(key))


@pytest.mark.django_db
def test_who_signed_in_is_the_actor():
    contents = {"email": {"text": "{{ actor_object.username }}"}}
    make_trigger(verb="user_logged_in", model="auth.user", actor_model="auth.user", contents=contents)
    log_in()
    assert data_of_the_event()["actor_object"]["username"] == "ada"


@pytest.mark.django_db
def test_who_signed_out_of_a_request_is_the_actor():
    # A request's user is a lazy object.
    contents = {"email": {"text": "{{ actor_object.username }}"}}
    make_trigger(verb="user_logged_out", model="", actor_model="auth.user", contents=contents)
    log_out()
    assert data_of_the_event()["actor_object"]["username"] == "ada"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "saved"),
    [
        (Customer, Customer),  # itself
        (Customer, Guest),  # Django's sender is the proxy
        (Customer, Company),  # and a subclass is its parent, too
        (Guest, Guest),
        (Company, Company),
    ],
)
def test_a_save_of_a_subclass_or_proxy_counts_for_its_parent(model, saved):
    make_trigger(model=model._meta.label_lower, subscribe=False)
    saved.objects.create(first_name="Ada")
    assert [verb for verb, _ in recorded()] == ["post_save"]


class Shop(Signal):
    """A project's own class of signals."""


class Till:
    def ring_up(self):
        """A method, to be a sender."""


SENDERS = [
    # what a custom signal may be sent by
    None,
    "the till",
    Till,
    Till(),
    Till().ring_up,
    make_post,
    lambda: None,
    Movie,
    Movie(pk=4),
]
SENDS = [
    lambda signal, **firing: signal.send(**firing),
    lambda signal, **firing: signal.send_robust(**firing),
    lambda signal, **firing: async_to_sync(signal.asend)(**firing),
    lambda signal, **firing: async_to_sync(signal.asend_robust)(**firing),
]


@pytest.mark.django_db
@pytest.mark.parametrize("send", SENDS, ids=["send", "send_robust", "asend", "asend_robust"])
@pytest.mark.parametrize("kind", [Signal, Shop])
def test_a_custom_signal_fires_however_it_is_sent_and_whoever_sends_it(send, kind, request):
    verb = request.node.name
    signal = register(verb, signal=kind(), args=["movie"])
    make_trigger(verb=verb, model="", contents={"email": {"text": "{{ movie.title }}"}})
    for sender in SENDERS:
        answers = send(signal, sender=sender, movie=Movie(title="Stalker"))
        assert not [error for _, error in answers if error]
    assert [event.data["movie"]["title"] for event in Event.objects.all()] == ["Stalker"] * len(SENDERS)


@pytest.mark.django_db
def test_a_trigger_can_ask_for_the_sender_of_a_custom_signal():
    signal = register("a_model_sends")
    make_trigger(verb="a_model_sends", model="demo.movie", subscribe=False)
    for sender in SENDERS:
        signal.send(sender=sender)
    assert recorded() == [("a_model_sends", "demo.movie"), ("a_model_sends", "demo.movie:4")]


@pytest.mark.django_db
def test_a_custom_signal_can_name_its_objects_itself():
    signal = register("says_it_all")
    ada = make_user(username="ada")
    make_trigger(
        verb="says_it_all", model="demo.movie", object_pk="4", actor_model="auth.user", actor_pk=str(ada.pk),
        target="Berlin",
        contents={"email": {"text": "{{ action_object.pk }} {{ actor_object.username }} {{ target }}"}},
    )  # fmt: skip
    signal.send(sender=None, action_object=Movie(pk=4), actor_object=ada, target="Berlin")
    signal.send(sender=None, action_object=Movie(pk=4), actor=ada, target="Berlin")
    signal.send(sender=None, action_object=Movie(pk=4), actor=ada, target="Bonn")
    first, second = Event.objects.order_by("pk")
    assert first.data == second.data
    assert (first.data["action_object"]["pk"], first.data["actor_object"]["username"]) == (4, "ada")
    assert first.data["target"] == "Berlin"


@pytest.mark.django_db
@pytest.mark.parametrize("registered_first", [True, False])
def test_a_signal_can_be_registered_before_and_after_the_rules_are_loaded(registered_first):
    signal, verb = Signal(), f"registered_{'before' if registered_first else 'after'}"
    if registered_first:
        register(verb, signal=signal)
    make_trigger(verb=verb, model="", subscribe=False)
    index.refresh(force=True)
    if not registered_first:
        signal.send(sender=None)
        assert recorded() == []
        register(verb, signal=signal)
    signal.send(sender=None)
    assert recorded() == [(verb, "")]


TAKEN = register("taken_name", args=["movie"])
REFUSED = [
    # name, signal, args, what the error says
    ("taken_name", Signal(), ["movie"], "taken by another signal"),
    ("taken_name", TAKEN, ["film"], "other arguments"),
    ("post_save", Signal(), [], "“post_save” is taken"),
    ("collides", Signal(), ["signal_verb", "verb"], "signal_verb, which is what templates read its argument"),
    ("no_signal", print, [], "not a django.dispatch.Signal but builtin_function_or_method"),
    ("no_signal", Signal, [], "not a django.dispatch.Signal but type"),
    ("one_text", Signal(), "movie", "args=\\['movie'\\]"),  # it would be the five arguments m, o, v, i, e
]


@pytest.mark.parametrize(("name", "signal", "args", "message"), REFUSED)
def test_a_registration_that_cannot_work_is_refused_and_changes_nothing(name, signal, args, message):
    before = signals.get(name)
    with pytest.raises(SignalRegistrationError, match=message):
        signals.register_signal(name, signal, args=args)
    assert signals.get(name) == before


def test_registering_the_same_again_changes_nothing():
    before = signals.get("taken_name")
    signals.register_signal("taken_name", TAKEN, args=("movie",))
    assert signals.get("taken_name") == before


@pytest.mark.django_db
def test_a_second_start_of_the_app_connects_nothing_twice():
    make_trigger(subscribe=False)
    apps.get_app_config("notifier").ready()
    index.refresh(force=True)
    make_post()
    assert recorded() == [("post_save", f"demo.post:{Post.objects.get().pk}")]


def test_starting_asks_nothing_of_the_database(tmp_path):
    # SQLite makes the file when it is first asked for anything.
    file = tmp_path / "db.sqlite3"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{file}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    python = [sys.executable, "-W", "error"]
    # The check itself asks SQLite, from Django 6.1 on, whether it knows JSON.
    for command, said, is_asked in (
        (["-c", "import project.wsgi, project.asgi"], "", [False]),
        (["manage.py", "check"], "System check identified no issues (0 silenced).\n", [False, True]),
    ):
        ran = subprocess.run(
            [*python, *command], env=environment, cwd=django_settings.BASE_DIR,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (0, said), ran.stderr
        assert file.exists() in is_asked


@pytest.mark.django_db
def test_a_model_without_a_trigger_has_no_receiver_on_any_signal():
    for signal in MODEL_SIGNALS:
        if signal is not db.m2m_changed:
            make_trigger(
                verb=next(name for name in signals.names() if signals.get(name).signal is signal),
                subscribe=False,
            )
            assert signal.has_listeners(Post)
        assert [
            signal.has_listeners(model) for model in (Note, NotePage, Movie, Movie.audiences.through)
        ] == [False] * 4


@pytest.mark.django_db
def test_a_deletion_without_a_trigger_runs_the_statements_that_it_runs_without_the_app():
    make_trigger(verb="post_delete", subscribe=False)
    command = [sys.executable, "-m", "tests.support.without_notifier"]
    without = subprocess.run(command, cwd=django_settings.BASE_DIR, capture_output=True, check=True)
    found = [statement for statement in delete_notes() if statement.split()[0] in {"SELECT", "DELETE"}]
    assert found == [
        statement for statement in json.loads(without.stdout) if statement.split()[0] in {"SELECT", "DELETE"}
    ]
    assert len(found) == 4
