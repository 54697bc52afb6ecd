"""Tokens of a message's links, which name its reader: signed, and without an address.

Written by ``reader_links``, read by ``preferences``.

Note [who a link is about]: a user is named by their key, which says nothing to anybody else. An address, or a
key that may be one, is not written down at all: the link names the delivery that it came with. Once that is
purged, the link says so and changes nothing.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.signing import BadSignature, Signer, b64_encode

from ..channels.recipient import Recipient
from ..channels.registry import NAME
from ..models import Delivery
from ..models.outbox import NAMELESS
from ..templating import readable

USER, DELIVERY = "u", "d"
# Keys that are numbers or UUIDs. A project's own user model may have any text for one.
TELLS_NOTHING = re.compile(r"[0-9]{1,19}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Ours are under 150.
MAX_CHARACTERS = 250
SHAPES = {
    "unsubscribe": re.compile(r"([ud])\.([0-9a-f-]{1,36})\.([0-9]{1,19})\.(" + NAME.pattern + "|)"),
    "preferences": re.compile(r"([ud])\.([0-9a-f-]{1,36})"),
}


class BadLink(Exception):
    """The link is not one of ours, or not whole."""


class GoneLink(Exception):
    """The link was ours; the person that it was about is not on record any more."""


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """The person who holds a link.

    ``recipient`` is as a delivery has it; ``channels`` are those that a plain address can be reached by.
    """

    recipient: str
    user: object = None
    address: str = ""
    channels: tuple = ()


def sign(purpose, recipient, delivery, *rest):
    """The token for one recipient of one delivery."""
    return signer(purpose)(".".join([name_of(recipient, delivery), *map(str, rest)]))


def signer(purpose):
    """A function that signs as Django's Signer does, at a tenth of its time: each mail has two links."""
    begun = hmac.new(_key(_salt(purpose), settings.SECRET_KEY), digestmod="sha256")

    def sign_value(value):
        # Not `hmac.digest`, at which another thread takes over, for longer than a mail takes.
        signature = begun.copy()
        signature.update(value.encode())
        return f"{value}.{b64_encode(signature.digest()).decode()}"

    return sign_value


def name_of(recipient, delivery):
    """Whom a token is about. See note [who a link is about]."""
    key = Recipient.parse(recipient).user_key
    return f"{USER}.{key}" if TELLS_NOTHING.fullmatch(key) else f"{DELIVERY}.{delivery}"


def _salt(purpose):
    return f"notifier.{purpose}"


@lru_cache
def _key(salt, secret):
    return hashlib.sha256(f"{salt}signer{secret}".encode()).digest()


def read(purpose, token):
    """The parts of a token, as texts. Raises BadLink."""
    try:
        found = (
            SHAPES[purpose].fullmatch(Signer(salt=_salt(purpose), sep=".").unsign(token))
            if len(token) <= MAX_CHARACTERS
            else None
        )
    except BadSignature:
        found = None
    if found is None:
        raise BadLink
    return found.groups()


def find_bearer(kind, key):
    """The Bearer of a token's first two parts. Raises GoneLink. One query, or two."""
    if kind == USER:
        return _user(key)
    delivery = (
        Delivery.objects.filter(pk=key).values_list("recipient", "channel").first()
        if key.isdecimal()
        else None
    )
    if delivery is None:
        raise GoneLink
    recipient = Recipient.parse(delivery[0])
    if recipient.is_user:
        return _user(recipient.user_key)
    # A number is what is left of an address that was removed: see `operations.retention.forget_addresses`.
    if not recipient.address or recipient.address.startswith(NAMELESS):
        raise GoneLink
    return Bearer(recipient=delivery[0], address=recipient.address, channels=(delivery[1],))


def _user(key):
    user = readable.find_instance(get_user_model(), key)
    if user is None:
        raise GoneLink
    return bearer_of(user)


def bearer_of(user):
    """The Bearer who is a user."""
    return Bearer(recipient=str(Recipient.of_user(user.pk)), user=user)
