"""https://developers.mattermost.com/integrate/webhooks/incoming/"""

from .marks import COMMON, MASKED, Markup, show
from .taken import Taken, document_of, said, words

HOSTS = ("mattermost.example.com",)
HOOK = "3ccdd113474722377935511fc85d3dd4"
ROOM = f"mmosts://{HOSTS[0]}/{HOOK}"
# Code points; a webhook's longer ones become several posts.
MAX_RUNES = 16_383
# https://docs.mattermost.com/collaborate/format-messages.html, .../mention-people.html
MARKUP = Markup(formats=COMMON, links=(MASKED,), calls=r"(?<![\w@])@[a-z][\w.-]*", escapes=True)
# https://docs.mattermost.com/configure/rate-limiting-configuration-settings.html
LIMITED = (
    429,
    {"id": "api.context.rate_limit", "message": "limit exceeded", "status_code": 429},
    {"retry-after": "1"},
)


def take(request, path):
    if path != f"hooks/{HOOK}":
        return _error(404, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
    text = document_of(request).get("text") or ""
    if not text.strip():
        return _error(400, "web.incoming_webhook.text.app_error", "No text specified.")
    if len(text) > MAX_RUNES:
        return _error(400, "web.incoming_webhook.text.length.app_error", "Maximum text length.")
    return Taken(room="mattermost", shown=show(text, MARKUP), answer=lambda id: words(200, "ok"))


def _error(status, id, message):
    return said(status, {"id": id, "message": message, "status_code": status})
