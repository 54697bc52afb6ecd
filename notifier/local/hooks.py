"""A stand-in for receivers of webhooks: it checks their signatures as a receiver does, and keeps them for the
outbox page.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from werkzeug.wrappers import Request, Response

from notifier.channels import webhook_secrets

from .server import LoopbackServer

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#webhook-headers
IDENTITY = "webhook-id"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """One accepted request: the URL that it was for, its id, and the document."""

    url: str
    id: str
    document: dict
    received_at: datetime

    @property
    def text(self):
        """The part that a person reads of it: the text, or where the document is the template's own, that."""
        data = self.document["data"]
        return (
            data["text"]
            if data.keys() == {"title", "text", "link"}
            else json.dumps(data, indent=2, ensure_ascii=False)
        )


class HookStandIn:
    """``hooks`` holds what was accepted, each id once: a receiver tells a repetition by it.

    ``answer_next`` makes it answer otherwise.
    """

    def __init__(self, *, port=0):
        self._server = LoopbackServer(self._answer, name="The stand-in for webhooks", port=port)
        self._lock = Lock()
        self.reset()

    def reset(self):
        with self._lock:
            self.hooks, self.requests, self._next = [], 0, []

    @property
    def url(self):
        return self._server.url

    def start(self):
        self._server.start()

    def stop(self):
        self._server.stop()

    def answer_next(self, status, **headers):
        """Answer the next request with ``status`` and take nothing; underscores in the names of ``headers``
        are hyphens.
        """
        self._next.append((status, {name.replace("_", "-"): value for name, value in headers.items()}))

    def _answer(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            self.requests += 1
            status, headers = self._next.pop(0) if self._next else (self._take(request), {})
        return Response(status=status, headers=headers)(environ, start_response)

    def _take(self, request):
        url = f"https://{request.headers['Host']}{request.full_path.rstrip('?')}"
        body = request.get_data()
        try:
            # Any of the keys that are in use; the library compares with each signature.
            document = Webhook(webhook_secrets.secrets_of(url)[0]).verify(body, dict(request.headers))
        except WebhookVerificationError:
            return 401
        if all(hook.id != request.headers[IDENTITY] for hook in self.hooks):
            hook = Hook(
                url=url, id=request.headers[IDENTITY], document=document, received_at=datetime.now(UTC)
            )
            self.hooks.append(hook)
        return 204
