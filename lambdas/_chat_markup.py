"""The words of a message in the markup of a chat service: the template's own are left as they were written,
and what came from data calls nobody, formats nothing and hides no link. Called by ``chat``.

Note [apart]: ``Message.from_data`` says which stretches of a text are data. Where it says nothing, all of it
is taken for data: a bold word less harms nobody, a call to everybody more does.

Note [invisible]: where a service has no escape, a character of no width keeps it from reading a sign as one,
and a sign that would format in spite of it is another that looks like it.
"""

import re
from html import escape

# Ends a word for whoever looks for “@everyone”, and is seen by nobody.
GAP = "\u200b"
# As far as nothing in it means anything elsewhere, so that a link in data stays one.
URL = re.compile(r"(https?://[^\s<>\[\](){}*`|\\]+)")
# Calls somebody, or everybody: @everyone, @**all**, <!channel>, <@123>, <users/all>, <at>…</at>. What follows
# may be the template's, so an end counts as well.
EVERYBODY = re.compile(r"@(?=(?:everyone|here|channel|all|room|team)(?![\w-]|\.\w))", re.IGNORECASE)
IN_LINK = re.compile(rf"(?<=[/=])@|{EVERYBODY.pattern}", re.IGNORECASE)
CALL = re.compile(r"(?<!\w)@(?!\u200b)|<(?![\s\d=])")
# Stands for something else: a link behind other words, and the dates of
# https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features#datetime-example
HIDDEN = re.compile(r"\](?=\(|\Z)|\{(?=\{|\Z)|\A(?=[({])")
# https://spec.commonmark.org/0.31.2/#backslash-escapes, as far as these services format something by it.
SIGN = re.compile(r"[\\`*_~\[\]|#]|^[ \t]{0,99}[>+-]|^[ \t]{0,99}\d{1,9}(?=[.)](?:\s|\Z))", re.MULTILINE)
# Of services that know no escape: what formats at the edge of a word, or a line.
EDGE = re.compile(r"[*`~]|(?<![^\W_])_|_(?![^\W_])")
LIKE = str.maketrans({"*": "\u2217", "_": "\uff3f", "~": "\u223c", "`": "\u02cb"})
LINE = re.compile(r"^(?=[ \t]{0,99}(?:[>#-]|\d{1,9}\.))|\|(?=\|)", re.MULTILINE)
# https://docs.slack.dev/messaging/formatting-message-text#advanced
OF_SLACK = re.compile(
    r"(<(?:[!@#](?:\|[\w^.-]*+|[\w^.-]++)|(?:https?://|mailto:)(?:\|[^<>|\s]*+|[^<>|\s]++))(?:\|[^<>]*+)?>)"
)
# https://core.telegram.org/bots/api#html-style
OF_TELEGRAM = re.compile(
    r"(</?(?:b|strong|i|em|u|ins|s|strike|del|tg-spoiler|code|pre|blockquote)>|<a href=\"[^\"<>]*\">|</a>)"
)
LONE_AMPERSAND = re.compile(r"&(?!(?:lt|gt|amp|quot|#x?[\da-fA-F]{1,6});)")


def pieces_of(text, spans):
    """``(piece, whether it is data)`` of a text, in order. See note [apart]."""
    if spans is None:
        return [(text, True)]
    found, at = [], 0
    for begin, end in spans:
        found += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    return [each for each in [*found, (text[at:], False)] if each[0]]


def _outside_links(change, keep=str):
    """A function that changes all of a text but its links; in these a sign that calls is written as links may
    have it: https://www.rfc-editor.org/rfc/rfc3986#section-2.1
    """

    def changed(text):
        parts = URL.split(text)
        return "".join(
            keep(IN_LINK.sub("%40", part)) if is_link else change(part)
            for part, is_link in zip(parts, [False, True] * len(parts), strict=False)
        )

    return changed


def _calling_nobody(text):
    return CALL.sub(lambda sign: sign[0] + GAP, EVERYBODY.sub("@" + GAP, text))


def _defused(text):
    return HIDDEN.sub(lambda sign: sign[0] + GAP, _calling_nobody(text))


def _escaped(text):
    """With a backslash at each sign; at a number, which begins a list, behind it."""
    return SIGN.sub(
        lambda sign: f"{sign[0]}\\" if sign[0][-1].isdigit() else f"{sign[0][:-1]}\\{sign[0][-1]}",
        _calling_nobody(text).replace("{{", "{" + GAP + "{"),
    )


def _alike(text):
    """See note [invisible]."""
    return EDGE.sub(lambda sign: sign[0].translate(LIKE), LINE.sub(lambda at: at[0] + GAP, _defused(text)))


plain = _outside_links(_defused)
markdown = _outside_links(_escaped)
alike = _outside_links(_alike)
# A < and an > are entities here; what is left is a name, which gets the person called.
telegram = _outside_links(
    lambda text: escape(re.sub(r"(?<!\w)@", "@" + GAP, text)),
    keep=escape,
)
# https://docs.slack.dev/messaging/formatting-message-text#escaping
slack = _outside_links(
    lambda text: escape(EDGE.sub(lambda sign: sign[0].translate(LIKE), text), quote=False),
    keep=lambda link: escape(link, quote=False),
)


def as_written(text):
    """The template's words where a service takes whatever is there."""
    return text


def kept_of_slack(text):
    """``text`` with Slack's own constructs; every other < and > is only a sign."""
    parts = OF_SLACK.split(text)
    return "".join(
        part if is_own else LONE_AMPERSAND.sub("&amp;", part).replace("<", "&lt;").replace(">", "&gt;")
        for part, is_own in zip(parts, [False, True] * len(parts), strict=False)
    )


def kept_of_telegram(text):
    """``text`` with Telegram's own tags where each is closed; else without any, as Telegram refuses the
    message. https://core.telegram.org/bots/api#formatting-options
    """
    parts = OF_TELEGRAM.split(text)
    tags, is_whole = parts[1::2], _are_closed(parts[1::2])
    words = [
        LONE_AMPERSAND.sub("&amp;", part).replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]
    ]
    between = tags if is_whole else [escape(tag, quote=False) for tag in tags]
    return "".join(word + tag for word, tag in zip(words, [*between, ""], strict=True))


def _are_closed(tags):
    opened = []
    for tag in tags:
        name = tag.strip("</>").split(" ")[0]
        if not tag.startswith("</"):
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened
