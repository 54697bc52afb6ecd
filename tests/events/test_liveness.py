"""A change of a rule is live in its own process at once, and in every other within five seconds.

The seconds follow from REFRESH_SECONDS. That the change comes is seen here, however busy the machine is.
"""

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.test import Client, TestCase

from notifier.events.index import REFRESH_SECONDS, Index, index
from notifier.models import Event, RulesVersion, Trigger
from project.demo.models import Post
from tests.support.builders import make_trigger
from tests.support.functions import database_url
from tests.support.observing import recorded
from tests.support.patience import PATIENCE_SECONDS, in_threads
from tests.support.statements import statements

pytestmark = [pytest.mark.several_processes, pytest.mark.django_db(transaction=True)]


@contextmanager
def another_process(call, **environment):
    """A process that runs ``tests.support.watcher``'s ``call``.

    Yields a function that waits for its next line and returns its words.
    """
    environment = (
        os.environ
        | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        | environment
    )
    command = [
        sys.executable,
        "manage.py",
        "shell",
        "-v",
        "0",
        "-c",
        f"from tests.support.watcher import *; {call}",
    ]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:

        def read_words():
            readable, _, _ = select.select([process.stdout], [], [], PATIENCE_SECONDS)
            assert readable, "The other process has not seen it."
            return process.stdout.readline().split()

        try:
            yield read_words
        finally:
            # With whatever it has forked.
            os.killpg(process.pid, signal.SIGKILL)


ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "notifier", "SECRET_KEY": "of the test"}
PROCESSES = [
    # what runs there, its environment, whether it has a thread that looks
    ("watch()", {}, True),  # a shell, a worker
    ("watch_in_a_fork()", {}, True),
    ("watch(between=open_a_connection)", ON_LAMBDA, False),  # a function
    ("watch(between=serve_a_request)", ON_LAMBDA, False),  # the web function
]


@pytest.mark.parametrize(("call", "environment", "has_thread"), PROCESSES)
def test_a_warm_process_sees_a_trigger_that_another_creates_and_disables(call, environment, has_thread):
    with another_process(call, **environment) as read_words:
        ready, *threads = read_words()
        assert (ready, "notifier-rules" in threads) == ("ready", has_thread)
        make_trigger(subscribe=False)
        assert read_words() == ["on", "1"]
        Trigger.objects.update(enabled=False)
        assert read_words() == ["off", "1"]


def test_a_process_may_come_too_early_once_and_is_still_in_time():
    assert 2 * REFRESH_SECONDS < 5


def test_the_thread_keeps_no_connection_between_two_looks():
    with another_process("watch_connections()") as read_words:
        assert [read_words() for _ in range(3)] == [["opened"]] * 3


def fires():
    """Whether saving a post records an event, now and here."""
    before = Event.objects.count()
    Post.objects.create(title="Linen")
    return Event.objects.count() > before


@pytest.mark.parametrize("in_transaction", [False, True])
def test_in_its_own_process_a_change_counts_at_once(in_transaction):
    def change():
        assert not fires()
        trigger = make_trigger(subscribe=False)
        assert fires()
        Trigger.objects.update(enabled=False)
        assert not fires()
        trigger.save()
        assert fires()
        trigger.delete()
        assert not fires()

    if in_transaction:
        with transaction.atomic():
            change()
    else:
        change()
    assert not fires()
    assert not post_save.has_listeners(Post)


def test_what_was_committed_counts_after_the_commit():
    with transaction.atomic():
        make_trigger(subscribe=False)
    assert fires()


def test_a_trigger_whose_creation_is_rolled_back_is_gone():
    with transaction.atomic():
        make_trigger(subscribe=False)
        assert fires()
        transaction.set_rollback(True)
    assert not fires()
    assert not post_save.has_listeners(Post)


@pytest.mark.parametrize(
    "change",
    [
        lambda trigger: trigger.delete(),
        lambda trigger: Trigger.objects.update(enabled=False),
        lambda trigger: Trigger.objects.update(model="demo.movie"),
    ],
)
def test_a_trigger_whose_end_is_rolled_back_goes_on(change):
    trigger = make_trigger(subscribe=False)
    with transaction.atomic():
        change(trigger)
        assert not fires()
        transaction.set_rollback(True)
    assert fires()


def test_a_savepoint_that_is_rolled_back_takes_its_own_changes_only():
    with transaction.atomic():
        outer = make_trigger(subscribe=False)
        with transaction.atomic():
            make_trigger(subscribe=False)
            outer.delete()
            transaction.set_rollback(True)
        Post.objects.create(title="In the transaction")
    Post.objects.create(title="After it")
    assert list(Event.objects.values_list("trigger_id", flat=True)) == [Trigger.objects.get().pk] * 2


def test_a_commit_hook_that_comes_first_sees_the_new_rules():
    with transaction.atomic():
        transaction.on_commit(lambda: Post.objects.create(title="From a hook"))
        make_trigger(subscribe=False)
    assert [verb for verb, _ in recorded()] == ["post_save"]


def in_another_thread(call):
    """What ``call`` returns there."""
    found = []

    in_threads(lambda: found.append(call()))
    return found[0]


def number_of_matches():
    context = {"verb": "post_save", "action_object": Post(pk=1), "actor_object": None, "target": None}
    return len(index.find("post_save", context, True))


def test_until_the_commit_other_threads_go_by_the_old_rules():
    trigger = make_trigger(subscribe=False)
    with transaction.atomic():
        trigger.delete()
        assert (number_of_matches(), in_another_thread(number_of_matches)) == (0, 1)
        make_trigger(subscribe=False)
        make_trigger(subscribe=False)
        assert (number_of_matches(), in_another_thread(number_of_matches)) == (2, 1)
    assert (number_of_matches(), in_another_thread(number_of_matches)) == (2, 2)


def test_another_thread_that_reads_the_rules_takes_nothing_from_an_open_transaction():
    with transaction.atomic():
        make_trigger(subscribe=False)
        in_another_thread(lambda: index.refresh(force=True))
        assert fires()


def test_an_open_transaction_that_reads_the_rules_shows_its_own_to_nobody():
    with transaction.atomic():
        make_trigger(subscribe=False)
        index.refresh(now=True)
        assert (number_of_matches(), in_another_thread(number_of_matches)) == (1, 0)


def test_in_a_test_run_nobody_looks_for_the_changes_of_others():
    # A query now and then would be one too many for a project's assertNumQueries.
    connection.ensure_connection()
    index.checked_at = -1e9
    with statements() as found:
        assert Client(headers={"host": "localhost"}).get("/").status_code == 302
    assert not [statement for statement in found if "notifier" in statement]
    assert "notifier-rules" not in [thread.name for thread in threading.enumerate()]


class InATestCase(TestCase):
    """Where nothing is ever committed, and hooks run all the same."""

    @classmethod
    def setUpTestData(cls):
        make_trigger(subscribe=False)

    def test_rules_of_the_class_count_in_each_test(self):
        assert fires()

    def test_hooks_that_are_run_leave_the_rules_as_they_are(self):
        with self.captureOnCommitCallbacks(execute=True):
            Trigger.objects.update(enabled=False)
        assert not fires()
        in_another_thread(lambda: index.refresh(force=True))
        with self.captureOnCommitCallbacks(execute=True):
            make_trigger(subscribe=False)
        assert fires()

    def test_hooks_that_are_run_do_not_end_the_rules_of_the_test(self):
        with self.captureOnCommitCallbacks(execute=True):
            Trigger.objects.update(name="Another")
        in_another_thread(lambda: index.refresh(force=True))
        assert fires()


def test_the_version_of_the_rules_is_asked_for_once_in_a_while():
    index.refresh(now=True)
    for age_seconds, asked in [(0, 0), (REFRESH_SECONDS, 1)]:
        index.checked_at -= age_seconds
        with statements() as found:
            for _ in range(5):
                index.refresh()
        assert found == ["SELECT notifier_rulesversion"] * asked


def test_a_fork_waits_for_no_thread_of_its_parent():
    index, held, over = Index(), threading.Event(), threading.Event()

    def hold():
        with index._lock:
            held.set()
            over.wait(PATIENCE_SECONDS)

    threading.Thread(target=hold, daemon=True).start()
    assert held.wait(PATIENCE_SECONDS)
    index.forget_threads()
    assert index._lock.acquire(blocking=False)
    over.set()


def test_rules_that_nobody_announced_are_there_from_the_first_time_on():
    # A migration, or another program, has written them.
    make_trigger(subscribe=False)
    RulesVersion.objects.all().delete()
    index = Index()
    index.refresh()
    context = {"verb": "post_save", "action_object": Post(pk=1), "actor_object": None, "target": None}
    assert len(index.find("post_save", context, True)) == 1


def test_a_connection_to_another_database_opens_none_to_the_rules():
    # As when a test's database is dropped, which PostgreSQL does while nobody is connected to it.
    connection.close()
    index.checked_at = -1e9
    another = connection.copy(alias="another")
    another.ensure_connection()
    another.close()
    assert connection.connection is None


def test_a_database_without_our_tables_has_no_rules_and_that_is_no_error():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifier_rulesversion RENAME TO notifier_rulesversion_gone")
    try:
        index.checked_at = -1e9
        connection.close()
        assert Post.objects.count() == 0
        assert index.checked_at > 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notifier_rulesversion_gone RENAME TO notifier_rulesversion")
