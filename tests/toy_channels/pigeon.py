"""Carries a few characters at a time."""

from notifier.channels.message import Examination

MAX_CHARACTERS = 7


def examine(message):
    pieces = tuple(
        message.text[start : start + MAX_CHARACTERS] for start in range(0, len(message.text), MAX_CHARACTERS)
    )
    return Examination(pieces=pieces, length=len(message.text), cost_micros=10_000 * len(pieces))
