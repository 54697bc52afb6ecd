"""One provider's report, in a form that is the same for all. Stored by ``recording``.

Without models: ``lambdas.email`` imports it before Django is set up.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..channels.storable import storable

# The message tag that a mail carries: SES gives it back with each event, and nobody who gets the mail sees
# it. (A header would be seen, and is missing from the events of a mail with much in its head.)
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html
DELIVERY_TAG = "notifier-delivery"
QUOTED_WORD = re.compile(r"[^\s<>()\[\],;:\"']+")
QUOTED_NUMBER = re.compile(r"\+?\d{7,}")
# Shorter ones are in too many other words.
SHORTEST_NAME = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One thing that a provider said of one message.

    ``kind`` is a ``Feedback.Kind``; ``key`` is the same whenever the same thing is said again.
    ``delivery_id`` is what the message itself carried, or None; ``addresses`` are those that it was sent to,
    ``sent_at`` is when. ``suppress`` is the ``Suppression.Reason`` for which its address gets nothing more,
    or blank. ``of_account``: nothing is wrong with the address, the provider sends nobody anything of ours.
    ``detail`` quotes no address.
    """

    channel: str
    kind: str
    key: str
    message_id: str
    happened_at: dt.datetime
    sent_at: dt.datetime
    addresses: tuple[str, ...] = ()
    delivery_id: int | None = None
    detail: str = ""
    permanent: bool = False
    suppress: str = ""
    of_account: bool = False

    def __post_init__(self) -> None:
        # What a provider says is asked for in the database, and stored there.
        for name in ("key", "message_id", "detail"):
            object.__setattr__(self, name, storable(getattr(self, name)))


def key_of(provider: str, *parts: str) -> str:
    """A key for what ``parts`` tell apart."""
    return f"{provider}:{hashlib.sha256(chr(10).join(parts).encode(errors='replace')).hexdigest()}"


def delivery_id_of(text: Any) -> int | None:
    """The delivery's id that a message carried, as text; None where it is none of ours."""
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if is_number else None


def moment_of(text: Any) -> dt.datetime | None:
    """The time in a provider's text, taken for UTC where it does not say; None where there is none."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return timezone.make_aware(found, dt.UTC) if found and timezone.is_naive(found) else found


def without_addresses(text: str, addresses: Iterable[str]) -> str:
    """A provider's words without the address that they are about, nor what looks like one: everybody may read
    a detail.
    """
    names = sorted(
        {part for each in addresses for part in (each, each.partition("@")[0]) if len(part) >= SHORTEST_NAME},
        key=len,
    )
    text = QUOTED_NUMBER.sub("…", QUOTED_WORD.sub(_unless_address, text))
    for name in reversed(names):
        text = re.sub(re.escape(name), "…", text, flags=re.IGNORECASE)
    return " ".join(text.split())


def _unless_address(word: re.Match[str]) -> str:
    """A provider's text often quotes the address: a word with an @ in it."""
    return "…" if "@" in word[0][1:-1] else word[0]
