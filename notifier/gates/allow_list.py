"""The gate of a stage that is not production: it delivers to nobody but those on its list.

``table`` asks it first of all.

Note [patterns]: ``NOTIFIER["DELIVER_ONLY_TO"]`` is None for everybody, or a list of

- mail addresses: ``kim@example.com``, ``*@example.com``, ``test+*@example.com``; ``*`` stands for anything
  but an ``@``
- phone numbers with their country: ``+44 7400 123456``, ``+44*``; spaces, dashes and brackets do not count
- anything else with its channel before it: ``inbox:*``, ``inbox:17``, ``twitter:@our_tests``, ``webhook:https://example.com/hooks/*``

A channel that everybody can read, as X, is so only used where it is named. What is not plainly the same does
not match: a letter that only looks like another, a name around the address, a second address behind a comma.
Case does not count in addresses and in hosts.
"""

import re
from functools import lru_cache

from .. import conf
from ..exceptions import Skipped

REASON = "not_on_allow_list"
# How many patterns a delivery's detail names.
MOST_NAMED = 3

# What “*” stands for in a mail address.
MAIL_CHARACTER = r"[^@\s,;:<>()\[\]\"\\]"
MAIL = re.compile(f"{MAIL_CHARACTER}+@{MAIL_CHARACTER}+")
PHONE = re.compile(r"\+[0-9]+\*?|\+\*")
NAMED = re.compile(r"([a-z][a-z0-9_]*):(\S+)")
# A host may begin with “*.”, and only the path may end with “*”.
URL = re.compile(r"([a-z][a-z0-9+.-]*)://(\*\.)?([^*/?#@\\\s]+)(/[^*\s]*\*?)?", re.IGNORECASE)
# How people write phone numbers.
BETWEEN_DIGITS = re.compile(r"[ ().\u00a0/-]")


def refuse(candidates, channel):
    """Skipped for those whose address is not on the stage's list. No query."""
    if conf.get("DELIVER_ONLY_TO") is None:
        return [None] * len(candidates)
    refused = Skipped(REASON, describe())
    return [None if is_allowed(channel, each.address) else refused for each in candidates]


def is_allowed(channel, address):
    """Whether this stage delivers to ``address`` by ``channel``."""
    patterns = conf.get("DELIVER_ONLY_TO")
    return patterns is None or any(matches(channel, address) for matches in map(_compiled, patterns))


def describe():
    """“The stage “staging” delivers only to *@example.com and 2 more, see NOTIFIER["DELIVER_ONLY_TO"].”, or
    nothing where to everybody.
    """
    patterns = conf.get("DELIVER_ONLY_TO")
    if patterns is None:
        return ""
    stage = conf.get("STAGE")
    who = f"The stage “{stage}”" if stage else "This stage"
    only = f"only to {name_patterns(patterns)}" if patterns else "to nobody, as it has no list"
    return f'{who} delivers {only}: see NOTIFIER["DELIVER_ONLY_TO"].'


def name_patterns(patterns):
    """The first of them in words, the ones with a “*” first: they say most, and name nobody."""
    ordered = sorted(patterns, key=lambda pattern: "*" not in pattern)
    more = len(ordered) - MOST_NAMED
    return ", ".join(ordered[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def problem_with(pattern):
    """The problem with a pattern, or nothing."""
    if not isinstance(pattern, str) or _read(pattern) is None:
        return (
            "Write kim@example.com, *@example.com, +44*, or a channel and its address, such as "
            "inbox:* or webhook:https://…/*."
        )
    return ""


@lru_cache
def _compiled(pattern):
    return _read(pattern) or (lambda channel, address: False)


def _read(pattern):
    """``matches(channel, address)`` of a pattern, or None where it is none."""
    pattern = pattern.strip()
    plain = _mail(pattern) or _phone(pattern)
    if plain:
        return lambda channel, address: plain(address)
    if not (named := NAMED.fullmatch(pattern)):
        return None
    name, rest = named.groups()
    matches = _mail(rest) or _phone(rest) or _url(rest) or _other(rest)
    return matches and (lambda channel, address: channel == name and matches(address))


def _mail(pattern):
    if not MAIL.fullmatch(pattern):
        return None
    wanted = _glob(_lower(pattern), f"{MAIL_CHARACTER}+")
    return lambda address: bool(wanted.fullmatch(_lower(address)))


def _phone(pattern):
    digits = _digits(pattern)
    if not PHONE.fullmatch(digits):
        return None
    wanted = _glob(digits, "[0-9]+")
    return lambda address: bool(wanted.fullmatch(_digits(address)))


def _url(pattern):
    if not (found := URL.fullmatch(pattern)):
        return None
    scheme, below, host, path = found.groups()
    any_host = r"(?:[a-z0-9-]+[.])+" if below else ""
    # Only the host's case does not count.
    begin = f"(?i:{re.escape(scheme)}://{any_host}{re.escape(host)})"
    wanted = re.compile(begin + _glob(path or "", r"\S*").pattern)
    return lambda address: bool(wanted.fullmatch(address))


def _other(pattern):
    if "//" in pattern or "@" in pattern[1:] or "*" in pattern[:-1]:
        return None
    wanted = _glob(pattern, r"\S+")
    return lambda address: bool(wanted.fullmatch(address))


def _glob(pattern, anything):
    """``pattern`` with ``anything``, a regular expression, for each “*”."""
    first, *others = map(re.escape, pattern.split("*"))
    if not others:
        return re.compile(first)
    # The first place of a piece does as well as any later one, so it is never tried again, as in `fnmatch`.
    *between, last = others
    return re.compile(first + "".join(f"(?>{anything}?{piece})" for piece in between) + anything + last)


def _lower(text):
    """In small letters, where these are ASCII's: some others become ASCII's by that, and would be taken for
    them.
    """
    return text.lower() if text.isascii() else text


def _digits(text):
    digits = BETWEEN_DIGITS.sub("", text.strip())
    return f"+{digits[2:]}" if digits.startswith("00") else digits
