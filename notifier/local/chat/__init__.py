"""A stand-in for the chat services that are used most: each takes, refuses and shows here what it does out
there, as it publishes itself. It knows nothing of what is sent to it. Shown by the outbox page.
"""

from .slack import ARCHIVED_ROOM
from .standin import ROOMS, ChatMessage, ChatStandIn
from .telegram import BOT as TELEGRAM_BOT, UNKNOWN_CHAT, WHO_BLOCKED_THE_BOT

__all__ = [
    "ARCHIVED_ROOM",
    "ROOMS",
    "TELEGRAM_BOT",
    "UNKNOWN_CHAT",
    "WHO_BLOCKED_THE_BOT",
    "ChatMessage",
    "ChatStandIn",
]
