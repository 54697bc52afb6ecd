"""The length of a post as X counts it: wide characters are two, an emoji two, any link 23. By
twitter-text-parser.

The package reads its list of emoji through ``pkg_resources``, which setuptools 82 no longer brings. The one
call that it makes is what ``pkgutil`` does, so that stands in for the length of the import, and no older
setuptools is deployed.
"""

import pkgutil
import sys
from functools import lru_cache
from types import SimpleNamespace

_original = sys.modules.get("pkg_resources")
sys.modules["pkg_resources"] = SimpleNamespace(resource_string=pkgutil.get_data)
try:
    from twitter_text import parse_tweet
    from twitter_text.extract_urls import extract_urls
    from twitter_text.has_invalid_characters import has_invalid_characters
finally:
    del sys.modules["pkg_resources"]
    if _original is not None:
        sys.modules["pkg_resources"] = _original

# https://docs.x.com/fundamentals/counting-characters
MAX_WEIGHTED_LENGTH = 280
# The search for links takes time by the square of a text such as "a.a.a.…": 0.2 s for 280 characters, 2 s for
# 1,000, 28 s for 4,000. Only a link of hundreds of characters could make a longer text weigh little enough.
MOST_MEASURED = 1000

__all__ = ["MAX_WEIGHTED_LENGTH", "has_invalid_characters", "has_link", "weighted_length"]


def has_link(text):
    """Whether X makes a link of something in ``text``.

    Past MOST_MEASURED characters, which X takes no post of, it is not looked for.
    """
    return len(text) <= MOST_MEASURED and bool(extract_urls(text))


@lru_cache(maxsize=64)
def weighted_length(text):
    """X's count of ``text``.

    Past MOST_MEASURED characters it is their plain number, which is too many either way.
    """
    if len(text) > MOST_MEASURED:
        return len(text)
    # The parser counts in UTF-16, which has no half of a surrogate pair: another character stands for it.
    return parse_tweet(text.encode(errors="replace").decode()).weightedLength
