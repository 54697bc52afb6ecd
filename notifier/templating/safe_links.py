"""The links that a notification may have: to this site, or to another by http(s)."""

from urllib.parse import urlsplit

MAX_LINK_CHARACTERS = 2000

# A sign, or the address of a small picture.
MAX_ICON_CHARACTERS = 500


def checked_link(text):
    """``text`` if it is a path of this site (``/orders/5/``) or an http(s) address; else blank, as no link is
    better than a wrong one.

    Browsers drop line breaks and tabs, and take a backslash for a slash: two of either at the start lead to
    another site. https://url.spec.whatwg.org/#concept-basic-url-parser
    """
    link = text.strip()
    if not link or len(link) > MAX_LINK_CHARACTERS or "\\" in link or not link.isprintable() or " " in link:
        return ""
    if link.startswith("/"):
        return "" if link.startswith("//") else link
    try:
        parts = urlsplit(link)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port)
    except ValueError:
        return ""
    # What stands before an @ looks like a host and is none.
    return (
        link
        if parts.scheme in ("http", "https")
        and link[len(parts.scheme) :].startswith("://")
        and has_host
        and not parts.username
        else ""
    )
