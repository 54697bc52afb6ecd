"""Posts reach X signed, and each of its answers becomes the right one of ours."""

import logging
import time

import pytest

from lambdas import twitter
from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain
from notifier.local.x import XStandIn
from tests.support.patience import wait_until

KEYS = {
    "X_CONSUMER_KEY": "the-consumer-key",
    "X_CONSUMER_SECRET": "the-consumer-secret",
    "X_ACCESS_TOKEN": "42-the-access-token",
    "X_ACCESS_TOKEN_SECRET": "the-access-token-secret",
}


@pytest.fixture
def x(monkeypatch):
    with XStandIn(
        **{name.removeprefix("X_").lower(): value for name, value in KEYS.items()}, limit=2
    ) as stand_in:
        monkeypatch.setenv("X_API_URL", stand_in.url)
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
def send(x):
    """``send(message)`` through a session of its own, as the environment then is; the read time-out can be
    short.
    """

    def send(message, **timeouts):
        with twitter.open_session(**timeouts) as session:
            return twitter.send(message, session)

    return send


def test_a_post_is_signed_taken_and_its_id_returned(x, send, make_message):
    post_id = send(make_message(text="Straße, 日本語 & 100 % 🎉"))

    assert [(post.id, post.text) for post in x.posts] == [(post_id, "Straße, 日本語 & 100 % 🎉")]


def test_one_session_posts_many(x, make_message):
    with twitter.open_session() as session:
        ids = [twitter.send(make_message(text=text), session) for text in ("One", "Two")]

    assert [post.id for post in x.posts] == ids


@pytest.mark.parametrize("name", KEYS)
def test_a_missing_key_is_named_and_nothing_is_asked_of_x(x, send, make_message, monkeypatch, name):
    monkeypatch.delenv(name)

    with pytest.raises(Rejected) as caught:
        send(make_message())
    assert caught.value.reason == "not_configured"
    assert caught.value.detail == f"Set {name}."
    assert x.requests == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * 281, "too_long"),  # one too many
        ("語" * 141, "too_long"),  # 141 characters, but they count two each
        ("a." * 100_000, "too_long"),  # would keep the counting library busy for hours
        ("", "empty"),  # the template has no text
        (" \n ", "empty"),  # X trims this to nothing
        ("mark\ufffe", "invalid_characters"),  # a byte order mark in the middle
    ],
)
def test_a_text_that_x_would_refuse_is_not_sent_there(x, send, make_message, text, reason):
    with pytest.raises(Rejected) as caught:
        send(make_message(text=text))
    assert caught.value.reason == reason
    assert x.requests == 0


@pytest.mark.parametrize(
    "text",
    [
        "a" * 280,  # the most there may be
        "語" * 140,  # the most in wide characters
        "👍🏽" * 140,  # an emoji counts two, with its skin tone
        "https://example.com/" + "a" * 500,  # a link counts 23, however long
    ],
)
def test_a_text_of_just_280_weighted_characters_is_posted(x, send, make_message, text):
    send(make_message(text=text))

    assert [post.text for post in x.posts] == [text]


def test_a_duplicate_on_the_first_attempt_is_rejected(x, send, make_message):
    send(make_message())

    with pytest.raises(Rejected, match="already") as caught:
        send(make_message(delivery=2))
    assert caught.value.reason == "duplicate"


def test_a_duplicate_on_a_later_attempt_means_it_was_posted(x, send, make_message):
    x.drop_next()
    with pytest.raises(OutcomeUnknown):
        send(make_message(attempt=1))

    assert send(make_message(attempt=2)) == twitter.POSTED_BEFORE
    assert len(x.posts) == 1


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, Rejected, "refused"),  # X does not understand us
        (401, Rejected, "unauthorized"),  # keys that were revoked
        (402, TryAgain, "no_credits"),  # paid beforehand, and used up
        (403, Rejected, "forbidden"),  # not a duplicate: a suspended account, a read-only app
        (404, Rejected, "refused"),  # the endpoint has moved
        (418, Rejected, "refused"),  # a status nobody foresaw
        (429, TryAgain, "throttled"),  # without a word on when
        (500, OutcomeUnknown, "provider_failed"),  # may have failed after it posted
        (503, OutcomeUnknown, "provider_failed"),  # a gateway's answer says nothing of what is behind it
    ],
)
def test_each_answer_becomes_ours_after_one_request(x, send, make_message, status, error, reason):
    x.fail_next(status)

    with pytest.raises(error) as caught:
        send(make_message())
    assert type(caught.value) is error
    assert caught.value.reason == reason
    assert x.requests == 1


def test_a_spend_cap_that_is_reached_waits_as_without_credits(x, send, make_message):
    x.fail_next(403, "SpendCapReached")

    with pytest.raises(TryAgain) as caught:
        send(make_message())
    assert caught.value.reason == "no_credits"


def test_a_used_up_limit_says_when_it_is_over(x, send, make_message):
    for text in ("One", "Two"):
        send(make_message(text=text))
    before = int(time.time())

    with pytest.raises(TryAgain) as caught:
        send(make_message(text="Three"))
    assert caught.value.reason == "throttled"
    assert before < before + caught.value.after_seconds <= x._window_ends


NOW = 1_790_000_000
LIMITS = [
    # what X says of its limits, and the seconds to wait
    (("0", "+4000"), 4000),
    (("0", "1790004000000"), 4000),  # in milliseconds
    (("0", "4102444800"), 86_400),  # in 2100
    (("0", "4102444800000"), 86_400),
    (("0", "-900"), None),  # over
    (("0", "soon"), None),
    (("0", ""), None),
    (("99", "+4000"), None),  # not used up
    (("9" * 5000, "+4000"), None),  # more digits than Python reads
    (("٠", "+4000"), None),
]


@pytest.mark.parametrize(("told", "seconds"), LIMITS)
def test_a_reset_is_read_in_its_unit_and_bounded(monkeypatch, told, seconds):
    monkeypatch.setattr(twitter.time, "time", lambda: NOW)
    remaining, reset = told
    reset = str(NOW + int(reset)) if reset[:1] in ("+", "-") else reset
    headers = {"x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset}
    assert twitter._closed_for(headers, left=0) == seconds


def test_the_longest_of_the_used_up_limits_counts(monkeypatch):
    monkeypatch.setattr(twitter.time, "time", lambda: NOW)
    headers = {
        "x-rate-limit-remaining": "99",
        "x-rate-limit-reset": str(NOW + 8999),  # not used up
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": str(NOW + 4000),
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": str((NOW + 2000) * 1000),  # the nearer, though the larger number
    }

    assert twitter._closed_for(headers, left=0) == 4000


def test_wrong_keys_are_unauthorized(x, send, make_message, monkeypatch):
    monkeypatch.setenv("X_ACCESS_TOKEN_SECRET", "revoked-secret")

    with pytest.raises(Rejected) as caught:
        send(make_message())
    assert caught.value.reason == "unauthorized"
    assert x.posts == []


def test_an_answer_that_comes_too_late_leaves_the_outcome_unknown(x, send, make_message):
    with x.hold_answers(), pytest.raises(OutcomeUnknown) as caught:
        send(make_message(), read_seconds=0.2)
    assert caught.value.reason == "timeout"
    wait_until(lambda: x.requests, "the request has come")
    assert x.requests == 1


def test_a_connection_lost_after_the_request_leaves_the_outcome_unknown(x, send, make_message):
    x.drop_next()

    with pytest.raises(OutcomeUnknown) as caught:
        send(make_message())
    assert caught.value.reason == "connection_lost"
    assert (x.requests, len(x.posts)) == (1, 1)


def test_nobody_listening_means_nothing_was_sent(send, make_message, monkeypatch, closed_url):
    monkeypatch.setenv("X_API_URL", closed_url)

    with pytest.raises(TryAgain) as caught:
        send(make_message())
    assert caught.value.reason == "unreachable"


def test_a_server_that_never_answers_leaves_the_outcome_unknown(send, make_message, monkeypatch, silent_url):
    monkeypatch.setenv("X_API_URL", silent_url)

    with pytest.raises(OutcomeUnknown) as caught:
        send(make_message(), read_seconds=0.2)
    assert caught.value.reason == "timeout"


def test_neither_log_nor_error_holds_the_text_or_a_secret(x, send, make_message, caplog):
    caplog.set_level(logging.DEBUG)
    # Other channels, in this process as well, keep it quiet.
    caplog.set_level(logging.DEBUG, logger="urllib3")
    send(make_message(text="Of nobody's business"))
    with pytest.raises(Rejected) as caught:
        send(make_message(text="Of nobody's business"))

    seen = caplog.text + caught.value.detail + str(caught.value)
    assert caplog.records, "nothing was logged, so nothing was looked at"
    assert [word for word in ("nobody", "oauth_signature", *KEYS.values()) if word in seen] == []
