"""Messages to chat services, all that Apprise speaks, by the rooms that CHAT_ROOMS names.

At least once: none of these services has a token against doubles, a message twice is a nuisance that costs
nothing, and what is sent here is often an alarm, which must not be lost to a slow answer.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from notifier.channels.message import Examination, Message, Problem
from notifier.channels.recipient import Recipient
from notifier.exceptions import Rejected

from . import _chat_rooms
from ._chat_answers import outcome_of
from ._chat_fitting import Fitted, fit
from ._chat_limits import RATE, part
from ._chat_line import Call, make_session
from ._chat_rooms import plugin_for, read_rooms, url_of
from ._chat_services import SERVICES
from ._handler import make_handler

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "Chat"
VERB = "write in chat to"
WAY = "in chat"
EXAMPLE = "telegram:123456789"
# Its text may format and call somebody: what came from data must not.
TELLS_DATA_APART = True
MARK = "…"
CONNECT_SECONDS, READ_SECONDS = 3, 10
# All requests of one message: some services want a login before it.
BUDGET_SECONDS = 20
HORIZON_HOURS = 24
# A bot of Telegram may send 30 messages a second:
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
MAXIMUM_CONCURRENCY = 2
# And answers within 200 ms or so: this many at once reach its limit.
CONCURRENCY = 8
# Discord's, the shortest among the usual chats:
# https://docs.discord.com/developers/resources/webhook#execute-webhook
USUAL_MAX_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The line that the messages of one invocation share."""

    session: requests.Session
    connect_seconds: float
    read_seconds: float

    def call(self, amend: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> Call:
        return Call(
            self.session,
            connect_seconds=self.connect_seconds,
            read_seconds=self.read_seconds,
            budget_seconds=BUDGET_SECONDS,
            amend=amend,
        )


def send(message: Message, line: Line) -> str:
    """Send ``message`` to the room that its address names; return the service's id of it, blank where it
    tells none.
    """
    is_own = Recipient.parse(message.recipient).is_user
    url = url_of(message.address, read_rooms(), is_own=is_own)
    if not message.text.strip():
        raise Rejected("empty")
    plugin = plugin_for(url)
    name = type(plugin).__module__.split(".")[2]
    fitted = fit(message, plugin, name)
    with line.call(fitted.amend).under_way() as call:
        taken = _notify(plugin, fitted)
    return outcome_of(call.exchanges, SERVICES.get(name), taken=taken)


def examine(message: Message) -> Examination:
    """The message as chat services will take it. Pure; never raises."""
    problems, length = [], len(message.subject.strip()) + len(message.text)
    if not message.text.strip():
        problems.append(Problem(part="text", text="The text is empty: it would not be sent.", is_error=True))
    whole = f"{message.subject.strip()}\n{message.text}".strip()
    if cut := [each.label for each in SERVICES.values() if each.unit(whole) + each.envelope > each.limit]:
        said = f"Too long for {', '.join(cut)}: the end is cut off there."
        problems.append(Problem(part="text", text=said))
    return Examination(problems=tuple(problems), length=length, limit=USUAL_MAX_CHARACTERS, unit="characters")


def is_ones_own(address: str) -> bool:
    """Whether an address is one person's alone, and no room in which others read."""
    try:
        rooms = read_rooms()
    except Rejected:
        rooms = {}
    return _chat_rooms.is_ones_own(address, rooms)


@contextmanager
def open_session(
    connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
) -> Iterator[Line]:
    """The line of one batch."""
    # At DEBUG it writes down each address that is asked, and a bot's token is part of Telegram's.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    # Its warnings quote what was sent and what was answered.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    with make_session() as session:
        yield Line(session=session, connect_seconds=connect_seconds, read_seconds=read_seconds)


def _notify(plugin: Any, fitted: Fitted) -> bool:
    import apprise

    one = apprise.Apprise(asset=plugin.asset)
    one.add(plugin)
    # As text: each plugin then escapes what its service would take for markup.
    how = apprise.NotifyFormat.TEXT if fitted.is_text else None
    return bool(one.notify(title=fitted.title, body=fitted.text, body_format=how))


handler = make_handler(
    send,
    session=open_session,
    at_most_once=False,
    horizon_hours=HORIZON_HOURS,
    concurrency=CONCURRENCY,
    rate=RATE,
    part=part,
)
