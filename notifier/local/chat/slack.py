"""https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors"""

from dataclasses import replace
from html import unescape

from werkzeug.wrappers import Response

from .marks import ANGLED, SINGLE, Markup, show
from .taken import Taken, document_of, said, words

HOSTS = ("hooks.slack.com", "slack.com")
HOOK, BOT = (
    "T00LOCAL0/B00LOCAL0/localslacktokenlocalslac",
    "xoxb-1234567890-1234567890-localslackbottokenofnobo",
)
ROOM = f"slack://{HOOK}/{{to}}"
BOT_ROOM = f"slack://{BOT}/{{to}}"
ARCHIVED_ROOM = "#archived"
# It cuts off what is longer: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
MAX_CHARACTERS = 40_000
CALLS = r"<(?:![a-z]+(?:\^\w+)?|@[UW]\w+)(?:\|[^<>]*)?>"
# https://docs.slack.dev/messaging/formatting-message-text
MARKUP = Markup(formats=SINGLE, links=(ANGLED,), calls=CALLS)
# In an attachment it reads links and calls, and no signs, unless `mrkdwn_in` says so.
IN_ATTACHMENT = Markup(links=(ANGLED,), calls=CALLS)
# https://docs.slack.dev/apis/web-api/rate-limits
LIMITED = (429, {"ok": False, "error": "ratelimited"}, {"retry-after": "30"})


def take(request, path):
    document = document_of(request)
    is_hook = path == f"services/{HOOK}"
    if not is_hook and path.startswith("services/"):
        return words(404, "no_service")
    if not is_hook and request.headers.get("authorization") != f"Bearer {BOT}":
        return said(200, {"ok": False, "error": "invalid_auth"})
    if not is_hook and path != "api/chat.postMessage":
        return said(200, {"ok": False, "error": "unknown_method"})
    found = (document.get("attachments") or [{}])[0]
    body, title = document.get("text") or found.get("text") or "", found.get("title") or ""
    markup = (
        IN_ATTACHMENT if found else MARKUP if document.get("mrkdwn", True) else replace(MARKUP, formats=())
    )
    error = "no_text" if not body.strip() else ""
    if document.get("channel") == ARCHIVED_ROOM:
        error = "channel_is_archived" if is_hook else "is_archived"
    if error:
        return (
            words({"no_text": 400}.get(error, 410), error)
            if is_hook
            else said(200, {"ok": False, "error": error})
        )
    shown = show(body[:MAX_CHARACTERS], markup)
    text = replace(
        shown, text=unescape(shown.text), formatted=tuple(map(unescape, shown.formatted)),
        links=tuple((unescape(label), unescape(url)) for label, url in shown.links),
    )  # fmt: skip
    ok = Response("ok", status=200, content_type="text/html")
    return Taken(
        room=f"slack:{document.get('channel', '')}", title=unescape(title), shown=text,
        answer=lambda id: ok if is_hook else said(200, {"ok": True, "ts": f"{id}.000100", "channel": "C1"}),
    )  # fmt: skip
