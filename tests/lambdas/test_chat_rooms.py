"""Whose a chat's address may be: a person's own address is theirs alone, and a room is declared."""

import json

import pytest

from lambdas import _chat_limits, _chat_rooms, chat
from notifier.exceptions import Rejected, Skipped
from notifier.local.chat import ROOMS

pytestmark = pytest.mark.one_database


@pytest.fixture
def send(cloud, make_message):
    def send(**parts):
        with chat.open_session() as line:
            return chat.send(make_message(**parts), line)

    return send


@pytest.fixture
def rooms(monkeypatch):
    return lambda **more: monkeypatch.setenv("CHAT_ROOMS", json.dumps(ROOMS | more))


OWN = [
    # a person's own address, and whether it is theirs alone
    ("telegram:42", True),
    ("telegram:-1001234567890", False),  # a group
    ("telegram:@our_channel", False),
    ("slack:@ada", True),
    ("slack:U024BE7LH", True),
    ("slack:#ops", False),
    ("slack:C024BE7LR", False),
    ("slack:+C024BE7LR", False),
    ("discord", False),  # a room with nobody to name
    ("board", True),  # declared
    ("matrix:!localroom:matrix.example.com", False),
    ("rocketchat:#ops", False),
]


@pytest.mark.parametrize(("address", "is_theirs"), OWN)
def test_a_persons_own_address_is_no_room_in_which_others_read(cloud, send, rooms, address, is_theirs):
    rooms(board={"url": ROOMS["discord"], "for_people": True})
    if is_theirs:
        send(address=address, recipient="user:7")
    else:
        with pytest.raises(Skipped) as caught:
            send(address=address, recipient="user:7")
        assert caught.value.reason == "invalid_address"
        assert cloud.chat.requests == 0
        if not address.startswith("matrix"):
            # Where an audience names it, a room is what is meant.
            send(address=address, recipient=f"address:{address}")


@pytest.mark.parametrize(
    ("url", "to", "is_one"),
    [
        ("slack://xoxb-1-1-a/{to}", "ada@example.com", True),
        ("rockets://x@host/{to}", "@ada", True),
        ("rockets://x@host/{to}", "ops", False),
        ("MMOSTS://host/x/{to}", "town-square", False),  # in capitals too
        ("mastodons://x@host/{to}", "@ada@example.com", True),
        ("zulip://x@org/y/{to}", "ada@example.com", True),
        ("zulip://x@org/y/{to}", "#general", False),
    ],
)
def test_a_person_is_told_from_a_room_as_each_service_names_them(url, to, is_one):
    assert _chat_rooms.is_person(to, url) == is_one


@pytest.mark.parametrize(
    "said", [{}, {"url": 1}, {"url": "x", "for_people": "yes"}, {"url": "x", "more": 1}, ["x"], None]
)
def test_a_room_that_is_said_otherwise_is_rejected(send, rooms, said):
    rooms(ops=said)
    with pytest.raises(Rejected) as caught:
        send(address="discord")
    assert caught.value.reason == "not_configured"


ROOMS_OF = [
    # the address, and what is sent to it at once, and in a minute
    ("telegram:42", 5, 60),
    ("telegram:-1001234567890", 10, 20),  # a group
    ("telegram:@our_channel", 10, 20),
    ("slack:#ops", 5, 60),
    ("discord", 5, 60),
]


@pytest.mark.parametrize(("address", "at_once", "in_a_minute"), ROOMS_OF)
def test_each_room_has_its_services_limit_under_a_key_that_tells_nothing(
    make_message, address, at_once, in_a_minute
):
    key, limit = _chat_limits.part(make_message(address=address))
    assert (limit.burst, limit.number * 60 / limit.seconds) == (at_once, in_a_minute)
    assert address not in key
    assert key == _chat_limits.part(make_message(address=f" {address} "))[0]
