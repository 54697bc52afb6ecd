"""https://open.dingtalk.com/document/orgapp/custom-robot-access"""

from .marks import Shown
from .taken import Taken, document_of, said

HOSTS = ("oapi.dingtalk.com",)
ROBOT = "10ca1d1n9ta1k70ken"
ROOM = f"dingtalk://{ROBOT}"
# Of the content, in UTF-8.
MAX_BYTES = 20_000
# A room may ask that each message holds one of its words; this one does without, until a test wants it.
LIMITED = (
    200,
    {"status": 1111, "wait": 5, "errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"},
    {},
)
NO_KEYWORD = {"errcode": 310000, "errmsg": "keywords not in content"}


def take(request, path):
    if path != "robot/send" or request.args.get("access_token") != ROBOT:
        return said(200, {"errcode": 300001, "errmsg": "token is not exist"})
    document = document_of(request)
    content = (document.get("text") or {}).get("content") or ""
    if not content.strip():
        return said(200, {"errcode": 40035, "errmsg": "miss param : text.content"})
    if len(content.encode()) > MAX_BYTES:
        return said(200, {"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"})
    at = document.get("at") or {}
    calls = (*(("@all",) if at.get("isAtAll") else ()), *(at.get("atMobiles") or ()))
    return Taken(
        room="dingtalk", shown=Shown(content, calls=calls),
        answer=lambda id: said(200, {"errcode": 0, "errmsg": "ok"}),
    )  # fmt: skip
