"""Carries a few characters at a time. Declares all that a channel can, in one file."""

from notifier.channels.message import Examination
from notifier.exceptions import Skipped

LABEL = "Pigeon"
VERB = "send a pigeon to"
WAY = "by pigeon"
EXAMPLE = "North loft"
MARK = "~"
# The person's last name is the loft that it flies to.
ADDRESS = "last_name"
ADDRESS_FIELD = "SlugField"
PARTS = ("text", "link")
DISTURBS = False
READ_IN_THE_SITE = True
MAX_CHARACTERS = 7
CLOSED = "Closed loft"


def refuse(candidates, channel):
    closed = Skipped("loft_closed", f"No {channel} lands there.")
    return [closed if each.address == CLOSED else None for each in candidates]


def reachable(users):
    return users.exclude(last_name=CLOSED)


def examine(message):
    pieces = tuple(
        message.text[start : start + MAX_CHARACTERS] for start in range(0, len(message.text), MAX_CHARACTERS)
    )
    return Examination(pieces=pieces, length=len(message.text), cost_micros=price(message) * len(pieces))


def price(_message):
    return 10_000
