"""The stand-in: a server that is every chat service, each by its host, which stands first in the path."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Lock

from werkzeug.wrappers import Request, Response

from ..server import LoopbackServer
from . import (
    dingtalk,
    discord,
    feishu,
    google,
    mastodon,
    matrix,
    mattermost,
    rocketchat,
    slack,
    teams,
    telegram,
    wecom,
)
from .marks import Shown
from .taken import said

# By the names of their rooms in the local system.
SERVICES = {
    "telegram": (telegram, telegram.ROOM),
    "discord": (discord, discord.ROOM),
    "slack": (slack, slack.ROOM),
    "slack_bot": (slack, slack.BOT_ROOM),
    "teams": (teams, teams.ROOM),
    "google_chat": (google, google.ROOM),
    "mattermost": (mattermost, mattermost.ROOM),
    "rocketchat": (rocketchat, rocketchat.ROOM),
    "matrix": (matrix, matrix.ROOM),
    "wecom": (wecom, wecom.ROOM),
    "dingtalk": (dingtalk, dingtalk.ROOM),
    "feishu": (feishu, feishu.ROOM),
    "lark": (feishu, feishu.LARK_ROOM),
    "mastodon": (mastodon, mastodon.ROOM),
}
BY_HOST = {host: service for service, _room in SERVICES.values() for host in service.HOSTS}
# As the secret CHAT_ROOMS names them.
ROOMS = {name: room for name, (_service, room) in SERVICES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatMessage:
    """One accepted message, as people see it; ``room`` as an address names it."""

    id: str
    room: str
    title: str
    shown: Shown
    created_at: datetime

    @property
    def text(self):
        return self.shown.text

    @property
    def told(self):
        """The text, and below it whom it calls and where its links lead that show other words."""
        calls = [f"Calls {call}" for call in self.shown.calls]
        links = [f"“{words}” leads to {url}" for words, url in self.shown.links if url]
        return "\n".join([self.text, *(["", *calls, *links] if calls or links else [])])


class ChatStandIn:
    """``messages`` holds what was taken, ``requests`` counts what was asked."""

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

    def fail_next(self, status, body="", headers: Mapping[str, str] | tuple = (), *, at=""):
        """Answer the next request, whose path has ``at`` in it, with this and take nothing."""
        self._failures.append((at, Response(body, status=status, headers=dict(headers))))

    def limit_next(self, name, *, at=""):
        """Answer the next request as the service of the room ``name`` does once it has enough."""
        status, body, headers = SERVICES[name][0].LIMITED
        self._failures.append((at, said(status, body, **headers)))

    def _answer(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            self.requests += 1
            response = self._failing(request.path) or self._respond(request)
        return response(environ, start_response)

    def _failing(self, path):
        for index, (at, _response) in enumerate(self._failures):
            if at in path:
                return self._failures.pop(index)[1]
        return None

    def _respond(self, request):
        host, _slash, path = request.path.lstrip("/").partition("/")
        service = BY_HOST.get(host.partition(":")[0])
        if service is None:
            return Response("Not Found", status=404)
        taken = service.take(request, path)
        if isinstance(taken, Response):
            return taken
        shown = taken.shown
        made = ChatMessage(
            id=str(next(self._ids)),
            room=taken.room,
            title=taken.title,
            shown=Shown(shown.text, shown.formatted, shown.links, (*shown.calls, *taken.more_calls)),
            created_at=datetime.now(UTC),
        )
        self.messages.append(made)
        return taken.answer(made.id)
