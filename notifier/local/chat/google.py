"""https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create"""

from .marks import ANGLED, SINGLE, Markup, show
from .taken import Taken, document_of, said

HOSTS = ("chat.googleapis.com",)
SPACE, KEY, SIGN = "LOCALSPACE", "local-key", "local-google-token"
ROOM = f"gchat://{SPACE}/{KEY}/{SIGN}"
MAX_BYTES = 32_000
# https://developers.google.com/workspace/chat/format-messages
MARKUP = Markup(formats=SINGLE, links=(ANGLED,), calls=r"<users/\w+>")
# https://developers.google.com/workspace/chat/limits
LIMITED = (429, {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}}, {})


def take(request, path):
    if path != f"v1/spaces/{SPACE}/messages" or request.args.get("token") != SIGN:
        return _error(403, "PERMISSION_DENIED")
    text = document_of(request).get("text") or ""
    if not text.strip() or len(request.get_data()) > MAX_BYTES:
        return _error(400, "INVALID_ARGUMENT")
    return Taken(
        room="google_chat", shown=show(text, MARKUP),
        answer=lambda id: said(200, {"name": f"spaces/{SPACE}/messages/{id}", "text": text}),
    )  # fmt: skip


def _error(code, status):
    return said(code, {"error": {"code": code, "message": status.capitalize(), "status": status}})
