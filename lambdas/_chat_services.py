"""The chat services that are used most, each as it publishes itself: what it takes, in its own unit, what its
answers mean, and what its text may hold. Called by ``chat``; Apprise knows their addresses and passwords.

A service that is not here is sent text by Apprise, and its answers are read by the words that most use.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain

from . import _chat_markup as markup, _chat_units as units, _chat_waits as waits

LIMITED, BUSY = (TryAgain, "throttled"), (TryAgain, "provider_failed")
REFUSED, FORBIDDEN = (Rejected, "refused"), (Rejected, "forbidden")
UNAUTHORIZED, NOT_FOUND = (Rejected, "unauthorized"), (Rejected, "not_found")
TOO_LONG = (Rejected, "too_long")
UNKNOWN = (OutcomeUnknown, "provider_failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """``label``: its name for people. ``sends``: the path of the request that carries the message; all others
    ask, log in or log out.

    ``limit`` in ``unit`` is what it takes of ``envelope`` and text. ``verdict``: the field of an answer that
    says how it went, and its value for a success; ``code``: the field of the code that ``errors`` has an
    error for. ``id``: where the message's id is. ``wait``: the seconds that an answer asks for. ``neutral``
    and ``keep``: see ``_chat_markup``.
    """

    label: str
    sends: re.Pattern[str]
    limit: int
    unit: Callable[[str], int] = units.characters
    envelope: int = 0
    bold: str = "{}"
    neutral: Callable[[str], str] = markup.plain
    keep: Callable[[str], str] = markup.as_written
    verdict: tuple[str, Any] | None = None
    code: str = ""
    errors: Mapping[Any, tuple[type, str]] = field(default_factory=dict)
    id: tuple[str, ...] = ()
    must_tell_id: bool = False
    wait: Callable[[Mapping[str, str], Any], int | None] | None = None


# https://docs.slack.dev/reference/methods/chat.postMessage#errors and
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors. Of the two that
# say they may have done part of it, nobody knows.
SLACK = {
    "ratelimited": LIMITED, "rate_limited": LIMITED, "message_limit_exceeded": LIMITED,
    "service_unavailable": BUSY, "team_added_to_org": BUSY, "request_timeout": BUSY,
    "internal_error": UNKNOWN, "fatal_error": UNKNOWN, "rollup_error": UNKNOWN,
    "msg_too_long": TOO_LONG, "invalid_auth": UNAUTHORIZED, "not_authed": UNAUTHORIZED,
    "token_revoked": UNAUTHORIZED, "token_expired": UNAUTHORIZED, "account_inactive": UNAUTHORIZED,
    "invalid_token": UNAUTHORIZED, "missing_scope": FORBIDDEN, "not_in_channel": FORBIDDEN,
    "restricted_action": FORBIDDEN, "action_prohibited": FORBIDDEN,
    "posting_to_general_channel_denied": FORBIDDEN, "channel_not_found": NOT_FOUND,
    "users_not_found": NOT_FOUND, "user_not_found": NOT_FOUND, "is_archived": NOT_FOUND,
    "channel_is_archived": NOT_FOUND, "no_service": NOT_FOUND, "no_team": NOT_FOUND,
}  # fmt: skip
# https://developer.work.weixin.qq.com/document/path/90455; 45033: too many at the same time.
WECOM = {
    -1: BUSY, 45009: LIMITED, 45033: LIMITED, 40058: TOO_LONG, 45002: TOO_LONG, 93000: NOT_FOUND,
    93017: NOT_FOUND, 40001: UNAUTHORIZED, 40014: UNAUTHORIZED, 60020: FORBIDDEN,
}  # fmt: skip
# https://open.dingtalk.com/document/orgapp/custom-robot-access and /orgapp/error-code: 310000 is the room's
# own rule (a word, a signature, an address), 430101 to 430104 are words that DingTalk refuses.
DINGTALK = {
    -1: BUSY, 130101: LIMITED, 410100: LIMITED, 310000: FORBIDDEN, 300001: UNAUTHORIZED,
    400101: NOT_FOUND, 400013: NOT_FOUND, 400102: FORBIDDEN, 400105: REFUSED, 400106: REFUSED,
    460101: TOO_LONG, 34016: TOO_LONG, 430101: REFUSED, 430102: REFUSED, 430103: REFUSED, 430104: REFUSED,
}  # fmt: skip
# https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot and
# https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control; 2200 is an error of its own.
FEISHU = {
    2200: BUSY, 11232: LIMITED, 11233: LIMITED, 99991400: LIMITED, 19001: NOT_FOUND, 19021: UNAUTHORIZED,
    19022: FORBIDDEN, 19024: FORBIDDEN, 19036: TOO_LONG, 9499: REFUSED,
}  # fmt: skip
# https://spec.matrix.org/latest/client-server-api/#common-error-codes
MATRIX = {
    "M_LIMIT_EXCEEDED": LIMITED, "M_TOO_LARGE": TOO_LONG, "M_FORBIDDEN": FORBIDDEN,
    "M_UNKNOWN_TOKEN": UNAUTHORIZED, "M_MISSING_TOKEN": UNAUTHORIZED, "M_USER_DEACTIVATED": UNAUTHORIZED,
    "M_NOT_FOUND": NOT_FOUND, "M_GUEST_ACCESS_FORBIDDEN": FORBIDDEN,
}  # fmt: skip
# https://cloud.google.com/apis/design/errors#handling_errors
GOOGLE = {
    "RESOURCE_EXHAUSTED": LIMITED, "UNAVAILABLE": BUSY, "ABORTED": BUSY, "INTERNAL": UNKNOWN,
    "DEADLINE_EXCEEDED": UNKNOWN, "PERMISSION_DENIED": FORBIDDEN, "UNAUTHENTICATED": UNAUTHORIZED,
    "NOT_FOUND": NOT_FOUND,
}  # fmt: skip
# https://github.com/RocketChat/Rocket.Chat/blob/develop/apps/meteor/packages/rocketchat-i18n: its own words
ROCKET = {
    "error-too-many-requests": LIMITED, "error-message-size-exceeded": TOO_LONG,
    "error-not-allowed": FORBIDDEN, "unauthorized": FORBIDDEN, "invalid-channel": NOT_FOUND,
    "error-invalid-room": NOT_FOUND, "error-room-not-found": NOT_FOUND,
}  # fmt: skip
FEISHU_HOOK = {
    # The whole request: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    "sends": re.compile(r"/bot/v2/hook/"), "limit": 20_000, "unit": units.json_bytes, "envelope": 200,
    "verdict": ("code|StatusCode", 0), "code": "code|StatusCode", "errors": FEISHU,
    "wait": waits.in_header("x-ogw-ratelimit-reset"),
}  # fmt: skip

# By the name of Apprise's plugin.
SERVICES = {
    "slack": Service(
        label="Slack",
        # What is longer is cut off: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
        sends=re.compile(r"/services/|/chat\.postMessage$|/workflows/|/triggers/"), limit=40_000,
        bold="*{}*", neutral=markup.slack, keep=markup.kept_of_slack,
        verdict=("ok", True), code="error", errors=SLACK, id=("ts",),
    ),
    "discord": Service(
        label="Discord",
        # https://docs.discord.com/developers/resources/webhook#execute-webhook; not said what a character is,
        # and so of the two counts the larger.
        sends=re.compile(r"/api/webhooks/"), limit=2000, unit=units.utf16,
        bold="**{}**", neutral=markup.markdown, id=("id",), must_tell_id=True,
        wait=waits.of_discord, code="code", errors={20_016: LIMITED, 20_028: LIMITED},
    ),
    "telegram": Service(
        label="Telegram",
        # After entities, in the unit in which it counts offsets: https://core.telegram.org/bots/api#sendmessage,
        # https://core.telegram.org/api/entities#entity-length
        sends=re.compile(r"/send[A-Z]\w+$"), limit=4096, unit=units.telegram,
        bold="<b>{}</b>", neutral=markup.telegram, keep=markup.kept_of_telegram,
        verdict=("ok", True), code="error_code", errors={429: LIMITED, 500: UNKNOWN, 502: UNKNOWN},
        id=("result", "message_id"), must_tell_id=True, wait=waits.in_field("parameters.retry_after"),
    ),
    "workflows": Service(
        label="Microsoft Teams",
        # With all of the card: https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions
        sends=re.compile(r"/workflows/|/triggers/"), limit=28_000, unit=units.json_bytes, envelope=1500,
        bold="**{}**", neutral=markup.markdown,
    ),
    "google_chat": Service(
        label="Google Chat",
        # https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
        sends=re.compile(r"/messages$"), limit=32_000, unit=units.json_bytes, envelope=200,
        bold="*{}*", neutral=markup.alike, code="error.status", errors=GOOGLE,
        id=("name",), must_tell_id=True,
    ),
    "mattermost": Service(
        label="Mattermost",
        # https://developers.mattermost.com/integrate/webhooks/incoming/#tips-and-best-practices
        sends=re.compile(r"/hooks/|/api/v4/posts$"), limit=16_383,
        bold="**{}**", neutral=markup.markdown, id=("id",),
    ),
    "rocketchat": Service(
        label="Rocket.Chat",
        # Unless the server allows more: Message_MaxAllowedSize,
        # https://docs.rocket.chat/docs/message. It knows no escape:
        # https://github.com/RocketChat/Rocket.Chat/blob/develop/packages/message-parser/src/grammar.pegjs
        sends=re.compile(r"/hooks/|/chat\.postMessage$"), limit=5000, unit=units.utf16,
        bold="*{}*", neutral=markup.alike, verdict=("success", True), code="errorType|error", errors=ROCKET,
        id=("message", "_id"),
    ),
    "matrix": Service(
        label="Matrix",
        # Of the whole event, 65,536 bytes, and a third less once it is encrypted:
        # https://spec.matrix.org/latest/client-server-api/#size-limits
        sends=re.compile(r"/send/m\.room\.|/matrix/hook/|/webhook/"), limit=40_000, unit=units.json_bytes,
        envelope=2000, code="errcode", errors=MATRIX, id=("event_id",),
        wait=waits.in_field("retry_after_ms", per_second=1000),
    ),
    "wecombot": Service(
        label="WeCom",
        # https://developer.work.weixin.qq.com/document/path/91770
        sends=re.compile(r"/webhook/send$"), limit=2048, unit=units.utf8,
        verdict=("errcode", 0), code="errcode", errors=WECOM,
    ),
    "dingtalk": Service(
        label="DingTalk",
        # https://open.dingtalk.com/document/orgapp/custom-robot-access
        sends=re.compile(r"/robot/send$"), limit=20_000, unit=units.utf8,
        verdict=("errcode", 0), code="errcode", errors=DINGTALK, wait=waits.in_field("wait"),
    ),
    "feishu": Service(label="Feishu", **FEISHU_HOOK),
    "lark": Service(label="Lark", **FEISHU_HOOK),
    "mastodon": Service(
        label="Mastodon",
        # https://docs.joinmastodon.org/user/posting/#text, a server's own limit may be larger
        sends=re.compile(r"/api/v1/statuses$"), limit=500, unit=units.mastodon,
        id=("id",), must_tell_id=True, wait=waits.of_mastodon,
    ),
}  # fmt: skip
