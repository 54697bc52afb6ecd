"""What opens something does not stand in a log: links' tokens, session keys, passwords, addresses.

The one place for all log lines: ``lambdas._json_log`` writes by it on Lambda, ``LineFormatter`` elsewhere.
"""

import logging
import re
from urllib.parse import unquote

HIDDEN = "…"
# Each looks once at each character, however the text is made.
PATTERNS = [
    # Pages that a token opens: of ``notifier.urls``, and Django's for a new password.
    # https://docs.djangoproject.com/en/stable/topics/auth/default/#module-django.contrib.auth.views
    re.compile(r"(?i)([/\\](?:unsubscribe|preferences|reset)[/\\]++)(?:[^\s?#\"'<>&:]|:(?=\S))++"),
    # Their tokens by themselves.
    re.compile(r"(?i)(\b)[ud]\.[0-9a-f-]{1,36}(?:\.[\w-]{0,64}){0,2}\.[\w-]{16,}+"),
    re.compile(r"(?i)(\b)[0-9a-z]{1,13}-[0-9a-f]{32}\b"),
    # Django's session keys: 32 digits and small letters, and more than a hexadecimal number.
    re.compile(r"(\b)(?=[a-z]{0,31}[0-9])(?=[0-9a-f]{0,31}[g-z])[0-9a-z]{32}\b"),
    # What its name calls secret, in a query, a cookie, a header, a dictionary.
    re.compile(
        r"(?i)((?:token|secret|passw|passphrase|sessionid|session_key|csrf|signature|api_?key|credential)"
        r"[\w-]{0,30}(?:[\"')\]]{0,2}\s{0,2}=|[\"']\s{0,2}:)\s{0,2}[b(\[]?[\"'(\[]?)[^\s&;,\"'<>)\]]++"
    ),
    re.compile(r"(?i)([?&](?:code|key|sig|auth|otp|pin|state)=)[^\s&#\"'<>]++"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s{1,3})[\w.~+/=-]{8,}+"),
    re.compile(r"(['\"]body['\"]: ['\"])[^'\"]++"),
    re.compile(r"(://)[^\s/@:\"']{0,128}:[^\s/@\"']{1,256}@"),
    # Webhooks' secrets, and the services' addresses that are secrets whole.
    re.compile(r"()whsec_[\w+/=-]++"),
    re.compile(r"(/services/T\w{1,32}/)\S++"),
    re.compile(r"(/webhooks/\d{1,32}/)[\w-]++"),
    re.compile(r"(/bot\d{1,32}:)[\w-]++"),
    # Mail addresses and telephone numbers.
    re.compile(r"()(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+"),
    re.compile(r"()\+\d[\d ().-]{6,}\d"),
]
# Signatures and keys: https://docs.python.org/3/library/secrets.html#secrets.token_urlsafe
LONG = re.compile(r"(?<![\w-])[\w-]{40,}+")
ESCAPED = re.compile(r"(?<![^\s\"'<>])[^\s\"'<>%]*+%[^\s\"'<>]*+")
# As often as something in an address may be escaped within what is escaped.
MOST_ESCAPES = 5


def hide(text):
    """``text`` with HIDDEN for what is secret or personal in it, also where that is percent-encoded."""
    return _hidden(ESCAPED.sub(_decoded, text) if "%" in text else text)


def _hidden(text):
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return LONG.sub(_unless_words, text)


def _unless_words(found):
    """A name is not as mixed as what is made by chance."""
    kinds = str.isupper, str.islower, str.isdigit
    return HIDDEN if all(any(map(is_kind, found[0])) for is_kind in kinds) else found[0]


def _decoded(word):
    """The word as it was, unless its decoded form is one to hide."""
    text = word[0]
    for _ in range(MOST_ESCAPES):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
        if (hidden := _hidden(text)) != text:
            return hidden
    return word[0]


def hide_all(value):
    """``value`` with all its texts hidden, those in its lists and dictionaries as well."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: hide_all(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [hide_all(each) for each in value]
    return value


class LineFormatter(logging.Formatter):
    """Lines for people, traces included."""

    def __init__(self, fmt="{levelname} {name}: {message}", style="{", **options):
        super().__init__(fmt, style=style, **options)

    def format(self, record):
        return hide(super().format(record))
