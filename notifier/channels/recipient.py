"""The recipient of a delivery, as the database and the messages name it.

Made by ``people.addresses``, stored by ``deliveries``, read by a channel's ``send``.

Note [spellings]: one address has many, and a provider gives it back in another than it got. So only its
normal form is stored and asked for: in suppressions, opt-outs and the names of plain addresses. Columns that
keep what was written, as it is sent to, are asked by ``people.spellings``. That form is made without the
channel's own module, because the fan-out asks too and has no channel's library.

Note [mailboxes]: capitals before the @ do not count, although RFC 5321 would let a server tell them apart:
none that people have does. Dots and “+…” do count: whether they are ignored is each server's own affair. A
domain is what DNS is asked for, by the rules that mails are sent by (UTS 46, as Anymail has them: “ß” is a
letter of its own).
"""

import re
import unicodedata
from typing import NamedTuple

import idna

from .combining import stream_safe
from .storable import storable

# How stored texts begin, for conditions in SQL; everything else asks a Recipient.
USER_PREFIX, ADDRESS_PREFIX = "user:", "address:"

# The column's. Longer ones are no addresses of anything, and a channel skips what is left of them.
MAX_ADDRESS_CHARACTERS = 320
# What stands between digits: also the dashes and the invisible marks that come along when a number is copied.
_BETWEEN = r"\s().\-/\u00ad\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
# “00” is dialled for the “+” in most countries; a short one is no number of another country.
PHONE = re.compile(
    rf"[{_BETWEEN}]*(?:tel:[{_BETWEEN}]*)?(\+|00(?=(?:[{_BETWEEN}]*\d){{7}}))([\d{_BETWEEN}]+)"
)
NOUGHT = re.compile(r"\(\s*0\s*\)")
DEFAULT_PORTS = {"https": ":443", "http": ":80"}


class Recipient(NamedTuple):
    """A user, by primary key, or a plain address, in its normal form.

    ``str()`` gives the stored text, ``"user:<key>"`` or ``"address:<address>"``, and ``parse`` reads it.
    """

    prefix: str
    rest: str

    @classmethod
    def of_user(cls, pk):
        return cls(USER_PREFIX, str(pk))

    @classmethod
    def of_address(cls, address):
        """The same for all spellings of an address, so that an opt-out holds for each of them."""
        return cls(ADDRESS_PREFIX, normalise(address))

    @classmethod
    def parse(cls, text):
        """The Recipient of a stored text; what is neither a user nor an address keeps its text.

        An address stays as it was written down: a number is all that is left of one that was removed.
        """
        for prefix in (USER_PREFIX, ADDRESS_PREFIX):
            if text.startswith(prefix):
                return cls(prefix, text.removeprefix(prefix))
        return cls("", text)

    def __str__(self):
        return f"{self.prefix}{self.rest}"

    @property
    def is_user(self):
        return self.prefix == USER_PREFIX

    @property
    def is_address(self):
        return self.prefix == ADDRESS_PREFIX

    @property
    def user_key(self):
        """The user's primary key, as text; blank for what is no user."""
        return self.rest if self.is_user else ""

    @property
    def address(self):
        """The plain address; blank for a user."""
        return self.rest if self.is_address else ""


def user_keys(rows):
    """The primary keys, as texts, of the users among rows that have a ``recipient``."""
    texts = (each.recipient for each in rows)
    return [text.removeprefix(USER_PREFIX) for text in texts if text.startswith(USER_PREFIX)]


def normalise(address):
    """The one form of all spellings of an address: a mail address in lower case, its domain as DNS has it; a
    number as E.164; a URL with its host as DNS has it. See note [mailboxes].

    After a URL's host, capitals are other letters.
    """
    text = storable(address).strip()
    scheme, is_url, rest = text.partition("://")
    if is_url:
        return _url(scheme.lower(), rest)[:MAX_ADDRESS_CHARACTERS]
    text = unicodedata.normalize("NFKC", stream_safe(text)).strip().lower()
    if (found := PHONE.fullmatch(text)) and (number := _digits(found[2])):
        return f"+{number}"[:MAX_ADDRESS_CHARACTERS]
    name, at, domain = text.rpartition("@")
    return (name + at + _as_in_dns(domain) if at else text)[:MAX_ADDRESS_CHARACTERS]


def _digits(text):
    # “+44 (0)7400 …”: the nought is dialled at home alone.
    return "".join(str(unicodedata.decimal(each)) for each in NOUGHT.sub("", text) if each.isdecimal())


def _url(scheme, rest):
    end = min((at for mark in "/?#\\" if (at := rest.find(mark)) >= 0), default=len(rest))
    user, at, host = rest[:end].rpartition("@")
    host = _as_in_dns(
        unicodedata.normalize("NFKC", stream_safe(host)).lower().removesuffix(DEFAULT_PORTS.get(scheme, ":"))
    )
    return f"{scheme}://{user}{at}{host}{rest[end:]}"


def _as_in_dns(domain):
    domain = domain.removesuffix(".")
    # A longer one is no domain, and IDNA takes time by the square of its marks.
    if domain.isascii() or len(domain) > MAX_ADDRESS_CHARACTERS:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        pass
    try:
        return domain.encode("idna").decode()  # older rules have signs in names, such as “☃.net”
    except UnicodeError:  # no domain; the sender says so
        return domain
