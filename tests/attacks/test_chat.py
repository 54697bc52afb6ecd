"""A customer's words in a chat call nobody, hide no link and show no picture, on any service; a template's
author still may. And no person's own address is a room in which others read.

The whole way: a template, an event's data, the function, and the stand-in that reads a call as the service
does. Each attack on each service, in the text alone: ``test_chat_words``.
"""

import json

import pytest

from lambdas import _chat_rooms, chat
from notifier.exceptions import Skipped
from notifier.local.chat import ROOMS
from notifier.models import Rate
from tests.support.builders import make_delivery
from tests.support.chat_attacks import EVIL
from tests.support.functions import bodies_for, invoke

through_the_function = pytest.mark.django_db(transaction=True)

# Where a room's URL has a place for whom it is for.
ADDRESSES = dict(zip(ROOMS, ROOMS, strict=True)) | {
    "telegram": "telegram:42",
    "slack": "slack:#ops",
    "slack_bot": "slack_bot:#ops",
    "rocketchat": "rocketchat:#ops",
    "matrix": "matrix:!localroom:matrix.example.com",
}

# As many as the shortest message takes, twice.
AT_ONCE = 3


@pytest.fixture
def sent(cloud):
    """``sent(name, written, data)``: what a service got of a template with an event's data in it."""

    def sent(name, written, data):
        address = ADDRESSES[name]
        delivery = make_delivery(
            channel="chat", parts={"subject": "{{ title }}", "text": written}, data={"title": data},
            address=address, recipient=f"address:{address}",
        )  # fmt: skip
        Rate.objects.all().delete()
        invoke("chat", *bodies_for("chat", [delivery.pk]))
        delivery.refresh_from_db()
        assert (delivery.status, delivery.reason) == ("sent", "")
        return cloud.chat.messages[-1]

    return sent


def test_each_service_has_its_room():
    assert ADDRESSES.keys() == ROOMS.keys()


@through_the_function
@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_a_customers_words_are_only_words(sent, name):
    meant = []
    for at in range(0, len(EVIL), AT_ONCE):
        evil = "\n\n".join(EVIL[at : at + AT_ONCE])
        received = sent(name, "News: {{ title }}", evil)
        assert "…" not in received.text
        meant += [*received.shown.calls, *received.shown.links]
    assert meant == []


WRITTEN = [
    # the service, what the template's author writes, and what it does there
    ("discord", "@everyone <@&456>", ("@everyone", "<@&456>")),
    ("mattermost", "@channel", ("@channel",)),
    ("slack", "<!channel>", ("<!channel>",)),
    ("slack_bot", "<!subteam^S024BE7LH>", ("<!subteam^S024BE7LH>",)),
    ("google_chat", "<users/all>", ("<users/all>",)),
    ("rocketchat", "@all", ("@all",)),
    ("matrix", "@room", ("@room",)),
    ("wecom", "<@ada>", ("<@ada>",)),
    ("feishu", '<at user_id="all">', ('<at user_id="all">',)),
    ("mastodon", "@ops@example.com", ("@ops@example.com",)),
]


@through_the_function
@pytest.mark.parametrize(("name", "written", "calls"), WRITTEN)
def test_what_the_author_writes_calls_and_what_the_customer_writes_beside_it_does_not(
    sent, name, written, calls
):
    shown = sent(name, f"{written}: {{{{ title }}}}", f"{written}!").shown
    assert shown.calls == calls


OWN = [
    # what somebody may write as an address of their own, and whether it is one
    ("ops", False), ("discord", False), (" ops ", False), ("slack:#ops", False), ("slack:C024BE7LR", False),
    ("slack:+C024BE7LR", False), ("telegram:-100123", False), ("telegram:@channel", False),
    ("rocketchat:#ops", False), ("rocketchat:ops", False), ("matrix:!room:x.org", False),
    ("slack://token/#ops", False), ("", False),
    ("telegram:42", True), ("slack:@ada", True), ("slack:U024BE7LH", True), ("rocketchat:@ada", True),
]  # fmt: skip


@pytest.fixture
def rooms(monkeypatch):
    found = ROOMS | {"ops": ROOMS["discord"], "board": {"url": ROOMS["discord"], "for_people": True}}
    monkeypatch.setenv("CHAT_ROOMS", json.dumps(found))


@pytest.mark.parametrize("address", [address for address, is_own in OWN if is_own])
def test_an_address_of_one_person_is_theirs(rooms, address):
    assert chat.is_ones_own(address)
    assert _chat_rooms.url_of(address, _chat_rooms.read_rooms(), is_own=True)


@pytest.mark.parametrize("address", [address for address, is_own in OWN if not is_own])
def test_a_room_in_which_others_read_is_nobodys_own_address(rooms, address):
    assert not chat.is_ones_own(address)
    with pytest.raises(Skipped) as refused:
        _chat_rooms.url_of(address, _chat_rooms.read_rooms(), is_own=True)
    assert refused.value.reason == "invalid_address"


def test_a_room_that_is_declared_for_people_may_stand_in_their_address_and_is_not_theirs_alone(rooms):
    assert _chat_rooms.url_of("board", _chat_rooms.read_rooms(), is_own=True)
    assert not chat.is_ones_own("board")
