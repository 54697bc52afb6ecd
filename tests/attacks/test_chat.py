"""A customer's words in a chat call nobody, hide no link and show no picture, on any service; a template's
author still may. And no person's own address is a room in which others read.

The whole way: a template, an event's data, the function, and the stand-in that reads a call as the service
does. What each service takes for one is looked for in the text that arrived, too.
"""

import json
import re

import pytest

from lambdas import _chat_rooms, chat
from lambdas._chat_fitting import fit
from lambdas._chat_services import SERVICES
from notifier.channels.message import Message
from notifier.exceptions import Skipped
from notifier.local.chat import ROOMS
from notifier.models import Rate
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke

pytestmark = pytest.mark.django_db(transaction=True)

# Where a room's URL has a place for whom it is for.
ADDRESSES = dict(zip(ROOMS, ROOMS, strict=True)) | {
    "telegram": "telegram:42",
    "slack": "slack:#ops",
    "slack_bot": "slack_bot:#ops",
    "rocketchat": "rocketchat:#ops",
    "matrix": "matrix:!localroom:matrix.example.com",
}

# What a service reads as more than words, in what arrives there.
MEANT = {
    # https://docs.discord.com/developers/reference#message-formatting; a backslash makes a sign of it
    "discord": r"@(?:everyone|here)|<(?:@[!&]?|#|/[\w ]+:|a?:\w+:|t:|id:)\w+>|(?<!\\)\]\(",
    # https://docs.mattermost.com/collaborate/mention-people.html, .../format-messages.html
    "mattermost": r"(?<![\w@/])@[a-z][\w.-]*|(?<!\\)\](?:\(|\[|:)",
    # https://docs.joinmastodon.org/user/posting/#mention
    "mastodon": r"(?<![\w/@])@\w+",
    # https://docs.slack.dev/messaging/formatting-message-text#advanced
    "slack": r"<[!@#]|<(?:https?|mailto):",
    # https://core.telegram.org/bots/api#html-style; a name calls whoever has it
    "telegram": r"<(?!b>)\w|(?<!\w)@\w{5}",
    # https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
    "workflows": r"<at\b|(?<!\\)\]\(|\{\{",
    # https://developers.google.com/workspace/chat/format-messages
    "google_chat": r"<users/|<https?:",
    # https://docs.rocket.chat/docs/message-formatting
    "rocketchat": r"(?<![\w/])@[\w.-]+|\]\(|<https?:[^>]*\|",
    # https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions
    "matrix": r"@room|<a\b",
    # https://developer.work.weixin.qq.com/document/path/91770
    "wecombot": r"<@",
    # https://open.dingtalk.com/document/orgapp/custom-robot-access: whom the request's own field names
    "dingtalk": r"(?<![\w/])@\w",
    # https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    "feishu": r"<at\b",
    "lark": r"<at\b",
}
# As many as the shortest message takes, twice.
AT_ONCE = 3
EVIL = [
    "@everyone", "@EVERYONE", "@Here", "(@all)", "@channel.", "x @room", "\\@everyone", "*@here*",
    "\u202e@all", "@every\u200bone", "@ada_lovelace", "@ada@social.example.com",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "</ban:1>", "<a:wave:1>", "<t:0>", "<id:home>", "<@all>",
    "<!channel>", "<!here|x>", "<!subteam^S1>", "<!date^1^{date}^https://evil.example.com|x>", "<@U024BE7LH>",
    "<users/all>", '<at user_id="all"></at>', "<at>all</at>", '<at id="0">x</at>',
    "[x](https://evil.example.com)", "![x](https://evil.example.com/a.png)", "[x](<https://evil.example.com>)",
    "[x](tg://user?id=1)", "[x][1]\n\n[1]: https://evil.example.com", "[https://a.org](https://evil.example.com)",
    "[x\n](https://evil.example.com)", "<https://evil.example.com|x>", "<mailto:a@b.example|x>",
    '<a href="https://evil.example.com">x</a>', '<a href="tg://user?id=1">x</a>',
    '<a href="https://matrix.to/#/@ada:matrix.example.com">x</a>', "{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
    "https://example.com/@everyone", "https://example.com/<!here>",
]  # fmt: skip


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


def test_each_service_has_its_row():
    assert MEANT.keys() == SERVICES.keys()
    assert ADDRESSES.keys() == ROOMS.keys()


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_a_customers_words_are_only_words(sent, name):
    meant = []
    for at in range(0, len(EVIL), AT_ONCE):
        evil = "\n\n".join(EVIL[at : at + AT_ONCE])
        received = sent(name, "News: {{ title }}", evil)
        assert "…" not in received.text
        meant += [*received.shown.calls, *received.shown.links]
    assert meant == []


@pytest.mark.parametrize("name", sorted(MEANT))
@pytest.mark.parametrize("evil", EVIL)
def test_nothing_that_the_service_reads_as_more_is_in_what_it_gets(name, evil):
    # As Slack gets it where the template has signs of its own; else Apprise escapes all of it.
    message = Message(
        delivery=1,
        attempt=1,
        address="",
        subject=evil,
        text=f"*News*: {evil}",
        from_data=((8, 8 + len(evil)),),
    )
    assert not re.search(MEANT[name], fit(message, plugin=None, name=name).text)


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


@pytest.mark.parametrize(("name", "written", "calls"), WRITTEN)
def test_what_the_author_writes_calls_and_what_the_customer_writes_beside_it_does_not(
    sent, name, written, calls
):
    shown = sent(name, f"{written}: {{{{ title }}}}", f"{written}!").shown
    assert shown.calls == calls


def test_discord_is_told_that_nobody_may_be_called(cloud):
    message = Message(delivery=1, attempt=1, address="discord", text="@everyone <@1> <@&2>")
    fitted = fit(message, plugin=None, name="discord")
    assert fitted.amend({})["allowed_mentions"] == {"parse": [], "users": [], "roles": []}


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
