"""https://core.telegram.org/bots/api#sendmessage"""

import re
from html import unescape

from .marks import Shown
from .taken import Taken, document_of, said

HOSTS = ("api.telegram.org",)
BOT = "123456789:local-telegram-token-of-nobody"
ROOM = f"tgram://{BOT}/{{to}}"
# UTF-16 code units, after entities: https://core.telegram.org/api/entities#entity-length
MAX_UNITS = 4096
# Chats that the bot cannot write to, by their ids.
UNKNOWN_CHAT, WHO_BLOCKED_THE_BOT = "404404", "403403"
# https://core.telegram.org/bots/api#html-style
TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "tg-spoiler",
    "code",
    "pre",
    "blockquote",
    "a",
}
TAG = re.compile(r"<(?P<slash>/?)(?P<name>[a-z-]+)(?: href=\"(?P<url>[^\"<>]*)\")?>")
HEADING = re.compile(r"<b>(?P<title>.*?)</b>\r?\n(?P<text>.*)", re.DOTALL)
CALL = re.compile(r"(?<![\w@])@[A-Za-z]\w{3,31}")
# https://core.telegram.org/bots/api#responseparameters
LIMITED = (
    429,
    {
        "ok": False, "error_code": 429, "description": "Too Many Requests: retry after 35",
        "parameters": {"retry_after": 35},
    },
    {},
)  # fmt: skip


def take(request, path):
    if path != f"bot{BOT}/sendMessage":
        return _error(401, "Unauthorized")
    document = document_of(request)
    chat, markup = str(document.get("chat_id", "")), str(document.get("text") or "")
    shown = _shown(markup) if document.get("parse_mode") == "HTML" else Shown(markup)
    refusals = [
        (chat == UNKNOWN_CHAT, 400, "Bad Request: chat not found"),
        (chat == WHO_BLOCKED_THE_BOT, 403, "Forbidden: bot was blocked by the user"),
        (shown is None, 400, "Bad Request: can't parse entities"),
        (not (shown and shown.text.strip()), 400, "Bad Request: message text is empty"),
        (
            shown and len(shown.text.encode("utf-16-le")) > 2 * MAX_UNITS,
            400,
            "Bad Request: message is too long",
        ),
    ]
    for refused, status, description in refusals:
        if refused:
            return _error(status, description)
    heading = HEADING.fullmatch(markup)
    title, rest = (_shown(heading["title"]), _shown(heading["text"])) if heading else (None, None)
    is_titled = title is not None and rest is not None
    return Taken(
        room=f"telegram:{chat}", title=title.text if is_titled else "", shown=rest if is_titled else shown,
        answer=lambda id: said(200, {"ok": True, "result": {"message_id": int(id), "chat": {"id": chat}}}),
    )  # fmt: skip


def _shown(markup):
    """As people see it; None where a tag is not Telegram's, or not closed in its turn."""
    opened, words, formatted, links, at = [], "", [], [], 0
    for tag in TAG.finditer(markup):
        if (plain := _plain(markup[at : tag.start()])) is None or tag["name"] not in TAGS:
            return None
        words, at = words + plain, tag.end()
        if not tag["slash"]:
            opened.append((tag["name"], len(words), tag["url"]))
            continue
        if not opened or opened[-1][0] != tag["name"]:
            return None
        name, begin, url = opened.pop()
        (links if name == "a" else formatted).append((words[begin:], url) if name == "a" else words[begin:])
    rest = _plain(markup[at:])
    if opened or rest is None:
        return None
    return Shown(words + rest, tuple(formatted), tuple(links), tuple(CALL.findall(words + rest)))


def _plain(text):
    """Between tags neither < nor > is a sign, and an & begins an entity."""
    if re.search(r"[<>]|&(?!(?:lt|gt|amp|quot|#\d+|#x[\da-fA-F]+);)", text):
        return None
    return unescape(text)


def _error(status, description):
    return said(status, {"ok": False, "error_code": status, "description": description})
