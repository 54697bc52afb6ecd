"""A stand-in for chat services: Telegram, Slack and Discord take and refuse here what they do out there.

Shown by the outbox page.
"""

import html
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Lock

from werkzeug.wrappers import Request, Response

from .server import LoopbackServer

# The paths under which each service knows this sender: of nobody out there.
TELEGRAM_BOT = "123456789:local-telegram-token-of-nobody"
DISCORD_HOOK = "987654321/local-discord-token"
SLACK_HOOK = "T00LOCAL0/B00LOCAL0/localslacktokenlocalslac"
# The rooms of the local system, as the secret CHAT_ROOMS names them.
ROOMS = {
    "telegram": f"tgram://{TELEGRAM_BOT}/{{to}}",
    "discord": f"discord://{DISCORD_HOOK}",
    "slack": f"slack://{SLACK_HOOK}/{{to}}",
}
# https://core.telegram.org/bots/api#sendmessage, after the markup is taken out
TELEGRAM_MAX_CHARACTERS = 4096
# https://docs.discord.com/developers/resources/webhook#execute-webhook
DISCORD_MAX_CHARACTERS = 2000
# Chats that the bot cannot write to, by their ids.
UNKNOWN_CHAT, WHO_BLOCKED_THE_BOT, ARCHIVED_ROOM = "404404", "403403", "#archived"
# Telegram's markup as Apprise uses it: https://core.telegram.org/bots/api#html-style
HEADING = re.compile(r"<b>(?P<title>.*?)</b>\r?\n(?P<text>.*)", re.DOTALL)
TAG = re.compile(r"</?\w+>")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatMessage:
    """One accepted message; ``room`` as an address names it."""

    id: str
    room: str
    title: str
    text: str
    created_at: datetime


class ChatStandIn:
    """``messages`` holds what was taken, ``requests`` counts what was asked.

    Each service is the first part of the path: its host.
    """

    def __init__(self, *, port=0):
        self._server = LoopbackServer(self._answer, name="The stand-in for chat services", port=port)
        self._lock = Lock()
        self.reset()

    @property
    def url(self):
        return self._server.url

    def start(self):
        self._server.start()

    def stop(self):
        self._server.stop()

    def reset(self):
        """Forget all messages and failures still to come."""
        self.messages, self.requests, self._failures, self._ids = [], 0, [], count(1)

    def fail_next(self, status, body="", headers=()):
        """Answer the next request with this and take nothing."""
        self._failures.append(Response(body, status=status, headers=dict(headers)))

    def _answer(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            self.requests += 1
            response = self._failures.pop(0) if self._failures else self._respond(request)
        return response(environ, start_response)

    def _respond(self, request):
        host, _slash, path = request.path.lstrip("/").partition("/")
        services = {
            "api.telegram.org": self._telegram,
            "hooks.slack.com": self._slack,
            "discord.com": self._discord,
        }
        body = request.get_json(silent=True)
        if host not in services or request.method != "POST" or not isinstance(body, dict):
            return Response("Not Found", status=404)
        return services[host](path, body, request)

    def _telegram(self, path, body, _request):
        """https://core.telegram.org/bots/api#sendmessage"""
        if path != f"bot{TELEGRAM_BOT}/sendMessage":
            return _telegram_error(401, "Unauthorized")
        chat, markup = str(body.get("chat_id", "")), body.get("text") or ""
        plain = html.unescape(TAG.sub("", markup))
        refusals = [
            (chat == UNKNOWN_CHAT, 400, "Bad Request: chat not found"),
            (chat == WHO_BLOCKED_THE_BOT, 403, "Forbidden: bot was blocked by the user"),
            (not plain.strip(), 400, "Bad Request: message text is empty"),
            (len(plain) > TELEGRAM_MAX_CHARACTERS, 400, "Bad Request: message is too long"),
            (markup.count("<b>") != markup.count("</b>"), 400, "Bad Request: can't parse entities"),
        ]
        for refused, status, words in refusals:
            if refused:
                return _telegram_error(status, words)
        heading = HEADING.fullmatch(markup)
        title, text = (heading["title"], heading["text"]) if heading else ("", markup)
        message = self._take(f"telegram:{chat}", html.unescape(title), html.unescape(TAG.sub("", text)))
        return _json(200, {"ok": True, "result": {"message_id": int(message.id), "chat": {"id": chat}}})

    def _slack(self, path, body, _request):
        """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors"""
        if path != f"services/{SLACK_HOOK}":
            return Response("no_service", status=404)
        parts = body.get("attachments") or [{"text": body.get("text")}]
        if not (parts[0].get("text") or "").strip():
            return Response("no_text", status=400)
        if body.get("channel") == ARCHIVED_ROOM:
            return Response("channel_is_archived", status=410)
        self._take(
            f"slack:{body.get('channel', '')}",
            *(html.unescape(parts[0].get(part) or "") for part in ("title", "text")),
        )
        return Response("ok", status=200, content_type="text/html")

    def _discord(self, path, body, request):
        """https://docs.discord.com/developers/resources/webhook#execute-webhook"""
        if path != f"api/webhooks/{DISCORD_HOOK}":
            return _json(404, {"message": "Unknown Webhook", "code": 10015})
        content = body.get("content") or ""
        if not content.strip():
            return _json(400, {"message": "Cannot send an empty message", "code": 50006})
        if len(content) > DISCORD_MAX_CHARACTERS:
            return _json(400, {"message": "Invalid Form Body", "code": 50035})
        message = self._take("discord", "", content)
        return (
            _json(200, {"id": message.id})
            if body.get("wait") or request.args.get("wait")
            else Response(status=204)
        )

    def _take(self, room, title, text):
        made = ChatMessage(
            id=str(next(self._ids)), room=room, title=title, text=text, created_at=datetime.now(UTC)
        )
        self.messages.append(made)
        return made


def _telegram_error(status, words):
    return _json(status, {"ok": False, "error_code": status, "description": words})


def _json(status, data):
    return Response(json.dumps(data), status=status, content_type="application/json")
