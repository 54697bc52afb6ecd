"""HTML as a row of tokens, as a browser cuts it: tags with their attributes, and all else as text. In time by
the length. Called by ``visible_html``.

https://html.spec.whatwg.org/multipage/parsing.html#tokenization
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

# Blanks are these alone: a tag's name may hold any other sign, also one that Python takes for a blank.
BLANKS = r" \t\n\r\f"
ATTRIBUTE = (
    rf"""([^{BLANKS}/>][^{BLANKS}/>=]*+)"""
    rf"""(?:[{BLANKS}]*+=[{BLANKS}]*+("[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^{BLANKS}>]*+))?+"""
)
TOKEN = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rf"|<(?P<slash>/?)(?P<name>[A-Za-z][^{BLANKS}/>]*+)(?P<rest>(?:[{BLANKS}/]*+{ATTRIBUTE})*+)[{BLANKS}/]*+(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)|[^<]++|<",
    re.DOTALL,
)
ATTRIBUTES = re.compile(ATTRIBUTE)
# What stands in these is no markup, up to their own end.
RAW = frozenset(("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"))
RAW_END = {name: re.compile(rf"</{name}(?=[{BLANKS}/>]|\Z)", re.IGNORECASE) for name in RAW}


@dataclass(slots=True)
class Token:
    """A piece of the source. ``name`` is blank for text and comments; ``attributes`` are those of a start."""

    source: str
    name: str = ""
    is_end: bool = False
    attributes: dict[str, str] = field(default_factory=dict)


def tokens_of(html: str) -> Iterator[Token]:
    """The tokens, whose sources joined are ``html``."""
    place = 0
    while place < len(html):
        # A sign that begins nothing is a token as well.
        if (found := TOKEN.match(html, place)) is None:
            return
        place = found.end()
        name = (found["name"] or "").lower()
        if not name:
            yield Token(found[0])
        elif found["slash"]:
            yield Token(found[0], name, is_end=True)
        else:
            yield Token(found[0], name, attributes=_attributes(found["rest"]))
            if name in RAW and place < len(html):
                end = RAW_END[name].search(html, place)
                stop = end.start() if end else len(html)
                if stop > place:
                    yield Token(html[place:stop])
                place = stop


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in ATTRIBUTES.findall(text):
        if value[:1] in ("'", '"'):
            value = value[1:].removesuffix(value[0])
        found.setdefault(name.lower(), unescape(value))
    return found
