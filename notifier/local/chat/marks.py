"""The markup of chat services, as far as a person sees it: what is formatted, what is a link behind other
words, and whom a text calls. Called by the services of the stand-in, each with its own Markup.
"""

import re
from dataclasses import dataclass

# Where a sign stood that was escaped: it is shown, and means nothing.
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
HELD = 0xE000


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as people see it: which of its words are formatted, the links that show other words, as
    ``(words, URL)``, and whom it calls.
    """

    text: str
    formatted: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Markup:
    """The signs of a service. ``escapes``: a backslash takes a sign its meaning.

    ``formats`` and ``links`` are patterns; what is shown is their group ``words``. ``links`` have a ``url``,
    and ``calls`` match whom a text calls.
    """

    formats: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    calls: str = ""
    escapes: bool = False


def show(text, markup):
    """``text`` as a service with that Markup shows it."""
    formatted, links, calls = [], [], []
    if markup.escapes:
        text = ESCAPED.sub(lambda sign: chr(HELD + ord(sign[1])), text)

    def note(match):
        links.append((_read(match["words"]), match["url"]))
        return match["words"]

    def format_(match):
        formatted.append(_read(match["words"]))
        return match["words"]

    for pattern in markup.links:
        text = re.sub(pattern, note, text)
    if markup.calls:
        calls = [_read(match[0]) for match in re.finditer(markup.calls, text)]
    for pattern in markup.formats:
        text = re.sub(pattern, format_, text, flags=re.MULTILINE)
    return Shown(_read(text), tuple(formatted), tuple(links), tuple(calls))


def _read(text):
    return "".join(chr(ord(each) - HELD) if HELD < ord(each) < HELD + 128 else each for each in text)


MASKED = r"\[(?P<words>[^\[\]\n]+)\]\((?P<url>https?://[^()\s]+)\)"
ANGLED = r"<(?P<url>https?://[^<>|\s]+)\|(?P<words>[^<>\n]+)>"
CODE = r"`(?P<words>[^`\n]+)`"
HEADING, QUOTE = r"^#{1,6} (?P<words>.+)$", r"^> (?P<words>.+)$"
BULLET, NUMBERED = r"^[-*+] (?P<words>.+)$", r"^\d{1,9}[.)] (?P<words>.+)$"
# https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis, for what a person writes in one line
COMMON = (
    CODE, HEADING, QUOTE, BULLET, NUMBERED, r"\*\*(?P<words>[^*\n]+)\*\*", r"~~(?P<words>[^~\n]+)~~",
    r"\*(?P<words>[^*\n]+)\*", r"(?<!\w)_(?P<words>[^_\n]+)_(?!\w)",
)  # fmt: skip
# One sign on each side, at the edges of words: https://docs.slack.dev/messaging/formatting-message-text,
# https://developers.google.com/workspace/chat/format-messages
SINGLE = (
    CODE, r"(?<!\w)\*(?P<words>[^*\s][^*\n]*)\*(?!\w)", r"(?<!\w)_(?P<words>[^_\s][^_\n]*)_(?!\w)",
    r"(?<!\w)~(?P<words>[^~\s][^~\n]*)~(?!\w)",
)  # fmt: skip
