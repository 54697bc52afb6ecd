"""The stand-in for X is as strict as X."""

import threading

import pytest
import requests

from notifier.exceptions import ConfigurationError
from notifier.local.x import WINDOW_SECONDS, XStandIn
from tests.support.patience import PATIENCE_SECONDS, ended, wait_until


def test_a_signed_post_is_taken_and_answered_with_its_id(x, post_to_x):
    response = post_to_x("Hello")

    assert response.status_code == 201
    (post,) = x.posts
    assert response.json() == {"data": {"id": post.id, "text": "Hello", "edit_history_tweet_ids": [post.id]}}
    assert post.id.isdigit()


def test_ids_are_different_and_grow(x, post_to_x):
    for text in "abc":
        post_to_x(text)

    ids = [int(post.id) for post in x.posts]
    assert ids == sorted(set(ids))
    assert len(ids) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        "consumer_key",  # an app that X does not know
        "consumer_secret",  # signed with another app's secret
        "access_token",  # a user that X does not know
        "access_token_secret",  # signed with another user's secret
    ],
)
def test_a_wrong_key_or_secret_is_unauthorized_and_posts_nothing(x, post_to_x, wrong):
    response = post_to_x("Hello", **{wrong: "another-one-than-it-knows"})

    assert response.status_code == 401
    assert response.json() == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }
    assert x.posts == []


def test_a_request_without_a_signature_is_unauthorized(x):
    assert (
        requests.post(f"{x.url}/2/tweets", json={"text": "Hello"}, timeout=PATIENCE_SECONDS).status_code
        == 401
    )
    assert x.posts == []


def test_a_signature_is_good_only_once(x, post_to_x):
    headers = post_to_x("Hello").request.headers
    body = b'{"text": "Something else"}'

    replayed = requests.post(
        f"{x.url}/2/tweets", data=body, headers={**headers, "Content-Length": "26"}, timeout=PATIENCE_SECONDS
    )

    assert replayed.status_code == 401
    assert [post.text for post in x.posts] == ["Hello"]


def test_a_signature_for_another_address_is_unauthorized(x, monkeypatch, post_to_x):
    monkeypatch.setattr("notifier.local.x.PUBLIC_URL", "https://api.twitter.com/2/elsewhere")

    assert post_to_x("Hello").status_code == 401


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("a" * 280, 201),  # the most there may be
        ("a" * 281, 403),  # one more
        ("語" * 140, 201),  # a wide character counts two
        ("語" * 140 + "a", 403),  # and its limit is as strict
        ("https://example.com/" + "a" * 400, 201),  # any link counts 23
        ("👨‍👩‍👧‍👦" * 140, 201),  # a joined emoji counts two, however long
        ("", 400),  # nothing
        (" \n", 400),  # as good as nothing
    ],
)
def test_texts_are_measured_as_x_measures_them(x, post_to_x, text, status):
    assert post_to_x(text).status_code == status
    assert len(x.posts) == (status == 201)


@pytest.mark.parametrize(
    "body",
    [
        {"txt": "Hello"},  # no text
        {"text": 5},  # not a text
        ["Hello"],  # not an object
    ],
)
def test_a_body_without_a_text_is_an_invalid_request(x, post_to_x, body):
    response = post_to_x("", json=body)

    assert (response.status_code, response.json()["title"]) == (400, "Invalid Request")
    assert x.posts == []


def test_the_same_text_twice_is_refused_in_xs_own_words(x, post_to_x):
    post_to_x("Hello")
    response = post_to_x("Hello")

    assert response.status_code == 403
    assert response.json() == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }
    assert len(x.posts) == 1


def test_the_limit_counts_down_and_then_refuses(x, post_to_x):
    answers = [post_to_x(f"Post {n}") for n in range(6)]

    assert [answer.headers["x-rate-limit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {answer.headers["x-rate-limit-limit"] for answer in answers} == {"5"}
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert len(x.posts) == 5


def test_a_new_window_takes_posts_again(x, post_to_x, monkeypatch):
    for n in range(5):
        post_to_x(f"Post {n}")
    reset = int(post_to_x("One too many").headers["x-rate-limit-reset"])
    monkeypatch.setattr("notifier.local.x.time.time", lambda: reset)

    response = post_to_x("The first of the next window")

    assert response.status_code == 201
    assert int(response.headers["x-rate-limit-reset"]) == reset + WINDOW_SECONDS


def test_another_address_or_method_is_not_found(x):
    assert requests.post(f"{x.url}/2/users", timeout=PATIENCE_SECONDS).status_code == 404
    assert requests.get(f"{x.url}/2/tweets", timeout=PATIENCE_SECONDS).status_code == 404


def test_a_failure_takes_nothing_and_the_next_request_is_well(x, post_to_x):
    x.fail_next(503)

    assert [post_to_x("Hello").status_code for _ in range(2)] == [503, 201]
    assert len(x.posts) == 1


def test_a_dropped_answer_leaves_the_post(x, post_to_x):
    x.drop_next()

    with pytest.raises(requests.ConnectionError):
        post_to_x("Hello")
    assert [post.text for post in x.posts] == ["Hello"]


def test_a_held_answer_comes_when_it_is_released(x, post_to_x):
    answers = []
    poster = threading.Thread(target=lambda: answers.append(post_to_x("Hello")), daemon=True)
    with x.hold_answers():
        poster.start()
        wait_until(lambda: x.posts, "the post has come")
        assert answers == []
    ended(poster)

    assert answers[0].status_code == 201


def test_it_refuses_while_stopped_and_comes_back_on_the_same_port(x, post_to_x):
    post_to_x("Before")
    x.stop()

    with pytest.raises(requests.ConnectionError):
        post_to_x("During")
    x.start()
    assert post_to_x("After").status_code == 201
    assert [post.text for post in x.posts] == ["Before", "After"]


def test_a_taken_port_is_named(x, keys):
    port = int(x.url.rpartition(":")[2])

    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
        XStandIn(**keys, port=port).start()
