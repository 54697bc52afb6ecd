"""The recipient of a delivery, as the database and the messages name it.

Made by ``people.addresses``, stored by ``deliveries``, read by a channel's ``send``.

Note [spellings]: one address has many, and a provider gives it back in another than it got. So only its
normal form is stored and asked for. That form is made without the channel's own module, because the fan-out
asks too and has no channel's library.
"""

import re
import unicodedata
from dataclasses import dataclass

from .storable import storable

# How stored texts begin, for conditions in SQL; everything else asks a Recipient.
USER_PREFIX, ADDRESS_PREFIX = "user:", "address:"

# The column's. Longer ones are no addresses of anything, and a channel skips what is left of them.
MAX_ADDRESS_CHARACTERS = 320
PHONE = re.compile(r"(?:tel:)?\+[\d\s().\-/]*\d[\d\s().\-/]*")


@dataclass(frozen=True, slots=True)
class Recipient:
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
    found = (Recipient.parse(each.recipient) for each in rows)
    return [each.user_key for each in found if each.is_user]


def normalise(address):
    """The one form of all spellings of an address: a mail address in lower case, its domain as DNS has it; a
    number as E.164.

    A URL stays as it is: after its host, capitals are other letters.
    """
    if "://" in address:
        return storable(address).strip()[:MAX_ADDRESS_CHARACTERS]
    text = unicodedata.normalize("NFKC", storable(address)).strip().casefold()
    if PHONE.fullmatch(text):
        # “+44 (0)7400 …”: the nought is dialled at home alone.
        return "+" + "".join(
            str(unicodedata.decimal(each)) for each in re.sub(r"\(\s*0\s*\)", "", text) if each.isdecimal()
        )
    name, at, domain = text.rpartition("@")
    return (name + at + _as_in_dns(domain) if at else text)[:MAX_ADDRESS_CHARACTERS]


def _as_in_dns(domain):
    try:
        return domain.encode("idna").decode()
    except UnicodeError:  # no domain; the sender says so
        return domain
