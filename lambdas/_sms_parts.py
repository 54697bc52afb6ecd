"""The alphabet and the parts of a text that travels as SMS. Called by ``sms``, which prices and shows
them.
"""

from dataclasses import dataclass
from itertools import pairwise

# Of one SMS, and of each part of a longer one:
# https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-sms-scale-limits.html
SEPTETS, SEPTETS_PER_PART = 160, 153
UCS2_UNITS, UCS2_UNITS_PER_PART = 70, 67
ROOM = {"GSM-7": (SEPTETS, SEPTETS_PER_PART), "UCS-2": (UCS2_UNITS, UCS2_UNITS_PER_PART)}

# 3GPP TS 23.038, 6.2.1: https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these takes two septets.
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """A text as it travels: ``encoding`` is GSM-7 or UCS-2, ``characters`` are its units (septets, or 16-bit
    units).
    """

    encoding: str
    characters: int
    parts: int


def count_parts(text):
    """The :class:`Parts` of ``text``: what it costs at least; a provider may cut between words and need one
    more.
    """
    encoding, widths, pieces = cut(text)
    return Parts(encoding=encoding, characters=sum(widths), parts=len(pieces))


def cut(text):
    """``(encoding, units of each character, pieces)`` as phones take them: a character of two units is never
    cut in two.
    """
    if all(character in GSM_BASIC or character in GSM_EXTENDED for character in text):
        encoding, widths = "GSM-7", [1 + (character in GSM_EXTENDED) for character in text]
    else:
        encoding, widths = "UCS-2", [1 + (ord(character) > 0xFFFF) for character in text]
    single, per_part = ROOM[encoding]
    if sum(widths) <= single:
        return encoding, widths, [text]
    starts, room = [0], per_part
    for position, width in enumerate(widths):
        if width > room:
            starts.append(position)
            room = per_part
        room -= width
    return encoding, widths, [text[start:end] for start, end in pairwise([*starts, len(text)])]
