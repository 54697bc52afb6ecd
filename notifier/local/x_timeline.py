"""The posts of an account as X shows them: with its own addresses in place of links, and as text for HTML.
Called by ``x``.

https://docs.x.com/x-api/users/get-posts
"""

import html
import re
from datetime import datetime
from hashlib import sha256

# As X's own text parser roughly takes them.
LINK = re.compile(r"(?:https?://|(?<![\w-]))[\w-]++(?:\.[\w-]++)+(?:/[^\s]*)?", re.IGNORECASE)
FEWEST, MOST, USUAL = 5, 100, 10


def timeline(posts, asked):
    """The answer to a question for ``posts`` (the oldest first), of which ``asked`` is the query."""
    since = datetime.fromisoformat(asked.get("start_time", "2006-03-21T00:00:00Z"))
    shown = [post for post in reversed(posts) if post.created_at >= since]
    number = int(asked.get("max_results", USUAL))
    fields = asked.get("tweet.fields", "").split(",")
    data = [_as_stored(post, fields) for post in shown[:number]]
    meta = {"result_count": len(data)}
    if data:
        meta |= {"newest_id": data[0]["id"], "oldest_id": data[-1]["id"]}
    if len(shown) > number:
        meta["next_token"] = "more"  # noqa: S105 - the place of the next page
    return {"data": data, "meta": meta} if data else {"meta": meta}


def _as_stored(post, fields):
    links = []

    def shortened(found):
        short = f"https://t.co/{sha256(found[0].encode()).hexdigest()[:10]}"
        leads_to = found[0] if "://" in found[0] else f"http://{found[0]}"
        links.append({"url": short, "expanded_url": leads_to, "display_url": found[0][:30]})
        return short

    text = html.escape(LINK.sub(shortened, post.text.strip()), quote=False)
    stored = {"id": post.id, "text": text, "edit_history_tweet_ids": [post.id]}
    if "created_at" in fields:
        stored["created_at"] = post.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if "entities" in fields and links:
        stored["entities"] = {"urls": links}
    return stored
