"""In development a programmer is told of what no rule hears: once for each place, and of nothing else."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.checks import Tags, run_checks
from django.core.signals import request_finished
from django.db import connection, models
from django.db.backends.signals import connection_created
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifier import emit, emit_bulk
from notifier.events import silent_writes
from project.demo.models import Movie, Post
from tests.app.models import Company, Guest, Line, Note, NotePage, Order
from tests.support.builders import make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def in_development(settings, caplog):
    """A connection of a process that was started with DEBUG on; nothing was said so far."""
    settings.DEBUG = True
    silent_writes._waiting.clear()
    silent_writes._known.clear()
    caplog.set_level(logging.WARNING, logger="notifier.events.silent_writes")
    silent_writes.follow()
    with connection.execute_wrapper(silent_writes.look):
        yield
    connection_created.disconnect(dispatch_uid="notifier.events.silent_writes")
    request_finished.disconnect(dispatch_uid="notifier.events.silent_writes")
    silent_writes._waiting.clear()
    silent_writes._known.clear()


def said(caplog):
    """What a programmer is told once the process ends."""
    silent_writes.say_all()
    found = [record.getMessage() for record in caplog.records if record.name == silent_writes.__name__]
    caplog.clear()
    return found


def rule(model="demo.post", verb="post_save", **values):
    return make_trigger(model=model, verb=verb, subscribe=False, **values)


def posts(number=2):
    return [Post(title=f"Post {each}") for each in range(number)]


def saved_posts():
    return [Post.objects.create(title="Saved") for _ in range(2)]


def bulk_update():
    found = saved_posts()
    for post in found:
        post.title = "New"
    Post.objects.bulk_update(found, ["title"])


@async_to_sync
async def _bulk_create():
    await Post.objects.abulk_create(posts())


def bulk_create_asynchronously():
    """Its own frame is gone when the statement runs: what called it is named."""
    _bulk_create()


def change_the_saved():
    saved_posts()
    Post.objects.filter(title="Saved").update(title="New")


def change_those_that_inherit():
    Company.objects.create()
    Company.objects.update(trade_name="New")


def raw_delete():
    saved_posts()
    Post.objects.all()._raw_delete(using="default")


def update_children():
    """Of Django's own managers, this one updates where it is not told otherwise."""
    order = Order.objects.create(number="1")
    other = Order.objects.create(number="2")
    order.lines.add(Line.objects.create(order=other, name="A"))


# Which rule, what somebody does, the call that is named, and what would tell.
SILENT = [
    (("demo.post", "post_save", "any"), lambda: Post.objects.bulk_create(posts()), "bulk_create", "True"),
    (("demo.post", "post_save", "created"), lambda: Post.objects.bulk_create(posts()), "bulk_create", "True"),
    (("demo.post", "pre_save", "any"), lambda: Post.objects.bulk_create(posts()), "bulk_create", "True"),
    # In pieces.
    (
        ("demo.post", "post_save", "any"),
        lambda: Post.objects.bulk_create(posts(5), batch_size=2), "bulk_create", "True",
    ),
    (
        ("demo.post", "post_save", "any"),
        bulk_create_asynchronously, "bulk_create", "True",
    ),
    (("demo.post", "post_save", "updated"), bulk_update, "bulk_update", "False"),
    (
        ("demo.post", "post_save", "updated"),
        lambda: (saved_posts(), Post.objects.update(title="New")), "QuerySet.update", "False",
    ),
    (
        ("demo.post", "post_save", "any"),
        change_the_saved, "QuerySet.update", "False",
    ),
    (("shop.line", "post_save", "any"), update_children, "QuerySet.update", "False"),
    (("demo.post", "post_delete", "any"), raw_delete, "_raw_delete", 'verb="post_delete"'),
    # A rule about a model is about those that inherit from it, and about its proxies.
    (
        ("shop.customer", "post_save", "any"),
        change_those_that_inherit, "QuerySet.update", "False",
    ),
    (
        ("shop.customer", "post_save", "any"),
        lambda: Guest.objects.bulk_create([Guest(first_name="Ada")]), "bulk_create", "True",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("about", "act", "call", "advice"), SILENT)
def test_a_write_that_no_rule_hears_of_is_said_once_with_its_place(caplog, about, act, call, advice):
    model, verb, on = about
    trigger = rule(model, verb, on=on)
    for _ in range(3):
        act()
    (text,) = said(caplog)
    assert text.startswith(f"{__file__}:")
    assert f"{call} of " in text
    assert f"“{trigger.name}” is not told" in text
    assert advice in text
    assert "notifier.emit_bulk(" in text
    act()
    assert said(caplog) == []


def test_two_places_are_two_sentences(caplog):
    rule()
    Post.objects.bulk_create(posts())
    Post.objects.bulk_create(posts())
    assert len({text.partition(" ")[0] for text in said(caplog)}) == 2


def delete_with_children():
    note = Note.objects.create(text="A")
    NotePage.objects.create(note=note)
    note.delete()


def set_null():
    owner = make_user()
    Order.objects.create(number="1", owner=owner)
    owner.delete()


def load_a_fixture():
    Post(pk=7, title="Loaded").save_base(raw=True)


def save_in_all_ways():
    post = Post.objects.create(title="A")
    post.save()
    post.save(update_fields=["title"])
    Post.objects.get_or_create(title="B")
    Post.objects.update_or_create(title="B", defaults={"title": "C"})
    Company.objects.create(first_name="Ada")
    async_to_sync(post.asave)()


def change_many_to_many():
    user, group = make_user(), Group.objects.create(name="Readers")
    user.groups.add(group)
    user.groups.set([])
    group.user_set.add(user)
    group.user_set.clear()
    Movie.objects.create(title="Film").audiences.set([user])


# What is told, or is nobody's call: a rule of every kind is live.
TOLD = [
    save_in_all_ways,
    change_many_to_many,
    delete_with_children,
    set_null,
    load_a_fixture,
    lambda: (saved_posts(), Post.objects.all().delete()),
    lambda: saved_posts()[0].delete(),
    # Nothing was there.
    lambda: Post.objects.filter(pk=0).update(title="New"),
    lambda: Post.objects.bulk_create([]),
    # Of these nobody has a rule.
    lambda: Note.objects.bulk_create([Note(text="A")]),
    # SQL of one's own is one's own.
    lambda: connection.cursor().execute("UPDATE demo_post SET title = 'New'"),
]


@pytest.mark.parametrize("act", TOLD)
def test_what_is_told_or_nobodys_call_is_not_said(caplog, act):
    for model in (
        "demo.post",
        "demo.movie",
        "shop.customer",
        "shop.order",
        "auth.user",
        "auth.group",
    ):
        for verb in ("pre_save", "post_save", "post_delete", "m2m_changed"):
            rule(model, verb)
    act()
    assert said(caplog) == []


@pytest.mark.parametrize(
    ("on", "act"),
    [
        ("updated", lambda: Post.objects.bulk_create(posts())),
        ("created", lambda: (saved_posts(), Post.objects.update(title="New"))),
    ],
)
def test_a_rule_that_asks_for_another_kind_of_save_misses_nothing(caplog, on, act):
    rule(on=on)
    act()
    assert said(caplog) == []


def test_a_rule_that_is_off_misses_nothing(caplog):
    rule(enabled=False)
    Post.objects.bulk_create(posts())
    assert said(caplog) == []


@pytest.mark.parametrize(
    "tell",
    [
        lambda: emit_bulk(Post.objects.all(), created=True),
        lambda: emit_bulk(list(Post.objects.all()), created=True),
        lambda: [emit("post_save", instance=each, created=True) for each in Post.objects.all()],
    ],
)
def test_what_is_told_by_hand_is_not_said_nor_is_that_place_again(caplog, tell):
    rule()
    for _ in range(2):
        Post.objects.bulk_create(posts())
        tell()
    assert said(caplog) == []


def test_what_is_told_of_another_model_does_not_count(caplog):
    rule()
    rule("demo.movie")
    Post.objects.bulk_create(posts())
    emit("post_save", instance=Movie.objects.create(title="Film"), created=True)
    assert len(said(caplog)) == 1


def test_it_is_said_at_the_end_of_the_request(caplog):
    rule()
    Post.objects.bulk_create(posts())
    assert not caplog.records
    Client().get("/")
    assert len(caplog.records) == 1


def test_outside_of_requests_it_is_said_by_the_first_statement_after_a_while(caplog, monkeypatch):
    rule()
    Post.objects.bulk_create(posts())
    Post.objects.count()
    assert not caplog.records
    monkeypatch.setattr(silent_writes, "GRACE_SECONDS", 0)
    Post.objects.count()
    assert len(caplog.records) == 1


def test_it_costs_no_statement_and_holds_no_data(caplog):
    rule()
    with CaptureQueriesContext(connection) as captured:
        Post.objects.bulk_create([Post(title="Ada Lovelace")])
        text = str(said(caplog))
    assert len([each for each in captured if "SAVEPOINT" not in each["sql"]]) == 1
    assert "Ada" not in text


def test_whatever_goes_wrong_in_it_the_statement_has_run(monkeypatch):
    rule()
    monkeypatch.setattr(silent_writes, "find_write", lambda frame: 1 / 0)
    Post.objects.bulk_create(posts())
    assert Post.objects.count() == 2


def test_without_debug_nothing_is_looked_at(settings, monkeypatch):
    settings.DEBUG = False
    monkeypatch.setattr(silent_writes, "find_write", lambda frame: pytest.fail("It was looked at."))
    rule()
    Post.objects.bulk_create(posts())


START = """
import os, django
from django.conf import settings
django.setup()
from django.db import connection
from notifier.events import silent_writes
connection.ensure_connection()
print(silent_writes.look in connection.execute_wrappers)
"""


@pytest.mark.parametrize("debug", ["0", "1"])
def test_only_a_process_that_starts_with_debug_on_has_it(debug, tmp_path):
    environment = {
        "DEBUG": debug, "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", START], cwd=Path(__file__).parents[2], env=environment, capture_output=True,
        check=True, text=True,
    )  # fmt: skip
    assert done.stdout == f"{debug == '1'}\n"


# Deletions that the database makes by itself


def problems():
    return [each.msg for each in run_checks(tags=[Tags.database], databases=["default"])]


@pytest.fixture
def database_cascade(monkeypatch):
    """The line's order is deleted by the database; before Django 6.1, by a stand-in of the same name."""
    if not hasattr(models, "DB_CASCADE"):
        monkeypatch.setattr(models, "DB_CASCADE", object(), raising=False)
    monkeypatch.setattr(Line._meta.get_field("order").remote_field, "on_delete", models.DB_CASCADE)


@pytest.mark.parametrize("verb", ["pre_delete", "post_delete"])
def test_a_rule_about_what_the_database_deletes_by_itself_is_warned_of(database_cascade, verb):
    trigger = rule("shop.line", verb)
    (text,) = problems()
    assert f"“{trigger.name}”" in text
    assert "with a shop.order, the database itself deletes each shop.line of it (order)" in text


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("shop.line", {"verb": "post_save"}),  # a save is told
        ("shop.line", {"verb": "post_delete", "enabled": False}),
        ("shop.order", {"verb": "post_delete"}),  # deleted by Django
        ("shop.notepage", {"verb": "post_delete"}),
        ("", {"verb": "request_finished"}),
    ],
)
def test_other_rules_are_not_warned_of(database_cascade, model, values):
    rule(model, **values)
    assert problems() == []


def test_a_rule_about_the_rows_of_a_relation_is_led_to_m2m_changed():
    rule(User.groups.through._meta.label_lower)
    assert "m2m_changed" in str(run_checks(tags=[Tags.database], databases=["default"]))
    assert len(problems()) == 1
