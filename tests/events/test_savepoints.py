"""What fails while an event is made or stored breaks nothing of the caller's, and what does not fail costs no
statement.
"""

from contextlib import suppress

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from notifier.events import inserting, savepoints
from notifier.models import Event
from project.demo.models import Post
from tests.support.builders import make_trigger

pytestmark = pytest.mark.django_db

SEVERAL = {"sqlite": 1, "postgresql": 3}


def nothing():
    pass


def ask():
    Post.objects.count()


def ask_in_a_block():
    with transaction.atomic():
        ask()


def write():
    Post.objects.bulk_create([Post(title="written")])


def fail():
    raise ZeroDivisionError


def fail_in_a_block():
    with transaction.atomic():
        fail()


def fail_in_a_block_without_a_savepoint():
    with transaction.atomic(savepoint=False):
        fail()


def fail_after_a_statement():
    write()
    fail()


def fail_in_a_block_after_a_statement():
    with transaction.atomic(savepoint=False):
        fail_after_a_statement()


def break_it():
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


def break_a_block():
    with transaction.atomic():
        break_it()


def break_it_and_say_nothing():
    with suppress(DatabaseError):
        break_it()


def fail_in_a_block_and_say_nothing():
    with suppress(ZeroDivisionError):
        fail_in_a_block_after_a_statement()


def break_it_unheard():
    try:
        break_it()
    except DatabaseError:
        write()


# What is done, and whether it fails.
DONE = [
    (nothing, False), (ask, False), (ask_in_a_block, False), (write, False), (fail, True),
    (fail_in_a_block, True), (fail_in_a_block_without_a_savepoint, True), (fail_after_a_statement, True),
    (fail_in_a_block_after_a_statement, True), (break_it, True), (break_a_block, True),
    (break_it_unheard, None), (break_it_and_say_nothing, False), (fail_in_a_block_and_say_nothing, False),
]  # fmt: skip


@pytest.mark.parametrize(("do", "fails"), DONE)
def test_what_is_done_in_a_savepoint_leaves_the_transaction_as_it_was(do, fails):
    with transaction.atomic():
        Post.objects.bulk_create([Post(title="before")])
        before = list(connection.savepoint_ids)
        raised = None
        try:
            with savepoints.savepoints("default"):
                transaction.on_commit(nothing)
                do()
        except (DatabaseError, ZeroDivisionError) as error:
            raised = error
        assert fails is None or bool(raised) == fails
        assert (connection.savepoint_ids, connection.needs_rollback) == (before, False)
        assert connection.execute_wrappers == []
        Post.objects.bulk_create([Post(title="after")])
    # All that was done in it, or nothing of it.
    kept = {"before", "after"} | (
        {"written"} if do is write or not raised and do is break_it_unheard else set()
    )
    assert set(Post.objects.values_list("title", flat=True)) == kept


def test_the_hooks_of_what_is_rolled_back_are_not_called(django_capture_on_commit_callbacks):
    called = []
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        transaction.on_commit(lambda: called.append("before"))
        for act in write, fail_after_a_statement:
            with suppress(ZeroDivisionError), savepoints.savepoints("default"):
                transaction.on_commit(lambda act=act: called.append(act))
                act()
        transaction.on_commit(lambda: called.append("after"))
    assert called == ["before", write, "after"]


def test_a_transaction_that_was_broken_before_stays_so():
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        transaction.set_rollback(True)
        with savepoints.savepoints("default"):
            nothing()
        assert connection.needs_rollback
        ask()


def test_outside_of_a_transaction_there_is_none(transactional_db):
    with savepoints.savepoints("default"):
        assert connection.execute_wrappers == []


def test_a_savepoint_is_set_once_and_only_where_a_statement_is():
    for acts, number in ([nothing], 0), ([ask], 1), ([ask, ask], 1), ([write, ask_in_a_block], 2):
        with CaptureQueriesContext(connection) as found, savepoints.savepoints("default"):
            for act in acts:
                act()
        assert sum(each["sql"].startswith("SAVEPOINT") for each in found) == number


@pytest.fixture(params=["as it is", "one at a time"])
def texts(request, monkeypatch):
    """As a driver that takes several statements in one text, and as one that does not."""
    if request.param == "one at a time":
        monkeypatch.setattr(savepoints, "_takes_several", lambda connection: False)
    return request.param


REFUSED = [
    # columns of an event, and who refuses it
    {"claim": 2**63},
    {"claim": 2**70},
    {"lane": "x"},
    {"verb": "\0"},
    {"verb": None},
    {"status": "\udfff"},
    {"lane": object},
]


@pytest.mark.parametrize("values", REFUSED, ids=str)
def test_an_event_that_is_refused_breaks_no_transaction_and_takes_nothing_along(values, texts):
    event = inserting.new_event(**{"verb": "post_save", "trigger_id": 1, "created_at": None} | values)
    with transaction.atomic():
        Post.objects.bulk_create([Post(title="before")])
        before = list(connection.savepoint_ids)
        with pytest.raises((DatabaseError, OverflowError, TypeError, ValueError)):
            inserting.insert([event], "default")
        assert connection.savepoint_ids == before
        Post.objects.bulk_create([Post(title="after")])
    assert (Post.objects.count(), Event.objects.count()) == (2, 0)


def test_a_connection_that_has_gone_says_so_itself(texts, transactional_db):
    make_trigger()
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        ask()
        connection.connection.close()
        inserting.insert([inserting.new_event(verb="x", trigger_id=1)], "default")
    assert "closed" in str(raised.value)


def test_an_event_is_one_statement(texts):
    make_trigger()
    Post.objects.create(title="the first reads the rules")
    with CaptureQueriesContext(connection) as found, transaction.atomic():
        Post.objects.create(title="Linen")
    # The block around it is one of the test's own transaction.
    sent = [each["sql"] for each in found][1:-1]
    if connection.vendor == "postgresql" and texts == "one at a time":
        assert [each.split()[0] for each in sent] == ["INSERT", "SAVEPOINT", "INSERT", "RELEASE"]
    else:
        assert len(sent) == 2
        assert sent[1].count(";") == SEVERAL[connection.vendor] - 1
    assert Event.objects.count() == 2
