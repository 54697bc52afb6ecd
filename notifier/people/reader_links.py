"""The links of a message's own reader: to unsubscribe, and to choose. Called by ``deliveries.composing``."""

from functools import lru_cache

from django.urls import NoReverseMatch, reverse
from django.urls.base import get_urlconf

from ..channels.site_address import site_address
from ..templating.data import LINKS
from . import link_tokens

# What previews and tests have in place of a person's own; its page says so.
SAMPLE = "sample"


def make_links(names, recipient, delivery, *, category, channel):
    """``{name: address}`` for those of LINKS in ``names``, signed for one recipient; blank where the site's
    own address is not known.
    """
    signed = {
        "unsubscribe_url": lambda: link_tokens.sign(
            "unsubscribe", recipient, delivery, category or 0, channel
        ),
        "preferences_url": lambda: link_tokens.sign("preferences", recipient, delivery),
    }
    return {name: url_of(name, signed[name]()) for name in LINKS if name in names}


def sample_links():
    """Sample links, for a page that no reader in particular sees."""
    return {name: url_of(name, SAMPLE) for name in LINKS}


def url_of(name, token):
    base = site_address()
    path = _path(name, get_urlconf()) if base else ""
    return f"{base}{path}{token}/" if path else ""


@lru_cache
def _path(name, _urlconf):
    """The path before the token; blank where the project has not included ``notifier.urls``.

    The first call loads all its URLs.
    """
    try:
        return reverse(f"notifier:{name.removesuffix('_url')}", args=[SAMPLE]).removesuffix(f"{SAMPLE}/")
    except NoReverseMatch:
        return ""
