"""What a service takes for a call, a link or a picture is not in what it gets of a customer's words: each
attack on each service, without a database. The whole way is in ``test_chat``.
"""

import re

import pytest

from lambdas._chat_fitting import fit
from lambdas._chat_services import SERVICES
from notifier.channels.message import Message
from tests.support.chat_attacks import EVIL

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


def test_each_service_has_its_row():
    assert MEANT.keys() == SERVICES.keys()


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


def test_discord_is_told_that_nobody_may_be_called():
    message = Message(delivery=1, attempt=1, address="discord", text="@everyone <@1> <@&2>")
    fitted = fit(message, plugin=None, name="discord")
    assert fitted.amend({})["allowed_mentions"] == {"parse": [], "users": [], "roles": []}
