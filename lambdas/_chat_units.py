"""The units in which chat services count a text. Called by ``chat``."""

import json
import re
from html import unescape

TAG = re.compile(r"</?[a-z][^<>]*>")
# Each link counts as so many: https://docs.joinmastodon.org/user/posting/#text
MASTODON_LINK, LINK = "x" * 23, re.compile(r"https?://\S+")


def characters(text: str) -> int:
    return len(text)


def utf16(text: str) -> int:
    """Code units, as JavaScript and Telegram count."""
    return len(text.encode("utf-16-le", "replace")) // 2


def utf8(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def json_bytes(text: str) -> int:
    """Bytes as it stands in a JSON document of UTF-8, without its quotation marks."""
    return utf8(json.dumps(text, ensure_ascii=False)) - 2


def telegram(text: str) -> int:
    """UTF-16 units of what is left once tags and entities are read."""
    return utf16(unescape(TAG.sub("", text)))


def mastodon(text: str) -> int:
    return len(LINK.sub(MASTODON_LINK, text))
