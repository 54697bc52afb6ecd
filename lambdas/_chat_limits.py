"""The rates at which chat services take messages, of the whole bot and of one room.

``notifier.deliveries.slots`` keeps to them.
"""

import hashlib

from notifier.channels.limits import Limit
from notifier.channels.message import Message

# Of one bot, to all: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
# It is the lowest of the usual services', and kept for all of them together: nobody reads more in a chat.
RATE = Limit(number=30)
# About one a second in one room, and a few at once, for Telegram (as above), Slack and Discord:
# https://docs.slack.dev/apis/web-api/rate-limits, https://docs.discord.com/developers/topics/rate-limits
ROOM = Limit(number=10, seconds=10, burst=5)
# A group of Telegram takes 20 a minute.
GROUP = Limit(number=20, seconds=60, burst=10)


def part(message: Message) -> tuple[str, Limit]:
    """The room that a message is for, as a key that tells nothing of it, and its Limit."""
    address = message.address.strip()
    to = address.partition(":")[2]
    # A group's id is negative, a channel's name begins with an @:
    # https://core.telegram.org/bots/api#sendmessage
    limit = GROUP if to.startswith(("-", "@")) else ROOM
    return hashlib.sha256(address.encode(errors="replace")).hexdigest()[:32], limit
