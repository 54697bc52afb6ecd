"""Where X makes a link of something in a text. Called by ``_weighted_length``.

The rules are those of X's own library, https://github.com/twitter/twitter-text, in time by the length, which
its patterns are not: a host is a run of letters of any script, up to its last top-level domain.
"""

import re
from functools import cache
from pathlib import Path

BROKEN = "\ufffe\ufeff\uffff"
LETTER = (
    r"[^!'#%&()*+,\\\-./:;<=>?@\[\]^_{|}~$\x09-\x0d \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f"
    rf"\u3000\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069{BROKEN}]"
)
RUN = re.compile(rf"(?:{LETTER}|[-_.])+")
# A part of a host begins and ends with a letter.
PART = re.compile(rf"{LETTER}(?:[-_]*{LETTER})*")
LATIN = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b"
    r"\u02bb\u0300-\u036f\u1e00-\u1eff"
)
# Without a scheme, only this of a host is a link.
BARE = re.compile(rf"[-.a-z0-9{LATIN}]+", re.IGNORECASE)
SCHEMES = ("http://", "https://")
# Neither may stand before a link: the first not before a scheme, the second not before a host without one.
NO_LINK, NO_HOST = re.compile(f"[A-Za-z0-9@＠$#＃{BROKEN}]"), re.compile(f"[@＠$#＃/{BROKEN}]")
PUNYCODE = re.compile("xn--[-0-9a-z]+", re.IGNORECASE)
# What a top-level domain does not end before.
GOES_ON = re.compile("[0-9A-Za-z@]")
PORT = re.compile(":[0-9]+")
IN_PATH = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{LATIN}]"
# Parentheses belong to it in pairs, one pair within another at most.
PATH = re.compile(rf"/(?:{IN_PATH}|\((?:{IN_PATH}|\({IN_PATH}+\))+\))*", re.IGNORECASE)
QUERY = re.compile(r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*", re.IGNORECASE)
# What may stand in them, but not at their end.
AFTER_PATH, AFTER_QUERY = "!*';:,.$%[]\u2013~@|&", "!?*'@();:+$%[].,~|"


def links(text):
    """``(start, end)`` of each link in ``text``, in their order."""
    for run in RUN.finditer(text):
        start, end = run.start(), _end_of_host(text, *run.span())
        before = text[max(0, start - len(SCHEMES[1])) : start].lower()
        scheme = next((each for each in SCHEMES if before.endswith(each)), "")
        first = start - len(scheme)
        if not end or (NO_LINK if scheme else NO_HOST).match(text[max(0, first - 1) : first]):
            continue
        if scheme:
            yield first, _end_of_path(text, end) or _end_of_port(text, end)
        elif found := _bare(text, start, end):
            yield from found[:-1]
            last, host_end = found[-1]
            yield last, _end_of_path(text, end) or host_end


def _end_of_host(text, start, end):
    """The end of the host that a run of letters, hyphens, underscores and dots begins with; 0 where it is
    none.
    """
    found, name = 0, ""
    while part := PART.match(text, start, end):
        # The name before the top-level domain has no underscore.
        if name and "_" not in name:
            found = _end_of_tld(text, *part.span()) or found
        name, start = part[0], part.end() + 1
        if text[part.end() : start] != ".":
            break
    return found


def _end_of_tld(text, start, end):
    """The end of the top-level domain with which a part of a host begins; 0 where it does not."""
    if found := PUNYCODE.match(text, start, end):
        return found.end()
    tlds, longest = _tlds()
    for at in range(min(end, start + longest), start, -1):
        if text[start:at].lower() in tlds and not GOES_ON.match(text, at):
            return at
    return 0


@cache
def _tlds():
    """The top-level domains, in their own scripts, and the length of the longest."""
    # The root zone; `python -m tests.support.x_data` renews it.
    found = frozenset(Path(__file__).with_name("_x_tlds.txt").read_text(encoding="utf-8").split())
    return found, max(map(len, found))


def _bare(text, start, end):
    """``(start, end)`` of each link in a host without a scheme."""
    found = []
    while names := BARE.search(text, start, end):
        first, start = names.start() + (names[0][0] == "."), names.end()
        for dot in range(start - 1, first, -1):
            if text[dot] == "." and (host_end := _end_of_tld(text, dot + 1, end)):
                found.append((first, host_end))
                start = max(start, host_end)
                break
    return found


def _end_of_port(text, at):
    port = PORT.match(text, at)
    return port.end() if port else at


def _end_of_path(text, host_end):
    """The end of what follows a host as far as it belongs to the link; 0 where it has no path."""
    start = _end_of_port(text, host_end)
    path = PATH.match(text, start)
    if not path:
        return 0
    end = start + len(path[0].rstrip(AFTER_PATH))
    query = QUERY.match(text, end)
    return end + len(query[0].rstrip(AFTER_QUERY)) if query else end
