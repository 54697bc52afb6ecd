"""The links of a message's own reader: to unsubscribe, and to choose. Called by ``deliveries.composing``."""

from functools import lru_cache

from django.urls import NoReverseMatch, reverse
from django.urls.base import get_urlconf

from ..channels.site_address import site_address
from ..templating.data import LINKS
from . import link_tokens

# What previews and tests have in place of a person's own; its page says so.
SAMPLE = "sample"


class ReaderLinks:
    """Those of LINKS that are in ``names``, of what is about a category, or about none, on a channel."""

    def __init__(self, names, *, category, channel):
        rests = {"unsubscribe_url": f".{category or 0}.{channel}", "preferences_url": ""}
        self._links = {
            name: (before_token(name), link_tokens.signer(name.removesuffix("_url")), rests[name])
            for name in LINKS
            if name in names
        }

    def of(self, recipient, delivery):
        """``{name: address}``, signed for one recipient; blank where the site's own address is not known."""
        if not self._links:
            return {}
        whom = link_tokens.name_of(recipient, delivery)
        return {
            name: f"{begin}{sign(whom + rest)}/" if begin else ""
            for name, (begin, sign, rest) in self._links.items()
        }


def sample_links():
    """Sample links, for a page that no reader in particular sees."""
    return {name: url_of(name, SAMPLE) for name in LINKS}


def url_of(name, token):
    begin = before_token(name)
    return f"{begin}{token}/" if begin else ""


def before_token(name):
    """The address up to the token; blank where the site's own is not known."""
    base = site_address()
    path = _path(name, get_urlconf()) if base else ""
    return f"{base}{path}" if path else ""


@lru_cache
def _path(name, _urlconf):
    """The path before the token; blank where the project has not included ``notifier.urls``.

    The first call loads all its URLs.
    """
    try:
        return reverse(f"notifier:{name.removesuffix('_url')}", args=[SAMPLE]).removesuffix(f"{SAMPLE}/")
    except NoReverseMatch:
        return ""
