"""The length of a post as X counts it: wide characters are two, an emoji of however many parts two, any link
23. https://docs.x.com/fundamentals/counting-characters

No library: those that there are have the emoji of 2019 and take hours for some texts.
"""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from ._x_links import BROKEN, links

MAX_WEIGHTED_LENGTH = 280
# The third version of X's own weights: https://github.com/twitter/twitter-text/blob/master/config/v3.json
NARROW = re.compile("[\x00-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
WIDE, LINK = 2, 23
# https://github.com/twitter/twitter-text/blob/master/js/src/regexp/invalidChars.js
INVALID = re.compile(f"[{BROKEN}]")

__all__ = ["MAX_WEIGHTED_LENGTH", "has_invalid_characters", "has_link", "weighted_length"]


def has_invalid_characters(text):
    """Whether ``text`` holds a character that X takes in no post."""
    return bool(INVALID.search(text))


def has_link(text):
    """Whether X makes a link of something in ``text``."""
    return any(links(unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=64)
def weighted_length(text):
    """X's count of ``text``."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    length, at = 0, 0
    for start, end in links(text):
        length += _weigh(text, at, start) + LINK
        at = end
    return length + _weigh(text, at, len(text))


def _weigh(text, at, end):
    """The weight of a stretch without links."""
    weight = 0
    while at < end:
        emoji = _end_of_emoji(text, at)
        weight += 1 if not emoji and NARROW.match(text, at) else WIDE
        at = emoji or at + 1
    return weight


def _end_of_emoji(text, at):
    """The end of the longest emoji that begins there, or 0."""
    emoji, first, longest = _emoji()
    if text[at] in first:
        for end in range(min(len(text), at + longest), at, -1):
            if text[at:end] in emoji:
                return end
    return 0


@cache
def _emoji():
    """The emoji, the characters that they begin with, and how many the longest has."""
    # Version 18.0 of Unicode's; `python -m tests.support.x_data` renews it. Not © and ®, which X weighs as
    # letters unless they are asked for as emoji.
    found = frozenset(Path(__file__).with_name("_x_emoji.txt").read_text(encoding="utf-8").split())
    return found, {each[0] for each in found}, max(map(len, found))
