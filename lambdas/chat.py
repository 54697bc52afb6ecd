"""Messages to chat services, all that Apprise speaks, by the rooms that CHAT_ROOMS names.

At least once: none of these services has a token against doubles, a message twice is a nuisance that costs
nothing, and what is sent here is often an alarm, which must not be lost to a slow answer.
"""

import logging
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from notifier.channels.message import Examination, Message, Problem
from notifier.channels.waits import retry_after, seconds_of
from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain

from ._chat_limits import RATE, part
from ._chat_line import Call, make_session
from ._chat_rooms import plugin_for, read_rooms, url_of
from ._handler import make_handler
from ._http import refusal, unanswered

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "Chat"
VERB = "write in chat to"
WAY = "in chat"
EXAMPLE = "telegram:123456789"
MARK = "…"
CONNECT_SECONDS, READ_SECONDS = 3, 10
# All requests of one message: some services want a login before it.
BUDGET_SECONDS = 20
HORIZON_HOURS = 24
# A bot of Telegram may send 30 messages a second:
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
MAXIMUM_CONCURRENCY = 2
# Discord's, the shortest among the usual chats:
# https://docs.discord.com/developers/resources/webhook#execute-webhook
USUAL_MAX_CHARACTERS = 2000

# By the status of the last answer. https://core.telegram.org/bots/api#making-requests,
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors,
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#http
ERRORS = {
    401: (Rejected, "unauthorized"),
    403: (Rejected, "forbidden"),
    404: (Rejected, "not_found"),
    410: (Rejected, "not_found"),
    413: (Rejected, "too_long"),
    429: (TryAgain, "throttled"),
}
# Where these services put the message's id; an answer without it is not theirs.
IDS = {
    "telegram": ("result", "message_id"),
    "discord": ("id",),
    "mastodon": ("id",),
    "bluesky": ("uri",),
    "google_chat": ("name",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The line that the messages of one invocation share."""

    session: requests.Session
    connect_seconds: float
    read_seconds: float

    def call(self):
        return Call(
            self.session,
            connect_seconds=self.connect_seconds,
            read_seconds=self.read_seconds,
            budget_seconds=BUDGET_SECONDS,
        )


def send(message: Message, line: Line) -> str:
    """Send ``message`` to the room that its address names; return the service's id of it, blank where it
    tells none.
    """
    url = url_of(message.address, read_rooms())
    if not message.text.strip():
        raise Rejected("empty")
    plugin = plugin_for(url)
    title, body = _fitted(message, plugin)
    with line.call().under_way() as call:
        taken = _notify(plugin, title, body)
    if isinstance(call.last, requests.RequestException):
        raise unanswered(call.last, who="The chat service")
    if call.last is None:
        raise Rejected("refused_here", "Apprise sent nothing; the room’s URL may lack something.")
    if not taken or not call.last.ok:
        raise refusal(
            call.last.status_code, ERRORS, who="The chat service", after_seconds=_retry_after(call.last)
        )
    return _id_of(call.last, type(plugin).__module__.split(".")[2])


def examine(message: Message) -> Examination:
    """The message as chat services will take it. Pure; never raises."""
    problems, length = [], len(message.subject.strip()) + len(message.text)
    if not message.text.strip():
        problems.append(Problem(part="text", text="The text is empty: it would not be sent.", is_error=True))
    if length > USUAL_MAX_CHARACTERS:
        said = (
            f"{length} characters: Discord takes {USUAL_MAX_CHARACTERS}, others more or less. The "
            "end is cut off there."
        )
        problems.append(Problem(part="text", text=said))
    return Examination(problems=tuple(problems), length=length, limit=USUAL_MAX_CHARACTERS, unit="characters")


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The line of one batch."""
    # At DEBUG it writes down each address that is asked, and a bot's token is part of Telegram's.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    # Its warnings quote what was sent and what was answered.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    with make_session() as session:
        yield Line(session=session, connect_seconds=connect_seconds, read_seconds=read_seconds)


def _notify(plugin, title, body):
    import apprise

    one = apprise.Apprise(asset=plugin.asset)
    one.add(plugin)
    # As text: each plugin then escapes what its service would take for markup.
    return one.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)


def _fitted(message, plugin):
    """``(title, body)`` with the end cut off at what the service takes: split they would be several messages,
    of which one may fail.
    """
    title = _cut(message.subject.strip(), plugin.title_maxlen or plugin.body_maxlen // 2)
    apart = plugin.title_maxlen and not plugin.overflow_amalgamate_title
    room = plugin.body_maxlen - (0 if apart or not title else len(title) + 2)
    return title, _cut(message.text, room)


def _cut(text, room):
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _id_of(response, service):
    """The service's id. Raises OutcomeUnknown when the answer cannot be the service's own."""
    found = said = _json(response)
    for name in IDS.get(service, ()):
        found = found.get(name) if isinstance(found, dict) else None
    if service in IDS and found is None or response.text.lstrip().startswith("<"):
        raise OutcomeUnknown(
            "unreadable_answer", f"It answered {response.status_code}, and not as {service} does."
        )
    if service in IDS:
        return str(found)
    return str(said.get("ts") or "") if isinstance(said, dict) else ""


def _retry_after(response):
    """Seconds, from the header or, as Telegram and Discord do, from the body; None where it says nothing."""
    said = _json(response)
    said = said if isinstance(said, dict) else {}
    parameters = said.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    return (
        retry_after(response.headers)
        or seconds_of(said.get("retry_after"))
        or seconds_of(parameters.get("retry_after"))
    )


def _json(response):
    try:
        return response.json()
    except ValueError:
        return None


handler = make_handler(
    send, session=open_session, at_most_once=False, horizon_hours=HORIZON_HOURS, rate=RATE, part=part
)
