"""Advice on what mail clients and readers will make of an HTML mail, shown in the template editor.

Called by ``email.examine``.
"""

import re

from lxml.etree import ParserError
from lxml.html import document_fromstring

from notifier.channels.message import Problem

# Gmail cuts a mail off here: https://support.google.com/mail/answer/6594?hl=en#zippy=%2Clong-messages
MAX_HTML_BYTES = 102 * 1024
# What a link to stop the mails is called, in its address or its words.
UNSUBSCRIBE = re.compile(
    r"unsubscri|opt.?out|preferences|abmeld|abbestell|désabonn|désinscri|desinscri|cancela|darse "
    r"de baja|disiscri|uitschrijv|afmeld"
    r"|avregistrer|wypisz|rezygn|退订|配信停止|購読解除|수신거부|отписаться",
    re.IGNORECASE,
)
# Mail clients take these out, or show nothing in their place: https://www.caniemail.com
TAKEN_OUT = ("script", "iframe", "object", "embed", "video", "audio", "form")
NOT_IN_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
SHOWN = 60


def advise_on(html):
    """A list of Problems of an HTML body, none of them an error. Never raises on odd HTML."""
    try:
        tree = document_fromstring(NOT_IN_HTML.sub("", html))
    except (ParserError, ValueError):  # nothing but blanks and comments, or an encoding declared in text
        return []
    return [Problem(part="html", text=text) for check in CHECKS if (text := check(tree, html))]


def _unsubscribe(tree, _html):
    # Without an address it leads nowhere, whatever its words are.
    links = ((link.get("href") or "", link.text_content()) for link in tree.iter("a"))
    if not any(href.strip() and UNSUBSCRIBE.search(f"{href} {words}") for href, words in links):
        return (
            "There is no link to unsubscribe. People then report the mail as spam, which harms all others. "
            'Write <a href="{{ unsubscribe_url }}">Unsubscribe</a>.'
        )


def _images(tree, _html):
    bare = [image.get("src", "") for image in tree.iter("img") if image.get("alt") is None]
    if bare:
        which = f"{len(bare)} images have" if len(bare) > 1 else f"The image {_short(bare[0])} has"
        return f'{which} no alt="…": many clients show that text instead until the reader loads images.'


def _insecure(tree, _html):
    found = {value for _, _, value, _ in tree.iterlinks() if value.lower().startswith("http://")}
    if found:
        return f"{_short(min(found))} is not encrypted: write https://."


def _taken_out(tree, _html):
    if found := sorted({element.tag for element in tree.iter(*TAKEN_OUT)}):
        return f"Mail clients take out {', '.join(f'<{tag}>' for tag in found)}."


def _length(_tree, html):
    if (size := len(html.encode(errors="replace"))) > MAX_HTML_BYTES:
        return f"{size // 1024} KB of HTML: Gmail cuts a mail off after {MAX_HTML_BYTES // 1024} KB."


def _short(address):
    return address if len(address) <= SHOWN else address[:SHOWN] + "…"


CHECKS = (_unsubscribe, _images, _insecure, _taken_out, _length)
