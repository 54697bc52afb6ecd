"""https://developer.rocket.chat/apidocs/post-message, by a name and a password: with a login and a logout."""

from .marks import ANGLED, CODE, HEADING, MASKED, QUOTE, Markup, show
from .taken import Taken, document_of, said

HOSTS = ("rocket.example.com",)
LOGIN, BEARER = ("local", "local-rocket-word"), "local-rocket-token"
ROOM = f"rockets://{':'.join(LOGIN)}@{HOSTS[0]}/{{to}}"
UNKNOWN_ROOM = "#nowhere"
# UTF-16 code units, as JavaScript counts; `Message_MaxAllowedSize`.
MAX_UNITS = 5000
# https://github.com/RocketChat/Rocket.Chat/blob/develop/packages/message-parser/src/grammar.pegjs: no escapes
MARKUP = Markup(
    formats=(
        CODE,
        HEADING,
        QUOTE,
        r"\*{1,2}(?P<words>[^*\n]+)\*{1,2}",
        r"(?<![a-zA-Z0-9])_{1,2}(?P<words>[^_\n]+)_{1,2}",
        r"~{1,2}(?P<words>[^~\n]+)~{1,2}",
        r"\|\|(?P<words>[^|\n]+)\|\|",
        r"^[-*] (?P<words>.+)$",
    ),
    links=(MASKED, ANGLED),
    calls=r"(?<!\w)@[\w.-]+",
)
# https://developer.rocket.chat/apidocs/rate-limiter
LIMITED = (
    429,
    {"success": False, "error": "Error, too many requests. [error-too-many-requests]"},
    {"x-ratelimit-reset": "1790000000000"},
)


def take(request, path):
    document = document_of(request)
    if path == "api/v1/login":
        told = document or request.form
        if (told.get("user") or told.get("username"), told.get("password")) != LOGIN:
            return said(401, {"status": "error", "error": "Unauthorized", "message": "Unauthorized"})
        return said(200, {"status": "success", "data": {"userId": "u1", "authToken": BEARER}})
    if request.headers.get("x-auth-token") != BEARER:
        return said(401, {"status": "error", "message": "You must be logged in to do this."})
    if path == "api/v1/logout":
        return said(200, {"status": "success", "data": {"message": "You've been logged out!"}})
    if path != "api/v1/chat.postMessage":
        return said(404, {"success": False, "error": "API endpoint not found"})
    text, channel = document.get("text") or "", document.get("channel") or ""
    if channel == UNKNOWN_ROOM:
        return said(400, {"success": False, "error": "invalid-channel"})
    if len(text.encode("utf-16-le")) > 2 * MAX_UNITS:
        return said(400, {"success": False, "error": "error-message-size-exceeded"})
    return Taken(
        room=f"rocketchat:{channel}", shown=show(text, MARKUP),
        answer=lambda id: said(200, {"success": True, "message": {"_id": id}, "channel": channel}),
    )  # fmt: skip
