"""``parse_tweet`` of twitter-text-parser, which counts a post's characters as X does.

The package reads its list of emoji through ``pkg_resources``, which setuptools 82 no longer brings. The one call that it
makes is what ``pkgutil`` does, so that stands in for the length of the import, and no older setuptools is deployed.
"""

import pkgutil
import sys
from types import SimpleNamespace

_original = sys.modules.get("pkg_resources")
sys.modules["pkg_resources"] = SimpleNamespace(resource_string=pkgutil.get_data)
try:
    from twitter_text import parse_tweet
finally:
    del sys.modules["pkg_resources"]
    if _original is not None:
        sys.modules["pkg_resources"] = _original

__all__ = ["parse_tweet"]
