"""Feishu, and Lark, which is the same: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""

from .marks import Markup, show
from .taken import Taken, document_of, said

HOSTS = ("open.feishu.cn", "open.larksuite.com")
HOOK = "10ca1-fe15u-hook"
ROOM, LARK_ROOM = f"feishu://{HOOK}", f"lark://{HOOK}"
# Of the request.
MAX_BYTES = 20 * 1024
MARKUP = Markup(calls=r"<at user_id=\"[^\"]*\">")
# https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control
LIMITED = (200, {"code": 11232, "msg": "frequency limited psm", "data": {}}, {})


def take(request, path):
    if path.rstrip("/") != f"open-apis/bot/v2/hook/{HOOK}":
        return said(200, {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"})
    text = (document_of(request).get("content") or {}).get("text") or ""
    if not text.strip():
        return said(200, {"code": 19002, "msg": "params error, msg_type need"})
    if len(request.get_data()) > MAX_BYTES:
        return said(200, {"code": 19036, "msg": "request body too large"})
    host = request.path.lstrip("/").partition("/")[0]
    return Taken(
        room="lark" if "lark" in host else "feishu", shown=show(text, MARKUP),
        answer=lambda id: said(200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}}),
    )  # fmt: skip
