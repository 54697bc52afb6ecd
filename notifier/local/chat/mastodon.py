"""https://docs.joinmastodon.org/methods/statuses/#create"""

import re

from .marks import Markup, show
from .taken import Taken, document_of, said

HOSTS = ("mastodon.example.com",)
BEARER = "local-mastodon-token"
ROOM = f"mastodons://{BEARER}@{HOSTS[0]}"
# A link counts for 23, of a name on another server only its own part:
# https://docs.joinmastodon.org/user/posting/#text
MAX_CHARACTERS, LINK = 500, "x" * 23
MARKUP = Markup(calls=r"(?<![\w/@])@\w[\w.-]*(?:@[\w.-]+)?")
# https://docs.joinmastodon.org/api/rate-limits/
LIMITED = (
    429,
    {"error": "Too many requests"},
    {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2999-01-01T00:00:00.000000Z"},
)


def take(request, path):
    if request.headers.get("authorization") != f"Bearer {BEARER}":
        return said(401, {"error": "The access token is invalid"})
    if path != "api/v1/statuses" or request.method != "POST":
        return said(404, {"error": "Record not found"})
    status = document_of(request).get("status") or ""
    counted = re.sub(r"(@\w+)@[\w.-]+", r"\1", re.sub(r"https?://\S+", LINK, status))
    if not status.strip():
        return said(422, {"error": "Validation failed: Text can't be blank"})
    if len(counted) > MAX_CHARACTERS:
        return said(422, {"error": "Validation failed: Text character limit of 500 exceeded"})
    return Taken(
        room="mastodon",
        shown=show(status, MARKUP),
        answer=lambda id: said(200, {"id": id, "content": status}),
    )
