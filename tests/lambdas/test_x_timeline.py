"""X is asked what it has of a text: its own form of it is the same text, and what it cannot tell is not
guessed.
"""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from lambdas import twitter
from notifier.exceptions import OutcomeUnknown, TryAgain
from notifier.local.x import XStandIn
from tests.lambdas.test_twitter import KEYS

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def x(monkeypatch):
    with XStandIn(**{name.removeprefix("X_").lower(): value for name, value in KEYS.items()}) as stand_in:
        monkeypatch.setenv("X_API_URL", stand_in.url)
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
def find(x, make_message):
    def find(text, *, ago=HOUR, **timeouts):
        with twitter.open_session(**timeouts) as session:
            return twitter.find_sent(make_message(text=text), session, dt.datetime.now(dt.UTC) - ago)

    return find


@pytest.fixture
def post(x, make_message):
    def post(text):
        with twitter.open_session() as session:
            return twitter.send(make_message(text=text), session)

    return post


TEXTS = [
    "Hello",
    "  Hello \n",  # trimmed
    "Fish & chips < 5 > 3",  # as text for HTML
    "&amp; itself, &lt;b&gt;",  # somebody writes about HTML
    "Straße, 日本語 & 100 % 🎉",
    "👩‍👩‍👧 and ZWNJ می‌خواهم",
    "Cafe\u0301 and Café",  # of both forms
    "One\n\nTwo\n\n\n\nThree",
    "New: https://shop.example.com/p/5/?a=1&b=2",  # a link is another in its place
    "example.com and https://Example.com/A#b, twice",
    "(https://example.com/a_(b)).",
    "https://example.com/",
    "@ada, #sale, $X",
    "a" * 280,
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_found_as_x_has_stored_it_by_its_id(find, post, text):
    others = [post("Something else"), post("Something else https://example.com/1")]
    mine = post(text)
    post("Later")
    assert find(text) == [mine]
    assert mine not in others


NOT_THE_SAME = [
    # what was posted, what is looked for
    ("Hello", "Hello!"),
    ("Hello", "hello"),
    ("Hello", "Hello Hello"),
    ("New: https://shop.example.com/5", "New: https://shop.example.com/6"),
    ("New: https://shop.example.com/5", "New: https://shop.example.com/5/6"),
    ("New: https://shop.example.com/?id=5", "New: https://shop.example.com/?id=6"),
    ("New: https://shop.example.com/5", "New: "),
    ("New: ", "New: https://shop.example.com/5"),
    ("https://example.com/1 https://example.com/2", "https://example.com/2 https://example.com/1"),
    ("a < b", "a &lt; b"),
]


@pytest.mark.parametrize(("posted", "wanted"), NOT_THE_SAME)
def test_another_text_is_not_taken_for_it(find, post, posted, wanted):
    post(posted)
    assert find(wanted) == []


def test_what_was_posted_before_is_not_it(x, find, post):
    post("Hello")
    assert find("Hello", ago=-HOUR) == []


def test_an_account_without_posts_has_none(x, find):
    assert find("Hello") == []


def test_reading_does_not_close_the_channel(x, make_message):
    with twitter.open_session() as session:
        twitter.find_sent(make_message(), session, dt.datetime.now(dt.UTC) - HOUR)
        assert twitter.used_up(session) == 0


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, OutcomeUnknown, "cannot_tell"),
        (401, OutcomeUnknown, "cannot_tell"),  # keys that were revoked
        (402, TryAgain, "no_credits"),
        (403, OutcomeUnknown, "cannot_tell"),  # an app that may not read
        (404, OutcomeUnknown, "cannot_tell"),
        (429, TryAgain, "throttled"),
        (503, TryAgain, "throttled"),
    ],
)
def test_what_x_refuses_is_asked_again_or_cannot_be_told(x, find, status, error, reason):
    x.fail_next(status)
    with pytest.raises(error) as caught:
        find("Of nobody's business")
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert "business" not in caught.value.detail
    assert x.requests == 1


def test_no_answer_is_asked_again(find, monkeypatch, silent_url, closed_url):
    for url in (silent_url, closed_url):
        monkeypatch.setenv("X_API_URL", url)
        with pytest.raises(TryAgain):
            find("Hello", read_seconds=0.2)


def shown(text="New: https://t.co/abc", *, leads_to=None, **more):
    """A post as X gives it."""
    urls = [{"url": "https://t.co/abc"} | ({"expanded_url": leads_to} if leads_to else {})]
    return {"id": "5", "text": text, "edit_history_tweet_ids": ["5"], "entities": {"urls": urls}} | more


LONG = {"text": "New:  https://t.co/abc", "entities": shown(leads_to="https://example.com/5")["entities"]}
ANSWERS = [
    # what X answers, what is found of "New: https://example.com/5", or why nobody can tell
    ({"data": [shown(leads_to="https://example.com/5")]}, ["5"]),
    ({"data": [shown(leads_to="http://EXAMPLE.com/5/")]}, ["5"]),  # X has changed what it does not mean
    ({"data": [shown(leads_to="https://example.com/6")]}, []),
    ({"data": [shown()]}, "where its links lead"),
    ({"data": [shown(entities=None)]}, "where its links lead"),
    ({"data": [shown("Other: https://t.co/abc")]}, []),  # wherever that leads
    ({"data": [shown("New: …", note_tweet=LONG)]}, ["5"]),  # a long post is shortened, and beside it whole
    ({"data": [shown("Other")], "meta": {"result_count": 1, "next_token": "x"}}, "more than 100 posts"),
    ({"data": [shown("Other")], "errors": [{"title": "Not Found Error"}]}, "did not show"),
    ({"errors": [{"title": "Authorization Error"}]}, "did not show"),
    ({}, "did not show"),
    ({"meta": {"result_count": 0}}, []),
]


@pytest.mark.parametrize(("answer", "found"), ANSWERS)
def test_each_answer_is_a_post_none_or_cannot_be_told(monkeypatch, make_message, answer, found):
    monkeypatch.delenv("X_API_URL", raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with responses.RequestsMock() as stand_in, twitter.open_session() as session:
        stand_in.get("https://api.twitter.com/2/users/42/tweets", json=answer)
        message = make_message(text="New: https://example.com/5")
        if isinstance(found, list):
            assert twitter.find_sent(message, session, dt.datetime(2026, 5, 3, tzinfo=dt.UTC)) == found
        else:
            with pytest.raises(OutcomeUnknown, match=found):
                twitter.find_sent(message, session, dt.datetime(2026, 5, 3, tzinfo=dt.UTC))
        asked = parse_qs(urlsplit(stand_in.calls[0].request.url).query)
        assert (asked["start_time"], asked["max_results"]) == (["2026-05-03T00:00:00Z"], ["100"])
