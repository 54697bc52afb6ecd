"""Makes of a message what a chat service takes: its words in the service's markup, no longer than it takes,
as one request. Called by ``chat``.

What is longer loses its end, and with it the template's own markup: half of a bold word, or of a link, would
be refused or run on to the end.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from notifier.channels.cutting import start_of
from notifier.channels.message import Message

from . import _chat_markup as markup
from ._chat_services import SERVICES, Service

MARK = "…"
# What Slack or Discord would read as a sign or a call; without any, Slack is told to read none.
SLACK_SIGNS = re.compile(r"[*_~`]|<[!@#\w]")
DISCORD_CALL = re.compile(r"<@(?P<role>&?)!?(?P<id>\d{1,20})>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """``title`` and ``text`` for Apprise, and whether they are text that it must escape. ``amend`` changes
    the JSON of the request.
    """

    title: str
    text: str
    is_text: bool
    amend: Callable[[dict[str, Any]], dict[str, Any]] | None = None


def fit(message: Message, plugin: Any, name: str) -> Fitted:
    """``message`` for Apprise's ``plugin``, which is called ``name``."""
    title, text = (
        each.encode("utf-8", "replace").decode() for each in (message.subject.strip(), message.text)
    )
    pieces = markup.pieces_of(text, message.from_data)
    service = SERVICES.get(name)
    if service is None:
        return _by_apprise(title, pieces, plugin)
    if name == "slack" and not any(SLACK_SIGNS.search(piece) for piece, is_data in pieces if not is_data):
        return _by_apprise(title, pieces, plugin, service.limit)
    composed = _compose(service, title, pieces)
    return Fitted(
        title="", text=composed, is_text=False, amend=partial(AMENDS.get(name, _as_it_is), composed)
    )


def _compose(service: Service, title: str, pieces: list[tuple[str, bool]]) -> str:
    whole = _written(service, title, pieces)
    if service.unit(whole) + service.envelope <= service.limit:
        return whole
    title = _longest(title, lambda part: _fits(service, part, "") and _fits(service, part, "", share=2))
    # Most signs count for more than one, none for much less.
    text = "".join(piece for piece, _is_data in pieces)[: 2 * service.limit]
    return _written(service, title, [(_longest(text, lambda part: _fits(service, title, part)), True)])


def _fits(service, title, text, share=1):
    length = service.unit(_written(service, title, [(text, True)]))
    return length + service.envelope <= service.limit // share


def _written(service, title, pieces):
    text = service.keep("".join(service.neutral(piece) if is_data else piece for piece, is_data in pieces))
    return f"{service.bold.format(service.neutral(title))}\n{text}" if title else text


def _longest(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of ``text`` that ``fits``, marked where something is missing."""
    if fits(text):
        return text
    least, most = 0, len(text) - 1
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(_marked(text, middle)) else (least, middle - 1)
    return _marked(text, least)


def _marked(text, length):
    return start_of(text, length).rstrip() + MARK


def _by_apprise(title, pieces, plugin, limit=None):
    """As text, which Apprise escapes. Without a limit of ours its own is kept to, in characters."""
    text = "".join(piece if limit or not is_data else markup.plain(piece) for piece, is_data in pieces)
    body_limit = limit or plugin.body_maxlen
    title = _longest(title, lambda part: _escaped(part) <= (plugin.title_maxlen or body_limit // 2))
    apart = plugin.title_maxlen and not plugin.overflow_amalgamate_title
    room = body_limit - (0 if apart or not title else _escaped(title) + 2)
    return Fitted(title=title, text=_longest(text, lambda part: _escaped(part) <= room), is_text=True)


def _escaped(text):
    """Characters, with those for which three entities may stand."""
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def _as_it_is(_text, document):
    return document


def _amend_slack(text, document):
    """Its own markup is read in the text, not in an attachment."""
    document.pop("attachments", None)
    return document | {"text": text, "mrkdwn": True}


def _amend_discord(text, document):
    """Only the calls that the template makes: all that stands in data is broken in ``text``.
    https://docs.discord.com/developers/resources/message#allowed-mentions-object
    """
    if "allowed_mentions" in document or "allow_mentions" in document:  # the room's own URL says whom
        return document
    calls = [(bool(call["role"]), call["id"]) for call in DISCORD_CALL.finditer(text)]
    allowed: dict[str, list[str]] = {
        "parse": ["everyone"] if re.search("@(?:everyone|here)", text) else [],
        "users": [key for is_role, key in calls if not is_role][:100],
        "roles": [key for is_role, key in calls if is_role][:100],
    }
    return document | {"allowed_mentions": allowed}


def _amend_matrix(text, document):
    """https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions"""
    return (
        document | {"m.mentions": {"room": True} if "@room" in text else {}}
        if "msgtype" in document
        else document
    )


AMENDS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "slack": _amend_slack,
    "discord": _amend_discord,
    "matrix": _amend_matrix,
}
