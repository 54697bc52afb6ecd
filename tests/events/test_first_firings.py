"""From a process's first statement on, no firing is missed: what it does before it asks the database anything
counts as what it does later.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction

from notifier.events import first_look
from notifier.events.first_look import FirstLook
from notifier.events.index import Index
from notifier.models import Event
from tests.app.models import Customer, Order
from tests.first.acts import CUSTOMER, ORDER
from tests.support.builders import make_trigger
from tests.support.functions import database_url
from tests.support.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]

# Where the shop's models are.
LAYOUTS = HERE, ELSEWHERE = "with the rules", "in another database"


def environment_of(layout, other, **more):
    environment = os.environ | ({"DATABASE_URL": database_url()} if "DATABASE_URL" not in more else {}) | more
    environment["DJANGO_SETTINGS_MODULE"] = "tests.first.settings"
    return environment | ({"OTHER_DATABASE": str(other)} if layout == ELSEWHERE else {})


def run(*command, environment):
    """A new process, which must end well."""
    done = subprocess.run(
        [sys.executable, *command], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The file of the other database."""
    file = tmp_path_factory.mktemp("other") / "other.sqlite3"
    environment = os.environ | {"DATABASE_URL": "sqlite://:memory:", "OTHER_DATABASE": str(file)}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.first.settings"
    run("manage.py", "migrate", "--database", "other", "-v", "0", environment=environment)
    return file


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture
def rows(layout, other):
    """The customer and the order of the acts."""
    if layout == HERE:
        Customer.objects.create(pk=CUSTOMER, first_name="Ada")
        Order.objects.create(pk=ORDER)
        return
    with closing(sqlite3.connect(other)) as database, database:
        for table in ("shop_order_watchers", "shop_order", "shop_customer"):
            database.execute(f"DELETE FROM {table}")
        database.execute("INSERT INTO shop_customer VALUES (?, 'Ada', '')", [CUSTOMER])
        database.execute(
            "INSERT INTO shop_order (id, number, status, total, contact_email) VALUES (?, '', 'new', 0, '')",
            [ORDER.hex],
        )


@pytest.fixture(scope="module")
def starters():
    """Layout → a process that has asked nothing, and starts others for the acts; see ``act``."""
    found = {}
    yield found
    for process in found.values():
        process.stdin.close()
        process.wait()


@pytest.fixture
def act(layout, other, starters):
    """Do the named act in a process of its own, as its first."""
    if layout not in starters:
        starters[layout] = subprocess.Popen(
            [sys.executable, "-m", "tests.first", "serve"], env=environment_of(layout, other),
            cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert starters[layout].stdout.readline() == "ready\n"

    def act(name):
        starters[layout].stdin.write(f"{name}\n")
        starters[layout].stdin.flush()
        assert starters[layout].stdout.readline() == "done\n"

    return act


def told():
    """How often each trigger has fired, by its signal."""
    return Counter(Event.objects.values_list("verb", flat=True))


SHOP = "shop.customer"
FIRST_ACTS = [
    # what a process does first, the trigger about it, how often it fires
    ("create", {"verb": "pre_save", "model": SHOP}, 1),
    ("create", {"verb": "post_save", "model": SHOP, "on": "created"}, 1),
    ("create_in_a_transaction", {"verb": "pre_save", "model": SHOP}, 1),
    ("create_in_a_transaction", {"verb": "post_save", "model": SHOP}, 1),
    # What was before is read by a receiver of pre_save.
    ("change", {"verb": "post_save", "model": SHOP, "condition": 'previous.first_name == "Ada"'}, 1),
    ("change", {"verb": "pre_save", "model": SHOP, "condition": 'previous.first_name == "Ada"'}, 1),
    ("delete", {"verb": "pre_delete", "model": SHOP}, 1),
    ("delete", {"verb": "post_delete", "model": SHOP}, 1),
    # A queryset's: Django asks for listeners before it asks the database.
    ("delete_all", {"verb": "pre_delete", "model": SHOP}, 1),
    ("delete_all", {"verb": "post_delete", "model": SHOP}, 1),
    ("clear", {"verb": "m2m_changed", "model": "shop.order"}, 2),  # before and after
    # An object in memory is nobody's news before the first statement: Django makes some while it starts.
    ("make", {"verb": "pre_init", "model": SHOP}, 0),
    ("read", {"verb": "post_init", "model": SHOP}, 1),
    ("send", {"verb": "opened", "model": ""}, 1),
    ("send_robust", {"verb": "opened", "model": ""}, 1),
    ("emit_it", {"verb": "opened", "model": ""}, 1),
    # The rules' own database is connected to as well.
    ("read", {"verb": "connection_created", "model": ""}, {HERE: 1, ELSEWHERE: 2}),
]


@pytest.mark.parametrize(("name", "trigger", "times"), FIRST_ACTS)
def test_the_first_firing_of_a_process_is_recorded(name, trigger, times, layout, rows, act):
    make_trigger(subscribe=False, **trigger)
    act(name)
    times = times[layout] if isinstance(times, dict) else times
    assert told()[trigger["verb"]] == times


ENTRIES = [
    # what is started, which signal its first act is to be heard by, how often
    (["manage.py", "shell", "-v", "0", "-c", "from tests.first.acts import create; create()"], "pre_save", 1),
    (["manage.py", "open_the_shop"], "pre_save", 1),
    (["-m", "tests.first", "work"], "opened", 2),  # a worker's loop
    (["-m", "tests.first", "create_in_a_thread"], "pre_save", 1),
    (["-m", "tests.first", "create_in_a_fork"], "pre_save", 1),
    (["-m", "tests.first", "create_in_a_fork_of_one_that_has_read"], "opened", 1),
    (["-m", "tests.first", "send_in_a_fork_of_one_that_has_sent"], "opened", 1),
    (["-m", "tests.first", "create_async"], "pre_save", 1),
    (["-m", "tests.first", "send_async"], "opened", 1),
    (["-m", "tests.first", "call_a_function"], "opened", 1),
]
MODELS = {"pre_save": SHOP, "opened": ""}


@pytest.mark.parametrize(("command", "verb", "times"), ENTRIES, ids=[command[-1] for command, *_ in ENTRIES])
def test_it_is_whatever_the_process_is(command, verb, times, other):
    make_trigger(verb=verb, model=MODELS[verb], subscribe=False)
    is_function = command[-1] == "call_a_function"
    on_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "shop", "SECRET_KEY": "of the test"} if is_function else {}
    done = run(*command, environment=environment_of(ELSEWHERE, other, **on_lambda))
    assert told() == {verb: times}
    assert "cannot be read" not in done.stderr


def test_a_fork_follows_the_rules_on_though_it_asks_the_database_nothing(other):
    command = [sys.executable, "-m", "tests.first", "follow_in_a_fork_of_one_that_has_read"]
    process = subprocess.Popen(
        command, env=environment_of(HERE, other), cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    make_trigger(verb="opened", model="", subscribe=False)
    assert process.wait(PATIENCE_SECONDS) == 0
    process.stdout.close()
    assert told() == {"opened": 1}


@pytest.mark.parametrize("layout", [HERE], indirect=True)
def test_of_threads_that_begin_at_once_each_firing_is_recorded_once(act):
    make_trigger(verb="opened", model="", subscribe=False)
    act("send_among_threads")
    assert told() == {"opened": 8}


def test_what_is_sent_while_the_first_connection_opens_is_recorded(other):
    make_trigger(verb="opened", model="", target="the connection", subscribe=False)
    environment = environment_of(HERE, other, SEND_WHEN_CONNECTED="1")
    run("-m", "tests.first", "send", environment=environment)
    # That of the look, and that of the INSERT is part of a recording, which is nobody's news.
    assert told() == {"opened": 1}


def test_where_no_query_is_allowed_it_is_said_and_nobody_is_harmed(other):
    make_trigger(verb="opened", model="", subscribe=False)
    done = run("-m", "tests.first", "send_in_the_event_loop", environment=environment_of(HERE, other))
    assert done.stderr.count("Could not record the signal opened") == 1
    assert "cannot be read" not in done.stderr


def test_a_connection_that_is_not_the_projects_opens_none_to_the_rules(other):
    make_trigger(verb="connection_created", model="", subscribe=False)
    run("-m", "tests.first", "connect_past_the_project", environment=environment_of(HERE, other))
    assert told() == {}


def test_afterwards_only_what_a_trigger_names_has_listeners(other):
    make_trigger(verb="post_delete", model="demo.post", subscribe=False)
    environment = environment_of(HERE, other)
    found = run("-m", "tests.first", "say_listeners", environment=environment).stdout
    assert [json.loads(line) for line in found.splitlines()] == [{"post_delete": ["Post"]}] * 2


@pytest.fixture
def shop(other, tmp_path):
    """The folder of a database of its own, with a trigger about ``opened``."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shutil.copy(other, folder / "db.sqlite3")
    command = 'from notifier.models import Trigger; Trigger.objects.create(name="Opened", verb="opened")'
    run("manage.py", "shell", "-v", "0", "-c", command, environment=environment_in(folder))
    return folder


def environment_in(folder, **more):
    return environment_of(HERE, None, **{"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"} | more)


def test_a_database_that_is_away_breaks_nobody_is_said_once_and_is_used_when_it_is_back(shop):
    away = shop.rename(f"{shop}-away")
    environment = environment_in(shop, AWAY=str(away))
    done = run("-m", "tests.first", "send_while_the_database_is_away", environment=environment)
    assert done.stderr.count("The rules cannot be read") == 1
    assert "Could not record" not in done.stderr
    with closing(sqlite3.connect(shop / "db.sqlite3")) as database:
        assert database.execute("SELECT verb FROM notifier_event").fetchall() == [("opened",)]


def test_an_empty_database_can_be_migrated_and_is_used_from_then_on(tmp_path):
    environment = environment_in(tmp_path)
    done = run("-m", "tests.first", "send_before_and_after_migrating", environment=environment)
    assert (done.stdout, done.stderr.count("cannot be read")) == ("1\n", 0)


def test_a_look_that_fails_breaks_no_transaction_and_the_next_one_sees(caplog):
    make_trigger(subscribe=False)
    index = Index()
    look = FirstLook(index)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notifier_trigger RENAME TO notifier_trigger_gone")
        for _ in range(2):
            look.take()
        assert (Customer.objects.count(), index.is_loaded) == (0, False)
        transaction.set_rollback(True)
    look.take()
    assert len(index.live("post_save")) == 1
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "The rules cannot be read"
    ]


def test_a_look_in_a_transaction_that_is_broken_harms_nobody_and_the_next_one_sees():
    make_trigger(subscribe=False)
    index = Index()
    look = FirstLook(index)
    with transaction.atomic():
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        transaction.set_rollback(True)
        look.take()
        assert not index.is_loaded
    look.take()
    assert len(index.live("post_save")) == 1


class Absent:
    """Rules in a database that says only after ``seconds`` that it is not there."""

    is_loaded = False

    def __init__(self, seconds):
        self.seconds, self.asked, self.now = seconds, 0, 0.0

    def monotonic(self):
        return self.now

    def load_first(self):
        self.asked += 1
        self.now += self.seconds
        raise OperationalError("It is not there.")


@pytest.mark.parametrize(("seconds", "asked"), [(0.01, 4), (30, 2)])
def test_a_database_that_keeps_us_waiting_is_left_alone_for_as_long(seconds, asked, monkeypatch):
    connection.ensure_connection()
    index = Absent(seconds)
    monkeypatch.setattr(first_look, "time", index)
    look = FirstLook(index)
    for _ in range(3):
        look.take()
    index.now += seconds
    look.take()
    assert index.asked == asked


def test_starting_sends_and_asks_nothing(tmp_path):
    # A signal that an app sends while Django starts is nobody's: it would be a query in `ready()`.
    environment = environment_in(tmp_path, SEND_WHEN_STARTING="1")
    run("-W", "error", "manage.py", "check", environment=environment)
    assert not list(tmp_path.iterdir())
