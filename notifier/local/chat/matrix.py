"""https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid"""

import re

from .marks import Shown
from .taken import Taken, document_of, said

HOSTS = ("matrix.example.com",)
BEARER, ROOM_ID, USER = "syt_local_matrix_token", "!localroom:matrix.example.com", "@local:matrix.example.com"
ROOM = f"matrixs://{BEARER}@{HOSTS[0]}/{{to}}"
# Of the whole event: https://spec.matrix.org/latest/client-server-api/#size-limits
MAX_BYTES = 65_536
# https://spec.matrix.org/latest/client-server-api/#rate-limiting
LIMITED = (429, {"errcode": "M_LIMIT_EXCEEDED", "error": "Too many requests", "retry_after_ms": 2500}, {})
SEND = re.compile(r"_matrix/client/v3/rooms/(?P<room>[^/]+)/send/m\.room\.message/[^/]+")


def take(request, path):
    if path == ".well-known/matrix/client":
        return _error(404, "M_NOT_FOUND")
    if request.headers.get("authorization") != f"Bearer {BEARER}":
        return _error(401, "M_UNKNOWN_TOKEN")
    if path.endswith("account/whoami"):
        return said(200, {"user_id": USER, "device_id": "LOCAL"})
    if "/join/" in path:
        return said(200, {"room_id": ROOM_ID}) if path.endswith(ROOM_ID) else _error(404, "M_NOT_FOUND")
    sent = SEND.fullmatch(path)
    if not sent or request.method != "PUT":
        return _error(404, "M_UNRECOGNIZED")
    document = document_of(request)
    if sent["room"] != ROOM_ID:
        return _error(403, "M_FORBIDDEN")
    if len(request.get_data()) > MAX_BYTES:
        return _error(413, "M_TOO_LARGE")
    body = document.get("body") or ""
    return Taken(
        room=f"matrix:{sent['room']}", shown=Shown(body, calls=_calls(document, body)),
        answer=lambda id: said(200, {"event_id": f"${id}"}),
    )  # fmt: skip


def _calls(document, body):
    """https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions: the words count where nothing
    else is said.
    """
    told = document.get("m.mentions")
    if told is None:
        return ("@room",) if "@room" in body else ()
    return (*(("@room",) if told.get("room") else ()), *told.get("user_ids", ()))


def _error(status, code):
    return said(status, {"errcode": code, "error": code})
