"""A chat's address is a name without a secret, and each answer of a service becomes the right one of ours
after one request.
"""

import json
import logging
from collections import Counter

import pytest
import requests

from lambdas import _chat_fitting, _chat_rooms, chat
from lambdas._chat_answers import outcome_of
from lambdas._chat_line import WATCHED, Exchange
from lambdas._chat_markup import GAP
from lambdas._chat_services import SERVICES
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.local.chat import ARCHIVED_ROOM, ROOMS, TELEGRAM_BOT, UNKNOWN_CHAT, WHO_BLOCKED_THE_BOT
from notifier.models import Delivery
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke
from tests.support.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.one_database

MARKUP = "30 % <b>off</b> & *more* _now_ [here](http://x) `code` ’"


@pytest.fixture
def send(cloud, make_message):
    """``send(text=…, address=…)`` through a session of its own, as the environment then is."""

    def send(*, address="telegram:42", read_seconds=PATIENCE_SECONDS, **parts):
        with chat.open_session(read_seconds=read_seconds) as line:
            return chat.send(make_message(address=address, **parts), line)

    return send


@pytest.fixture
def rooms(monkeypatch):
    """``rooms(name=url)``: these, beside the local ones."""
    return lambda **more: monkeypatch.setenv("CHAT_ROOMS", json.dumps(ROOMS | more))


@pytest.mark.parametrize(
    ("address", "room"),
    [
        ("telegram:42", "telegram:42"),  # a person, by the bot's token from CHAT_ROOMS
        ("telegram:-1001234567890", "telegram:-1001234567890"),  # a group, whose ids are negative
        (" telegram:42 ", "telegram:42"),  # pasted with blanks
        ("slack:#ops", "slack:#ops"),  # a channel; in a URL its sign would begin a fragment
        ("discord", "discord"),  # a room with nobody to name
    ],
)
def test_a_message_reaches_its_room_with_title_and_text_as_they_were_written(cloud, send, address, room):
    provider_id = send(address=address, subject="Sale <1> & more", text=MARKUP)

    (received,) = cloud.chat.messages
    assert received.room == room
    said = f"{received.title}\n{received.text}".replace("\r\n", "\n").strip()
    # A gap of no width keeps words from being read as a call or a sign.
    assert said.replace(GAP, "") == f"Sale <1> & more\n{MARKUP}"
    # A webhook of Slack tells none
    assert provider_id == ("" if address.startswith("slack") else received.id)
    assert cloud.chat.requests == 1


@pytest.mark.parametrize(
    "address",
    [
        "",  # nothing
        f"tgram://{TELEGRAM_BOT}/42",  # a whole URL would be stored with its secret
        "telegram:",  # for whom?
        "telegram",  # the same
        "discord:42",  # a room that is for nobody by name
        "telegram:42/43",  # several people
        "telegram:42,43",  # several people
        "telegram:42?verify=no",  # Apprise's options
        "telegram:42&overflow=split",
        "telegram:%34",  # would be read twice
        "telegram:42\r\nHost: x",  # a header
        "telegram:..",  # a way up
        "telegram:" + "4" * 200,  # longer than any id
    ],
)
def test_an_address_that_is_no_room_or_holds_more_than_a_name_is_skipped(cloud, send, address):
    with pytest.raises(Skipped) as caught:
        send(address=address)
    assert caught.value.reason == "invalid_address"
    assert TELEGRAM_BOT not in caught.value.detail
    assert cloud.chat.requests == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("syslog://", "refused_here"),  # this machine's own log
        ("dbus://", "refused_here"),  # its screen
        ("json://127.0.0.1/", "refused_here"),  # webhooks have a channel of their own, with a guard
        ("xmls://10.0.0.1/", "refused_here"),
        ("FORM://169.254.169.254/", "refused_here"),  # in capitals too
        ("mailto://user:pass@example.com", "refused_here"),  # so have mails
        ("mqtt://localhost/topic", "refused_here"),  # a socket of its own
        ("apprise://localhost/token", "refused_here"),  # would reach all that is refused here
        ("nonsense://x", "not_configured"),  # Apprise does not know it
        ("tgram://no-token/42", "not_configured"),  # nor this
        (f"tgram://{TELEGRAM_BOT}/1/2", "not_configured"),  # two people: one could get it and one not
    ],
)
def test_a_room_that_reaches_elsewhere_is_refused(cloud, send, rooms, url, reason):
    rooms(ops=url)
    with pytest.raises(Rejected) as caught:
        send(address="ops")
    assert caught.value.reason == reason
    assert cloud.chat.requests == 0


def test_whom_a_message_is_for_cannot_choose_the_server(cloud, send, rooms):
    rooms(ops="mmosts://{to}/token")
    with pytest.raises(Rejected, match="after the host"):
        send(address="ops:169.254.169.254")
    assert cloud.chat.requests == 0


@pytest.mark.parametrize("secret", ["", "no JSON", "[]", '{"ops": 1}'])
def test_without_its_secret_or_the_room_in_it_a_message_is_rejected_and_the_secret_not_quoted(
    send, monkeypatch, secret
):
    monkeypatch.setenv("CHAT_ROOMS", secret)
    with pytest.raises(Rejected) as caught:
        send(address="ops")
    assert caught.value.reason == ("unknown_room" if not secret else "not_configured")
    assert "no JSON object" in caught.value.detail or not secret


@pytest.mark.parametrize(
    ("address", "parts", "reason"),
    [
        ("telegram:42", {"text": " \n"}, "empty"),  # as good as nothing
        (f"telegram:{UNKNOWN_CHAT}", {}, "refused"),  # 400: chat not found
        (f"telegram:{WHO_BLOCKED_THE_BOT}", {}, "forbidden"),  # 403: the person does not want it
        (f"slack:{ARCHIVED_ROOM}", {}, "not_found"),  # 410
        ("elsewhere:42", {}, "unauthorized"),  # 401: a token of nobody
        ("gone", {}, "not_found"),  # 404: Discord's hook was deleted
    ],
)
def test_what_a_service_will_never_take_is_rejected(send, rooms, address, parts, reason):
    rooms(
        elsewhere="tgram://123456789:another-telegram-token-of-nobody/{to}", gone="discord://1/another-token"
    )
    with pytest.raises(Rejected) as caught:
        send(address=address, **parts)
    assert caught.value.reason == reason


TELEGRAM_SLOW = json.dumps({"ok": False, "error_code": 429, "parameters": {"retry_after": 35}})


@pytest.mark.parametrize(
    ("address", "body", "headers", "seconds"),
    [
        ("telegram:42", TELEGRAM_SLOW, {}, 35),  # https://core.telegram.org/bots/api#responseparameters
        ("slack:#ops", "", {"retry-after": "30"}, 30),  # https://docs.slack.dev/apis/web-api/rate-limits
        # Https://docs.discord.com/developers/topics/rate-limits
        ("discord", '{"retry_after": 64.57, "global": false}', {}, 65),
        # Apprise would sleep till then
        ("discord", "", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"}, None),
        ("slack:#ops", "[]", {"retry-after": "soon"}, None),  # nonsense
        ("slack:#ops", "", {"retry-after": "inf"}, None),  # nonsense
    ],
)
def test_too_early_is_tried_again_when_the_service_says_and_not_at_once(
    cloud, send, address, body, headers, seconds
):
    cloud.chat.fail_next(429, body, headers)
    with pytest.raises(TryAgain) as caught:
        send(address=address)
    assert (caught.value.reason, caught.value.after_seconds) == ("throttled", seconds)
    assert cloud.chat.requests == 1


@pytest.mark.parametrize(
    ("status", "body", "error", "reason"),
    [
        (500, "", OutcomeUnknown, "provider_failed"),  # may have failed after it sent
        (503, "", OutcomeUnknown, "provider_failed"),  # a gateway's answer says nothing
        (302, "", Rejected, "refused"),  # moved: nobody follows with a token
        (413, "", Rejected, "too_long"),
        (418, "", Rejected, "refused"),  # one nobody foresaw
        (200, "<html>", OutcomeUnknown, "unreadable_answer"),  # somebody else's page
        (200, '{"ok": true}', OutcomeUnknown, "unreadable_answer"),  # Telegram tells an id
    ],
)
def test_each_answer_becomes_ours_after_one_request(cloud, send, status, body, error, reason):
    cloud.chat.fail_next(status, body)
    with pytest.raises(error) as caught:
        send()
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert cloud.chat.requests == 1


def test_nobody_listening_means_that_nothing_was_sent(send, monkeypatch, closed_url):
    monkeypatch.setenv("CHAT_API_URL", closed_url)
    with pytest.raises(TryAgain) as caught:
        send()
    assert caught.value.reason == "unreachable"


def test_an_answer_that_never_comes_leaves_the_outcome_unknown(send, monkeypatch, silent_url):
    monkeypatch.setenv("CHAT_API_URL", silent_url)
    with pytest.raises(OutcomeUnknown) as caught:
        send(read_seconds=0.2)
    assert caught.value.reason == "timeout"


def test_all_requests_of_one_message_share_its_time(send, monkeypatch, silent_url):
    """A service that wants a login first would take twice as long as the function keeps for one message."""
    monkeypatch.setenv("CHAT_API_URL", silent_url)
    monkeypatch.setattr(chat, "BUDGET_SECONDS", chat.CONNECT_SECONDS + 0.2)
    with pytest.raises(OutcomeUnknown, match="in time"):
        send(read_seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("address", "limit"),
    [("telegram:42", 4096), ("discord", 2000)],  # theirs: the stand-in refuses one more
)
def test_a_text_that_is_too_long_loses_its_end_and_is_one_message(cloud, send, address, limit):
    send(address=address, subject="News", text="word " * 2000)

    (received,) = cloud.chat.messages
    assert received.text.endswith("…")
    assert limit - 10 < len(received.title) + len(received.text) <= limit


def test_two_messages_in_a_row_wait_for_nothing(cloud, send, monkeypatch):
    """Apprise sleeps between two requests of a plugin, and as long as a service's headers say."""

    def asleep(seconds):
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr("apprise.url.time.sleep", asleep)
    plugin = _chat_rooms.plugin_for(ROOMS["discord"] + "?retry=3")
    plugin.throttle()
    plugin.throttle(wait=9)
    assert plugin.retry == 0
    cloud.chat.fail_next(429, "", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"})
    with pytest.raises(TryAgain):
        send(address="discord")


def test_no_plugin_of_apprise_reaches_the_network_but_by_our_line_or_is_refused():
    """Each plugin either has our ``requests``, or (itself or what it builds on) speaks by other means and is
    in REFUSED.
    """
    import sys

    from apprise.manager_plugins import NotificationManager

    _chat_rooms.plugin_for(ROOMS["discord"])
    found = {}
    for plugin in NotificationManager().plugins():
        modules = [
            sys.modules[each.__module__]
            for each in plugin.__mro__
            if each.__module__.startswith("apprise.plugins.")
        ]
        packages = {module.__name__.removesuffix(".base") for module in modules} - {"apprise.plugins"}
        speaks = [
            getattr(module, "requests", None)
            for name, module in sys.modules.items()
            if name.removesuffix(".base") in packages
        ]
        if WATCHED not in speaks:
            found[plugin.__module__] = set(plugin.schemas(plugin)) - _chat_rooms.REFUSED
    assert {name: schemas for name, schemas in found.items() if schemas} == {}
    assert len(found) > 10, "nothing was looked at"


def test_neither_log_nor_error_holds_a_token_an_address_or_the_text(cloud, send, caplog):
    caplog.set_level(logging.DEBUG)
    send(text="Of nobody's business")
    cloud.chat.fail_next(400, "Of nobody's business 7400447100")
    with pytest.raises(Rejected) as caught:
        send(address="telegram:7400447100", text="Of nobody's business")
    seen = caplog.text + caught.value.detail
    assert [word for word in ("business", "7400447100", TELEGRAM_BOT.partition(":")[2]) if word in seen] == []


# A service that is not in the table, and what it says within a 200.
ELSEWHERE = "zulip://bot@org.zulipchat.com/a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5/general"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"result": "success", "id": 42}, None),
        (200, {"ok": False}, Rejected),
        (200, {"success": False, "error": "x"}, Rejected),
        (200, {"status": "error"}, Rejected),
        (200, {"errcode": 7}, Rejected),
        (200, {"errcode": 7, "errmsg": "Rate limit hit"}, TryAgain),
        (429, {}, TryAgain),
        (500, {}, OutcomeUnknown),
        (400, {"result": "error"}, Rejected),
    ],
)
def test_a_service_that_is_not_in_the_table_is_read_by_the_usual_words(
    send, cloud, rooms, status, body, error
):
    rooms(elsewhere=ELSEWHERE)
    cloud.chat.fail_next(status, json.dumps(body))
    if error is None:
        send(address="elsewhere")
        return
    with pytest.raises(error) as caught:
        send(address="elsewhere")
    assert type(caught.value) is error


def answer(status, body):
    found = requests.Response()
    found.status_code, found._content = status, json.dumps(body).encode()
    return found


TAKEN, REFUSED = answer(200, {"id": "7"}), answer(400, {"code": 50_006})
SEVERAL = [
    # what the parts of one message were answered, and our error
    ([TAKEN, TAKEN], None),
    ([TAKEN, REFUSED], "partly_sent"),
    ([REFUSED, TAKEN], "partly_sent"),  # the last does not decide
    ([TAKEN, answer(429, {})], "partly_sent"),  # what went is not sent twice
    ([TAKEN, requests.ConnectionError()], "partly_sent"),
    ([REFUSED, answer(429, {})], "refused"),
]


@pytest.mark.parametrize(("answers", "reason"), SEVERAL)
def test_of_several_parts_none_decides_alone_and_none_goes_twice(answers, reason):
    parts = [Exchange("POST", "/api/webhooks/1/x", each) for each in answers]
    if reason is None:
        assert outcome_of(parts, SERVICES["discord"], taken=True) == "7"
        return
    with pytest.raises(Rejected) as caught:
        outcome_of(parts, SERVICES["discord"], taken=False)
    assert caught.value.reason == reason


def test_discord_is_told_whom_a_message_may_call_whatever_else_its_text_holds():
    amend = _chat_fitting.AMENDS["discord"]
    calling = {"parse": ["everyone"], "users": ["123"], "roles": ["456"]}
    assert amend("@everyone <@!123> <@&456>", {})["allowed_mentions"] == calling
    nobody = {"parse": [], "users": [], "roles": []}
    assert amend("@\u200beveryone <\u200b@123>", {})["allowed_mentions"] == nobody
    # The room's own URL says whom: Apprise's `ping`.
    assert amend("@everyone", {"allow_mentions": {"parse": []}}) == {"allow_mentions": {"parse": []}}


def test_the_editor_says_in_which_chats_a_text_loses_its_end(make_message):
    (problem,) = chat.examine(make_message(text="中" * 700)).problems
    assert problem.text == "Too long for WeCom, Mastodon: the end is cut off there."
    assert chat.examine(make_message(text="中" * 499)).problems == ()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["text", "html"])
def test_from_the_template_to_the_room_data_calls_nobody_and_the_templates_words_work(cloud, part):
    source = "@everyone **{{ title }}** [{{ title }}](https://x.example.com/{{ user.pk }})"
    delivery = make_delivery(
        channel="chat", address="discord", recipient="address:discord", parts={"text": "", part: source},
        data={"title": "@here [x](https://evil.example.com) **b**"},
    )  # fmt: skip
    invoke("chat", *bodies_for("chat", [delivery.pk]))
    delivery.refresh_from_db()
    (received,) = cloud.chat.messages
    shown = received.shown
    assert "evil" not in str([url for _words, url in shown.links])
    # What a text was made from an HTML of, nobody knows: all of it is data.
    assert shown.calls == (("@everyone",) if part == "text" else ())
    assert len(shown.links) == (part == "text")


@pytest.mark.django_db(transaction=True)
def test_no_more_goes_to_one_room_at_once_than_it_takes_and_the_rest_waits(cloud):
    mine = [make_delivery(channel="chat", address="telegram:42").pk for _number in range(12)]
    others = [make_delivery(channel="chat", address="telegram:43").pk]
    invoke("chat", *bodies_for("chat", [*mine, *others]))
    found = Counter(Delivery.objects.values_list("address", "status", "reason"))
    # One more for each two seconds that this machine is slow.
    assert 5 <= found["telegram:42", "sent", ""] <= 8
    assert found["telegram:42", "waiting", "rate"] == 12 - found["telegram:42", "sent", ""]
    assert found["telegram:43", "sent", ""] == 1
