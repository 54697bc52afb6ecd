"""The posts of our own account on X, compared with a text as X stores it. Called by ``twitter``.

X trims a text, writes ``&``, ``<`` and ``>`` as entities of HTML and puts a ``https://t.co`` address in place
of each link; the link itself stands beside. https://docs.x.com/x-api/fundamentals/data-dictionary#tweet
"""

import html
import re
import unicodedata

from notifier.channels.combining import stream_safe
from notifier.exceptions import OutcomeUnknown

# The most that one question may ask for; each post that X returns costs $0.001, as it is our own.
# https://docs.x.com/x-api/users/get-posts and https://docs.x.com/x-api/getting-started/pricing (2026)
MOST_POSTS = 100
FIELDS = ["created_at", "entities", "note_tweet"]
SHORTENED = re.compile(r"https?://t\.co/\w{1,20}")
SCHEME = re.compile(r"https?://", re.IGNORECASE)


def posts_like(client, text, since):
    """The ids of the posts since then whose text is ``text``, the newest first. One request.

    Raises OutcomeUnknown where that cannot be told, and what tweepy raises.
    """
    answer = client.get_users_tweets(
        _own_id(client), start_time=since, max_results=MOST_POSTS, tweet_fields=FIELDS, user_auth=True
    )
    meta = answer.meta or {}
    if answer.errors or answer.data is None and meta.get("result_count") != 0:
        raise OutcomeUnknown("cannot_tell", "X did not show the posts of its account.")
    found = [str(post.id) for post in answer.data or () if _says(post.data, text)]
    if not found and meta.get("next_token"):
        raise OutcomeUnknown("cannot_tell", f"The account has more than {MOST_POSTS} posts since then.")
    return found


def _own_id(client):
    """The account's id, with which its access token begins; X is asked where it does not.
    https://docs.x.com/fundamentals/authentication/oauth-1-0a/obtaining-user-access-tokens
    """
    owner = (client.access_token or "").partition("-")[0]
    return owner if owner.isdecimal() else client.get_me(user_auth=True).data.id


def _says(post, text):
    """Whether a post as X gives it is ``text``. Raises OutcomeUnknown where X does not say where links lead
    that may be its own.
    """
    # A long post has its whole text beside the shortened one.
    whole = post.get("note_tweet") or post
    told = (whole.get("entities") or {}).get("urls") or ()
    leads_to = {each.get("url"): each.get("expanded_url") for each in told}
    stored = whole.get("text") or ""
    written = SHORTENED.sub(lambda found: leads_to.get(found[0]) or found[0], html.unescape(stored))
    if _plain(written) == _plain(text):
        return True
    if any(not leads_to.get(each) for each in SHORTENED.findall(stored)) and _fits(written, text):
        raise OutcomeUnknown("cannot_tell", "X has such a post, and does not say where its links lead.")
    return False


def _fits(written, text):
    """Whether ``text`` is ``written`` with something in place of its shortened links."""
    first, *rest = (_plain(each) for each in SHORTENED.split(written))
    wanted = _plain(text)
    if not wanted.startswith(first):
        return False
    position = len(first)
    for each in rest:
        position = wanted.find(each, position + 1)
        if position < 0:
            return False
        position += len(each)
    return not rest or wanted.endswith(rest[-1])


def _plain(text):
    """A text without what X adds or changes: blanks; of links the scheme, the host's case, the last slash."""
    text = SCHEME.sub("", unicodedata.normalize("NFC", stream_safe(text)))
    words = [word.rstrip("/") if "." in word else word for word in text.split()]
    return " ".join(word.casefold() if "." in word else word for word in words)
