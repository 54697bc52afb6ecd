"""The stream of somebody's inbox, without a browser: what it says, where it goes on, what wakes it, and what
it holds.
"""

import asyncio
import threading
from contextlib import AsyncExitStack

import pytest
from django.db import connection, transaction
from django.test import Client

from notifier.inbox import items, stream_batches, stream_open, stream_waking
from notifier.models import Inbox, InboxItem
from tests.inbox.streams import PATH, add, aside, connected, cookie_of, parse
from tests.support.builders import make_user
from tests.support.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough that nothing but being woken can be the reason.
NEVER = 3600


@pytest.fixture
def ann():
    return make_user(username="ann")


@pytest.fixture
def browser(ann):
    """Django's test client, as which the WSGI handler is asked."""
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def quick(monkeypatch):
    """Databases that do not say what has changed are asked often."""
    monkeypatch.setattr(stream_waking, "POLL_SECONDS", 0.02)


def ask(browser, query="", **headers):
    """The events of one short answer."""
    response = browser.get(PATH + query, headers=headers)
    assert response.status_code == 200
    return parse(response.content.decode())


def numbers(events):
    return [int(event.number) for event in events if event.name == "item"]


# What is said, and to whom. The same for both kinds of servers, as both are given the same batches.


def test_an_answer_of_a_server_that_cannot_wait_tells_what_is_there_when_to_come_back_and_ends(
    browser, ann, settings
):
    settings.NOTIFIER = settings.NOTIFIER | {"INBOX_RETRY_SECONDS": 7}
    item = add(ann, "Two\nlines\r\u2028and more", text="A text")
    response = browser.get(PATH + "?since=0")
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "private, no-cache, no-transform"
    assert response["Vary"] == "Cookie"
    assert not response.streaming
    text = response.content.decode()
    first, *blocks = text.split("\n\n")
    retry = int(first.removeprefix("retry: "))
    assert 0.7 * 7000 <= retry <= 1.3 * 7000
    assert [block.split("\n")[:2] for block in blocks[:-1]] == [
        ["id: 1", "event: item"],
        ["id: 1", "event: unread"],
    ]
    told, unread = parse(text)
    assert (told.data["id"], told.data["title"], told.data["sequence"]) == (
        item.pk,
        "Two\nlines\r\u2028and more",
        1,
    )
    assert unread.data == {"unread": 1, "sequence": 1}


def test_of_many_who_were_cut_off_not_all_come_back_at_one_instant():
    assert len({stream_batches.retry_in(5) for _ in range(20)}) > 10


def test_whoever_has_seen_all_is_told_nothing_by_one_query_after_the_sessions(
    browser, ann, django_assert_num_queries
):
    add(ann)
    with django_assert_num_queries(3) as queries:
        assert ask(browser, **{"Last-Event-ID": "1"}) == []
    tables = ["django_session", "auth_user", "notifier_inbox"]
    assert [f'FROM "{table}"' in query["sql"] for table, query in zip(tables, queries, strict=True)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("", {}, []),  # only from now on: the page has shown what was there
        ("?since=1", {}, [2, 3]),
        ("?since=0", {}, [1, 2, 3]),
        ("", {"Last-Event-ID": "2"}, [3]),
        ("?since=0", {"Last-Event-ID": "2"}, [3]),  # the address stays the same when the browser comes back
        ("?since=1", {"Last-Event-ID": "soon"}, [2, 3]),
        ("", {"Last-Event-ID": ""}, []),
        ("", {"Last-Event-ID": "-1"}, []),
        ("", {"Last-Event-ID": "²"}, []),  # a digit to Python, but no number
        ("", {"Last-Event-ID": "9" * 19}, []),  # beyond what a database counts to
        ("", {"Last-Event-ID": "9" * 5000}, []),  # Python refuses to read it
        ("?since=" + "9" * 19, {}, []),
        ("?since=abc", {}, []),
        ("", {"Last-Event-ID": "4"}, []),  # beyond the present: another database's
    ],
)
def test_it_goes_on_after_the_number_that_the_browser_has_reached(browser, ann, query, headers, expected):
    for number in range(3):
        add(ann, f"Item {number}")
    events = ask(browser, query, **headers)
    assert numbers(events) == expected
    # In any case the browser knows from now on where it stands.
    assert events[-1].name == "unread"
    assert (events[-1].number, events[-1].data) == ("3", {"unread": 3, "sequence": 3})


def test_whoever_comes_back_to_another_database_is_told_where_it_stands(browser, ann):
    [unread] = ask(browser, **{"Last-Event-ID": "1000"})
    assert (unread.number, unread.data["sequence"]) == ("0", 0)


def test_a_change_is_told_with_the_latest_state_and_only_once(browser, ann):
    first, second = add(ann, "First"), add(ann, "Second")
    items.mark_read(ann.pk, [first.pk])
    items.archive(ann.pk, [first.pk])
    told = [event for event in ask(browser, "?since=0") if event.name == "item"]
    assert [(event.data["id"], event.number) for event in told] == [(second.pk, "2"), (first.pk, "4")]
    assert told[1].data["read_at"]
    assert told[1].data["archived_at"]


def test_ten_thousand_changes_come_by_the_page_and_the_next_page_at_once(browser, ann, monkeypatch):
    many = 250
    InboxItem.objects.bulk_create(
        InboxItem(user=ann, title=f"Item {number}", created_at=ann.date_joined, sequence=number)
        for number in range(1, many + 1)
    )
    Inbox.objects.create(user=ann, sequence=many)
    last, found = 0, []
    while last < many:
        text = browser.get(f"{PATH}?since=0", headers={"Last-Event-ID": str(last)}).content.decode()
        page = numbers(parse(text))
        assert 0 < len(page) <= stream_batches.PAGE_ITEMS
        found += page
        last = page[-1]
        # Whoever comes back for the next page does not wait as long as somebody who has all.
        assert (int(text.split("\n")[0].removeprefix("retry: ")) < 1000) == (last < many)
    assert found == list(range(1, many + 1))


def test_long_texts_make_a_page_shorter(browser, ann, monkeypatch):
    monkeypatch.setattr(stream_batches, "PAGE_CHARACTERS", 1000)
    for _ in range(4):
        add(ann, text="x" * 600)
    assert numbers(ask(browser, "?since=0")) == [1, 2]
    assert numbers(ask(browser, "?since=2")) == [3, 4]


def test_items_that_are_gone_do_not_keep_anybody_from_the_present(browser, ann):
    add(ann)
    add(ann).delete()
    events = ask(browser, "?since=1")
    assert [(event.name, event.number) for event in events] == [("unread", "2")]


def test_nothing_of_another_persons_inbox_is_told(browser, ann):
    other = make_user()
    add(ann, "Hers")
    for _ in range(3):
        add(other, "Somebody else's")
    told, unread = ask(browser, "?since=0")
    assert (told.data["title"], unread.data) == ("Hers", {"unread": 1, "sequence": 1})


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_it_is_only_read(browser, method):
    response = getattr(browser, method)(PATH)
    assert (response.status_code, response["Allow"]) == (405, "GET")


def test_whoever_is_signed_out_is_told_so_in_json(client):
    response = client.get(PATH)
    assert (response.status_code, response.json()) == (401, {"error": "Sign in to see your notifications."})


# On a server that waits.


def test_an_open_stream_tells_what_was_there_and_then_what_changes(ann, quick):
    add(ann, "Before")
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie, query="since=0") as stream:
            await stream.until(lambda stream: stream.titles == ["Before"])
            assert stream.headers["content-type"] == "text/event-stream"
            assert stream.headers["x-accel-buffering"] == "no"
            item = await aside(add, ann, "After")
            await stream.until(lambda stream: stream.titles == ["Before", "After"])
            await aside(items.mark_read, ann.pk, [item.pk])
            await stream.until(lambda stream: stream.events[-1].data == {"unread": 1, "sequence": 3})
            assert numbers(stream.events) == [1, 2, 3]
            assert not stream.ended

    asyncio.run(play())


def test_one_query_a_round_serves_all_who_wait(ann, quick, monkeypatch):
    people = [ann, ann, *(make_user() for _ in range(3))]
    cookies = [cookie_of(user) for user in people]
    rounds, numbers_of = [], stream_waking._numbers_of
    monkeypatch.setattr(
        stream_waking, "_numbers_of", lambda people: rounds.append(people) or numbers_of(people)
    )

    async def play():
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(connected(cookie)) for cookie in cookies]
            for stream in streams:
                await stream.until(lambda stream: stream.events)
            await aside(add, people[3], "For one of them")
            await streams[3].until(lambda stream: stream.titles)
            assert [stream.titles for stream in streams] == [[], [], [], ["For one of them"], []]
            await stream_waking.hub()._look()
            # Everybody once, however many streams a person has. An earlier round may still be on its way.
            assert sorted({user.pk for user in people}) in [sorted(asked) for asked in rounds]
            assert all(len(asked) == len(set(asked)) for asked in rounds)

    asyncio.run(play())


@pytest.mark.parametrize("people", [0, 1, 5, 6])
def test_of_very_many_a_query_asks_for_so_many_at_a_time(people, monkeypatch):
    monkeypatch.setattr(stream_waking, "PEOPLE_A_QUERY", 2)
    users = [make_user() for _ in range(people)]
    for user in users:
        add(user)
    assert sorted(stream_waking._numbers_of([user.pk for user in users])) == [(user.pk, 1) for user in users]


def test_a_client_that_is_gone_is_no_longer_waited_for(ann, quick):
    cookie = cookie_of(ann)

    async def play():
        hub = stream_waking.hub()
        async with connected(cookie) as stream, connected(cookie) as second:
            await stream.until(lambda stream: stream.events)
            await second.until(lambda stream: stream.events)
            assert len(hub) == 2
            following = hub._task
            second.hang_up()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(hub) > 1:
                    await asyncio.sleep(0)
            assert not following.cancelled()
        assert len(hub) == 0
        assert hub._task is None
        await asyncio.wait([following], timeout=PATIENCE_SECONDS)
        assert following.done()

    asyncio.run(play())


def test_open_streams_hold_no_thread_of_their_own(ann, monkeypatch):
    """Nor a database connection, which Django keeps by the thread; those few in which all streams read close
    theirs.
    """
    monkeypatch.setattr(stream_waking, "POLL_SECONDS", NEVER)
    cookie = cookie_of(ann)

    def threads():
        return {thread for thread in threading.enumerate() if not thread.name.startswith("notifier-stream")}

    async def play():
        before = threads()
        async with AsyncExitStack() as stack:
            for _ in range(4):
                stream = await stack.enter_async_context(connected(cookie))
                await stream.until(lambda stream: stream.events)
            for thread in threads() - before:
                # Told to end; it may just be doing so.
                await asyncio.to_thread(thread.join, PATIENCE_SECONDS) if thread.name.startswith(
                    "ThreadPool"
                ) else None
            return [thread.name for thread in threads() - before if thread.name.startswith("ThreadPool")]

    assert asyncio.run(play()) == []


def test_it_ends_after_some_minutes_and_says_when_to_come_back(ann, monkeypatch):
    monkeypatch.setattr(stream_open, "OPEN_SECONDS", 0)
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie) as stream:
            await stream.until(lambda stream: stream.ended)
            assert stream.text.startswith("retry: ")
            assert [event.name for event in stream.events] == ["unread"]

    asyncio.run(play())


def test_silence_is_broken_by_a_comment(ann, monkeypatch):
    monkeypatch.setattr(stream_open, "HEARTBEAT_SECONDS", 0.01)
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie) as stream:
            await stream.until(lambda stream: stream.text.count("\n: still here\n\n") >= 2)
            assert len(stream.events) == 1

    asyncio.run(play())


def test_a_session_that_has_ended_does_not_open_it_again(ann):
    browser = Client()
    browser.force_login(ann)
    cookie = browser.cookies["sessionid"].value
    browser.logout()

    async def play():
        async with connected(cookie) as stream:
            await stream.until(lambda stream: stream.ended)
            return stream.status

    assert asyncio.run(play()) == 401


def test_many_changes_reach_an_open_stream_page_by_page(ann, monkeypatch, quick):
    monkeypatch.setattr(stream_batches, "PAGE_ITEMS", 3)
    for number in range(8):
        add(ann, f"Item {number}")
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie, last_event_id=1) as stream:
            await stream.until(lambda stream: len(stream.titles) == 7)
            await stream.until(lambda stream: stream.events[-1].name == "unread")
            assert numbers(stream.events) == [2, 3, 4, 5, 6, 7, 8]
            assert [event.name for event in stream.events].count("unread") == 1

    asyncio.run(play())


# What wakes it on PostgreSQL.

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="Other databases do not say what has changed."
)
LISTENERS = "FROM pg_stat_activity WHERE query LIKE 'LISTEN %%' AND datname = current_database()"


def query(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def listeners():
    return query(f"SELECT count(*) {LISTENERS}")


async def listening():
    """Return when a connection listens."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await aside(listeners):
            pass


@pytest.fixture
def only_told(monkeypatch):
    """Nobody looks by himself, but once when a listener begins.

    Holds whose streams were woken by being told.
    """
    monkeypatch.setattr(stream_waking, "LOOK_SECONDS", NEVER)
    told, wake = [], stream_waking.Hub._wake

    def noting(hub, key, number=None):
        if number is None:
            told.append(key)
        wake(hub, key, number)

    monkeypatch.setattr(stream_waking.Hub, "_wake", noting)
    return told


def change_in_vain(user):
    with transaction.atomic():
        add(user, "Never")
        transaction.set_rollback(True)


@on_postgresql
def test_a_commit_wakes_the_streams_of_that_person_and_what_is_rolled_back_wakes_nobody(ann, only_told):
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie) as stream:
            await stream.until(lambda stream: stream.events)
            await listening()
            await aside(change_in_vain, ann)
            await aside(add, ann, "After")
            await stream.until(lambda stream: stream.titles == ["After"])
            await aside(items.mark_all_read, ann.pk, up_to=1)
            await stream.until(lambda stream: stream.events[-1].data == {"unread": 0, "sequence": 2})

    asyncio.run(play())
    assert only_told == [str(ann.pk)] * 2


@on_postgresql
def test_one_connection_listens_for_all_and_when_it_is_lost_another_one_misses_nothing(ann, only_told, quick):
    cookie = cookie_of(ann)

    async def play():
        async with connected(cookie) as one, connected(cookie) as two:
            for stream in one, two:
                await stream.until(lambda stream: stream.events)
            await listening()
            assert await aside(query, f"SELECT count(pg_terminate_backend(pid)) {LISTENERS}") == 1
            await aside(add, ann, "While nobody listened")
            for stream in one, two:
                await stream.until(lambda stream: stream.titles == ["While nobody listened"])

    asyncio.run(play())
