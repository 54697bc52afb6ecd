"""https://docs.discord.com/developers/resources/webhook#execute-webhook"""

import re
from dataclasses import replace

from werkzeug.wrappers import Response

from .marks import COMMON, MASKED, Markup, show
from .taken import Taken, document_of, said

HOSTS = ("discord.com", "discordapp.com")
HOOK = "987654321/local-discord-token"
ROOM = f"discord://{HOOK}"
MAX_CHARACTERS = 2000
# https://docs.discord.com/developers/reference#message-formatting,
# https://support.discord.com/hc/en-us/articles/210298617
MARKUP = Markup(
    formats=(*COMMON, r"\|\|(?P<words>[^|\n]+)\|\|", r"^-# (?P<words>.+)$"),
    links=(MASKED,), calls=r"@everyone|@here|<@[!&]?\d+>", escapes=True,
)  # fmt: skip
# https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit
LIMITED = (
    429,
    {"message": "You are being rate limited.", "retry_after": 64.57, "global": False},
    {"x-ratelimit-reset-after": "64.57", "retry-after": "65"},
)


def take(request, path):
    if path != f"api/webhooks/{HOOK}":
        return said(404, {"message": "Unknown Webhook", "code": 10015})
    document = document_of(request)
    content = document.get("content") or ""
    if not content.strip():
        return said(400, {"message": "Cannot send an empty message", "code": 50006})
    if len(content) > MAX_CHARACTERS:
        return said(400, {"message": "Invalid Form Body", "code": 50035})
    shown = show(content, MARKUP)
    calls = tuple(call for call in shown.calls if _is_allowed(call, document.get("allowed_mentions")))
    waits = document.get("wait") or request.args.get("wait")
    return Taken(
        room="discord", shown=replace(shown, calls=calls),
        answer=lambda id: said(200, {"id": id}) if waits else Response(status=204),
    )  # fmt: skip


def _is_allowed(call, allowed):
    """https://docs.discord.com/developers/resources/message#allowed-mentions-object: without it, all are."""
    if allowed is None:
        return True
    kind = "everyone" if call.startswith("@") else "roles" if "&" in call else "users"
    named = kind != "everyone" and re.sub(r"\D", "", call) in allowed.get(kind, ())
    return kind in allowed.get("parse", ()) or named
