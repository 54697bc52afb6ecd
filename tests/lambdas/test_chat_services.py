"""Chat against what the services publish: their limits in their unit, their answers, their waits, and their
markup. The stand-in refuses what they refuse.
"""

import json

import pytest

from lambdas import chat
from lambdas._chat_markup import GAP
from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain
from notifier.local.chat import ROOMS
from tests.support.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.one_database

# Each room of the stand-in, as an address.
ADDRESSES = {
    "telegram": "telegram:42",
    "discord": "discord",
    "slack": "slack:#ops",
    "slack_bot": "slack_bot:#ops",
    "teams": "teams",
    "google_chat": "google_chat",
    "mattermost": "mattermost",
    "rocketchat": "rocketchat:#ops",
    "matrix": "matrix:!localroom:matrix.example.com",
    "wecom": "wecom",
    "dingtalk": "dingtalk",
    "feishu": "feishu",
    "lark": "lark",
    "mastodon": "mastodon",
}
# Where nothing can take a sign its meaning, one that looks like it stands for it.
LIKE = str.maketrans({"\u2217": "*", "\uff3f": "_", "\u223c": "~", "\u02cb": "`"})


@pytest.fixture
def send(cloud, make_message):
    def send(name, *, read_seconds=PATIENCE_SECONDS, **parts):
        with chat.open_session(read_seconds=read_seconds) as line:
            return chat.send(make_message(address=ADDRESSES.get(name, name), **parts), line)

    return send


def seen(message):
    return message.text.replace(GAP, "").translate(LIKE).replace("\r\n", "\n")


def test_the_stand_in_speaks_for_every_service_of_the_table():
    assert ADDRESSES.keys() == ROOMS.keys()


# What calls, formats or hides something anywhere.
EVIL = [
    "@everyone",
    "@here and @channel, @all, @room",
    "<@123> <@!123> <@&123> <#123>",
    "<!channel> <!here|x> <@U024BE7LH>",
    "<users/all>",
    "<at>boss@example.com</at>",
    '<at user_id="all">x</at>',
    "@ada @ada@social.example.com",
    "[click](https://evil.example.com)",
    "<https://evil.example.com|click>",
    '<a href="https://evil.example.com">x</a> <b>bold</b>',
    "*a* **b** _c_ __d__ ~e~ ~~f~~ `g` ```h``` ||i||",
    "# heading",
    "> quote",
    "- item",
    "1. first",
    "{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
    "a_snake_case and 2*3*4",
    "\\*a\\* \\@everyone",
    "Tom & Jerry &lt;b&gt; <3 >:)",
]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("evil", EVIL)
def test_a_persons_words_call_nobody_format_nothing_and_hide_no_link(cloud, send, name, evil):
    send(name, subject="", text=f"Hello {evil}!\n{evil}")
    (received,) = cloud.chat.messages
    assert (received.shown.calls, received.shown.links, received.shown.formatted) == ((), (), ())
    assert seen(received) == f"Hello {evil}!\n{evil}"


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("evil", EVIL)
def test_nor_do_they_in_a_title(cloud, send, name, evil):
    send(name, subject=evil, text="Hello")
    (received,) = cloud.chat.messages
    assert (received.shown.calls, received.shown.links) == ((), ())
    first = received.title or received.text.partition("\n")[0].replace("\r", "")
    assert first.replace(GAP, "").translate(LIKE) == evil


TEMPLATES = [
    # the service, the template's own words around «data», and what people see of them
    ("telegram", '<b>Sale</b> <a href="https://x.example.com">«*a*»</a> & «<b>»', {"formatted": ("Sale",)}),
    ("telegram", "<i>«@ada_lovelace <b>»</i>", {"formatted": ("@ada_lovelace <b>",)}),
    ("telegram", "1 < 2 & <b>«x»", {"formatted": ()}),  # not closed: Telegram would refuse it
    ("slack", "*Sale* for «*all*» <!channel> «<!here>»", {"formatted": ("Sale",), "calls": ("<!channel>",)}),
    ("slack", "<https://x.example.com|«Open <b>»>", {"links": (("Open <b>", "https://x.example.com"),)}),
    ("slack_bot", "<@U024BE7LH> «<@U1>»", {"calls": ("<@U024BE7LH>",)}),
    ("discord", "@everyone **Sale** «@here **x**»", {"formatted": ("Sale",), "calls": ("@everyone",)}),
    ("discord", "<@123> <@&456> «<@789>»", {"calls": ("<@123>", "<@&456>")}),
    (
        "discord",
        "[«Open»](https://x.example.com) «[y](https://e.example.com)»",
        {"links": (("Open", "https://x.example.com"),)},
    ),
    ("teams", "**Sale** «**x**» [Open](https://x.example.com)", {"formatted": ("Sale",)}),
    ("teams", "<at>ops@x.com</at> «<at>boss@x.com</at>»", {"calls": ("<at>ops@x.com</at>",)}),
    ("google_chat", "*Sale* <users/all> «*x* <users/1>»", {"calls": ("<users/all>",)}),
    ("google_chat", "*Sale* «*x*»", {"formatted": ("Sale",)}),
    ("mattermost", "@channel **Sale** «@all **x**»", {"formatted": ("Sale",), "calls": ("@channel",)}),
    ("rocketchat", "@here *Sale* «@all *x*»", {"formatted": ("Sale",), "calls": ("@here",)}),
    ("matrix", "@room Sale «x»", {"calls": ("@room",)}),
    ("matrix", "Sale «@room»", {"calls": ()}),
    ("wecom", "<@ada> Sale «<@bo>»", {"calls": ("<@ada>",)}),
    ("feishu", '<at user_id="all"> «<at user_id="all">»', {"calls": ('<at user_id="all">',)}),
    ("mastodon", "@ops@example.com: «@ada»", {"calls": ("@ops@example.com",)}),
    # A sign of the data's and a word of the template's are not one.
    ("discord", "«@»everyone «<»@123> «[x]»(https://e.example.com)", {"calls": (), "links": ()}),
    ("mattermost", "«@»all «x»@all", {"calls": ()}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "template", "expected"), TEMPLATES)
def test_the_templates_own_words_work(cloud, send, name, template, expected):
    text, spans = taken_apart(template)
    send(name, text=text, from_data=spans)
    (received,) = cloud.chat.messages
    shown = {part: tuple(map(clean, getattr(received.shown, part))) for part in expected}
    assert shown == expected


def taken_apart(template):
    """``(text, from_data)`` of a template with its data between « and »."""
    text, spans = "", []
    for index, piece in enumerate(template.replace("»", "«").split("«")):
        if index % 2:
            spans.append((len(text), len(text) + len(piece)))
        text += piece
    return text, tuple(spans)


def clean(found):
    return tuple(map(clean, found)) if isinstance(found, tuple) else found.replace(GAP, "")


NOES = [
    # the room, the answer, our error, its reason and seconds
    ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content"}, Rejected, "forbidden", None),
    ("dingtalk", {"errcode": 130101, "errmsg": "send too fast", "wait": 5}, TryAgain, "throttled", 5),
    ("dingtalk", {"errcode": 410100}, TryAgain, "throttled", None),
    ("dingtalk", {"errcode": -1, "errmsg": "系统繁忙"}, TryAgain, "provider_failed", None),
    ("dingtalk", {"errcode": 300001}, Rejected, "unauthorized", None),
    ("dingtalk", {"errcode": 999999}, Rejected, "refused", None),  # one nobody foresaw
    ("dingtalk", {"errcode": 999999, "errmsg": "too many requests"}, TryAgain, "throttled", None),
    ("dingtalk", {}, OutcomeUnknown, "unreadable_answer", None),
    ("dingtalk", [], OutcomeUnknown, "unreadable_answer", None),
    ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, TryAgain, "throttled", None),
    ("wecom", {"errcode": 45033}, TryAgain, "throttled", None),
    ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, Rejected, "not_found", None),
    ("wecom", {"errcode": 40058, "errmsg": "text.content exceed max length"}, Rejected, "too_long", None),
    ("wecom", {"errcode": "45009"}, TryAgain, "throttled", None),  # a number as a text
    ("feishu", {"code": 11232, "msg": "frequency limited psm"}, TryAgain, "throttled", None),
    ("feishu", {"code": 9499, "msg": "Bad Request"}, Rejected, "refused", None),
    ("feishu", {"code": 9499, "msg": "too many request"}, Rejected, "refused", None),
    ("feishu", {"code": 2200}, TryAgain, "provider_failed", None),
    ("feishu", {"code": 19001}, Rejected, "not_found", None),
    ("feishu", {"code": 19024, "msg": "Key Words Not Found"}, Rejected, "forbidden", None),
    ("lark", {"code": 11232}, TryAgain, "throttled", None),
    ("feishu", {"StatusCode": 11232, "StatusMessage": "x"}, TryAgain, "throttled", None),  # the older shape
    ("slack", {"ok": False, "error": "service_unavailable"}, TryAgain, "provider_failed", None),
    ("slack_bot", {"ok": False, "error": "service_unavailable"}, TryAgain, "provider_failed", None),
    ("slack_bot", {"ok": False, "error": "ratelimited"}, TryAgain, "throttled", None),
    ("slack_bot", {"ok": False, "error": "fatal_error"}, OutcomeUnknown, "provider_failed", None),
    ("slack_bot", {"ok": False, "error": "channel_not_found"}, Rejected, "not_found", None),
    ("slack_bot", {"ok": False, "error": "invalid_auth"}, Rejected, "unauthorized", None),
    ("slack_bot", {"ok": False, "error": "msg_too_long"}, Rejected, "too_long", None),
    ("slack_bot", {"ok": False}, Rejected, "refused", None),
    ("slack", "invalid_token", Rejected, "unauthorized", None),
    ("slack", "rollup_error", OutcomeUnknown, "provider_failed", None),
    ("telegram", {"ok": False, "error_code": 429, "parameters": {"retry_after": 7}},
     TryAgain, "throttled", 7),
    ("telegram", {"ok": False, "error_code": 400, "description": "Bad Request"}, Rejected, "refused", None),
    ("telegram", {"ok": False, "error_code": 502}, OutcomeUnknown, "provider_failed", None),
    ("telegram", {"ok": True}, OutcomeUnknown, "unreadable_answer", None),  # it tells an id
    ("teams", "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 "
              "with ContextId tcid=1.", TryAgain, "throttled", None),
    ("teams", "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 "
              "with ContextId tcid=1.", Rejected, "too_long", None),
    ("teams", "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 503 "
              "with ContextId tcid=1.", TryAgain, "provider_failed", None),
    ("teams", "Summary or Text is required: it failed.", Rejected, "refused", None),
    ("google_chat", {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, TryAgain, "throttled", None),
    ("google_chat", {"error": {"code": 403, "status": "PERMISSION_DENIED"}}, Rejected, "forbidden", None),
    ("google_chat", {}, OutcomeUnknown, "unreadable_answer", None),
    ("rocketchat", {"success": False, "error": "error-too-many-requests"}, TryAgain, "throttled", None),
    ("rocketchat", {"success": False, "error": "Error, too many requests. [error-too-many-requests]"},
     TryAgain, "throttled", None),
    ("rocketchat", {"success": False, "error": "invalid-channel"}, Rejected, "not_found", None),
    ("matrix", {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, TryAgain, "throttled", 3),
    ("matrix", {"errcode": "M_FORBIDDEN"}, Rejected, "forbidden", None),
    ("mattermost", {"id": "api.x", "message": "rate limit exceeded", "error": "x"},
     TryAgain, "throttled", None),
    ("mastodon", {"error": "Too many requests"}, TryAgain, "throttled", None),
    ("discord", {"message": "You are being rate limited.", "code": 20028}, TryAgain, "throttled", None),
]  # fmt: skip
# The requests before the one that carries the message.
BEFORE = {"rocketchat": "/chat.postMessage", "matrix": "/send/"}


@pytest.mark.parametrize(("name", "answer", "error", "reason", "seconds"), NOES)
def test_a_200_that_says_no_is_no(cloud, send, name, answer, error, reason, seconds):
    body = answer if isinstance(answer, str) else json.dumps(answer)
    cloud.chat.fail_next(200, body, at=BEFORE.get(name, ""))
    with pytest.raises(error) as caught:
        send(name)
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert getattr(caught.value, "after_seconds", None) == seconds
    assert cloud.chat.messages == []


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("telegram", 35), ("discord", 65), ("slack", 30), ("slack_bot", 30), ("teams", 20),
        ("google_chat", None),
        ("mattermost", 1), ("rocketchat", None), ("matrix", 3), ("wecom", None), ("dingtalk", 5),
        ("feishu", None), ("lark", None), ("mastodon", 86_400),
    ],
)  # fmt: skip
def test_a_service_that_has_enough_is_asked_again_when_it_says(cloud, send, name, seconds):
    cloud.chat.limit_next(name, at=BEFORE.get(name, ""))
    with pytest.raises(TryAgain) as caught:
        send(name)
    assert (caught.value.reason, caught.value.after_seconds) == ("throttled", seconds)


WAITS = [
    # the room, the body, the headers, seconds
    ("discord", {"retry_after": 1500}, {}, 2),  # the older API: milliseconds
    ("discord", {"retry_after": 1500}, {"x-ratelimit-reset-after": "1.5", "retry-after": "1500"}, 2),
    ("discord", {"retry_after": 12.2}, {}, 13),
    ("discord", {"retry_after": 30}, {}, 30),
    ("discord", {"retry_after": 172_800.5}, {}, 86_400),
    ("telegram", {"parameters": {"retry_after": 9_999_999_999}}, {}, 86_400),
    ("telegram", {"parameters": []}, {}, None),
    ("telegram", {"parameters": {"retry_after": -3}}, {}, None),
    ("slack", {}, {"retry-after": "9999999999"}, 86_400),
    ("slack", {}, {"retry-after": "100000"}, 86_400),
    ("slack", {}, {"retry-after": "-1"}, None),
    ("slack", {}, {"retry-after": "0"}, 1),
    ("slack", {}, {"retry-after": "0.5"}, 1),
    ("slack", {}, {"retry-after": "Fri, 31 Dec 2999 23:59:59 GMT"}, 86_400),
    ("slack", {}, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
    ("matrix", {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1}, {}, 1),
    ("matrix", {"errcode": "M_LIMIT_EXCEEDED"}, {"retry-after": "4"}, 4),
    ("feishu", {"code": 99991400}, {"x-ogw-ratelimit-reset": "52"}, 52),
    ("mastodon", {}, {"x-ratelimit-reset": "1999-01-01T00:00:00Z"}, None),
    ("mastodon", {}, {"x-ratelimit-reset": "soon"}, None),
    ("wecom", {}, {"retry-after": "12"}, 12),
]


@pytest.mark.parametrize(("name", "body", "headers", "seconds"), WAITS)
def test_a_wait_is_read_in_its_unit_and_bounded(cloud, send, name, body, headers, seconds):
    cloud.chat.fail_next(429, json.dumps(body), headers, at=BEFORE.get(name, ""))
    with pytest.raises(TryAgain) as caught:
        send(name)
    assert (caught.value.reason, caught.value.after_seconds) == ("throttled", seconds)


# What is sent, as often as it fits; the last sign may be left out, never a part of it.
SIGNS = ["x", "中", "é", "😀", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "n\u0303", "&", "<", '"', "*"]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_too_long_is_cut_where_the_service_counts_and_between_signs(cloud, send, name, sign):
    send(name, subject="News", text=sign * (60_000 // len(sign)))
    (received,) = cloud.chat.messages
    text = seen(received).removeprefix("News\n").replace(GAP, "")
    assert text.endswith("…")
    whole = text.removesuffix("…")
    assert whole, "nothing is left of it"
    assert whole.replace(sign, "") == ""


FITTING = [
    # the room, a text that it just takes whole, and one that it does not
    ("wecom", "中" * 682 + "xx", "中" * 683),  # 2,048 bytes
    ("dingtalk", "中" * 6666 + "xx", "中" * 6667),  # 20,000 bytes
    ("telegram", "😀" * 2048, "😀" * 2048 + "x"),  # 4,096 UTF-16 units
    ("telegram", "<&" * 2048, "<&" * 2048 + "x"),  # as people see them
    ("discord", "x" * 2000, "x" * 2001),
    ("mattermost", "中" * 16_383, "中" * 16_384),
    ("rocketchat", "😀" * 2500, "😀" * 2500 + "x"),
    ("mastodon", "x" * 477 + "https://example.com/a/very/long/way/to/somewhere", None),  # a link is 23
    ("mastodon", "x" * 500, "x" * 501),
    ("google_chat", "中" * 10_000, "中" * 11_000),
    ("teams", "中" * 8800, "中" * 9500),
    ("feishu", "中" * 6500, "中" * 6900),
]


@pytest.mark.parametrize(("name", "whole", "more"), FITTING)
def test_a_text_that_just_fits_stays_whole(cloud, send, name, whole, more):
    send(name, text=whole)
    assert seen(cloud.chat.messages[-1]) == whole
    if more:
        send(name, text=more)
        assert seen(cloud.chat.messages[-1]).endswith("…")


def test_what_is_cut_off_loses_its_markup_rather_than_half_of_it(cloud, send):
    text, spans = taken_apart("<b>" + "«x»" * 5000 + "</b>")
    send("telegram", text=text, from_data=spans)
    (received,) = cloud.chat.messages
    assert received.shown.formatted == ()


AROUND = [
    # the room, the path of the request that fails, its status, and our error; None: the message is sent
    ("rocketchat", "/logout", 500, None),
    ("rocketchat", "/logout", 429, None),
    ("rocketchat", "/login", 429, TryAgain),
    ("rocketchat", "/login", 503, TryAgain),  # a question: nothing was sent
    ("rocketchat", "/login", 401, Rejected),
    ("rocketchat", "/chat.postMessage", 500, OutcomeUnknown),  # and a logout that goes well changes nothing
    ("rocketchat", "/chat.postMessage", 429, TryAgain),
    ("matrix", "/whoami", 503, TryAgain),
    ("matrix", "/join/!localroom:matrix.example.com", 429, TryAgain),
]


@pytest.mark.parametrize(("name", "path", "status", "error"), AROUND)
def test_the_request_that_carries_the_message_decides_and_no_other(cloud, send, name, path, status, error):
    cloud.chat.fail_next(status, "{}", at=path)
    if error is None:
        assert send(name)
    else:
        with pytest.raises(error) as caught:
            send(name)
        assert type(caught.value) is error
    assert len(cloud.chat.messages) == (error is None)
