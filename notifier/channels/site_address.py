"""The site's own address, as links in messages begin with it."""

from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from .. import conf
from . import registry


def site_address() -> str:
    """``NOTIFIER["BASE_URL"]`` without its last slash, the host as DNS has it; blank where it is not set.

    A header holds no other letters: https://www.rfc-editor.org/rfc/rfc2369#section-2
    """
    return _in_ascii(conf.get("BASE_URL").strip().rstrip("/"))


def link_root(channel: str) -> str:
    """What a path of the site begins with in messages of a channel: nothing where they are read in the site,
    and where its address is not known.
    """
    return "" if channel and registry.is_read_in_the_site(channel) else site_address()


@lru_cache
def _in_ascii(address: str) -> str:
    parts = urlsplit(address)
    if parts.netloc.isascii():
        return address
    try:
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
    except (UnicodeError, ValueError):  # no host; `manage.py check` says so
        return address
    return urlunsplit(parts._replace(netloc=f"{host}{port}"))
