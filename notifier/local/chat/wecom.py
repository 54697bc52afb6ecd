"""https://developer.work.weixin.qq.com/document/path/91770"""

from .marks import Markup, show
from .taken import Taken, document_of, said

HOSTS = ("qyapi.weixin.qq.com",)
KEY = "local-wecom-key-0001"
ROOM = f"wecombot://{KEY}"
# Of the content, in UTF-8.
MAX_BYTES = 2048
MARKUP = Markup(calls=r"<@[\w.-]+>")
# https://developer.work.weixin.qq.com/document/path/90455
LIMITED = (200, {"errcode": 45009, "errmsg": "api freq out of limit"}, {})


def take(request, path):
    document = document_of(request)
    if path != "cgi-bin/webhook/send" or request.args.get("key") != KEY:
        return said(200, {"errcode": 93000, "errmsg": "invalid webhook url"})
    content = (document.get("text") or {}).get("content") or ""
    if not content.strip():
        return said(200, {"errcode": 44004, "errmsg": "empty content"})
    if len(content.encode()) > MAX_BYTES:
        return said(200, {"errcode": 40058, "errmsg": f"text.content exceed max length {MAX_BYTES}"})
    named = (document.get("text") or {}).get("mentioned_list") or ()
    return Taken(
        room="wecom", shown=show(content, MARKUP), more_calls=tuple(named),
        answer=lambda id: said(200, {"errcode": 0, "errmsg": "ok"}),
    )  # fmt: skip
