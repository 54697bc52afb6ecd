"""The units in which chat services count a text, and where it can be cut. Called by ``chat``."""

import json
import re
import unicodedata
from html import unescape

TAG = re.compile(r"</?[a-z][^<>]*>")
# Each link counts as so many: https://docs.joinmastodon.org/user/posting/#text
MASTODON_LINK, LINK = "x" * 23, re.compile(r"https?://\S+")
# Joins what stands before and after it to one sign, or changes the sign before it.
JOINER = "\u200d"
CHANGING = {JOINER, *map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0x1F3FB, 0x1F400))}
# Two of them are a flag. https://unicode.org/reports/tr51/#def_emoji_flag_sequence
FLAGS = range(0x1F1E6, 0x1F200)
# No sign that a person writes has more parts.
MOST_PARTS = 32


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


def cut(text: str, length: int) -> str:
    """The first ``length`` characters at most, and no part of a sign that is made of several."""
    end = length
    while 0 < end < len(text) and length - end < MOST_PARTS and _is_inside(text, end):
        end -= 1
    return text[: max(0, end)]


def _is_inside(text, at):
    following, before = text[at], text[at - 1]
    if following in CHANGING or before == JOINER or unicodedata.category(following) in ("Mn", "Me", "Mc"):
        return True
    if ord(following) not in FLAGS:
        return False
    start = at
    while start > 0 and ord(text[start - 1]) in FLAGS:
        start -= 1
    return (at - start) % 2 == 1
