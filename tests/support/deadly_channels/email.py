"""A channel whose price, and whose answer to what it has sent, can be the end of its function."""

from tests.support.mortal import die_of


def price(message):
    die_of(message.text, "pricing")
    return 100


def find_sent(message, session, since):
    die_of(message.text, "asking")
    return []
