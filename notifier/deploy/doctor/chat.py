"""Checks that Apprise can read the rooms of the chat channel. Nothing is sent, and nobody is asked."""

import os
from importlib.util import find_spec

from notifier.exceptions import SendError

from . import parameters
from .findings import error, unchecked, warning

ROOMS = "CHAT_ROOMS"
# In the place of a recipient, to see whether the rest of the URL is whole.
SOMEBODY = "1"
SHAPE = '{"ops": "slack://…", "telegram": "tgram://…/{to}"}'


def check_rooms(context):
    """The secret is readable, and each URL in it is one that Apprise knows and that the function would
    use.
    """
    # Not at the top: a deployment without this channel needs none of it.
    from lambdas._chat_rooms import TO, parse_rooms, plugin_for, url_of

    text = parameters.read(context, [ROOMS]).get(ROOMS) if context.stage else os.environ.get(ROOMS)
    store = parameters.put(context.deployment.stack_name, ROOMS) if context.stage else f"export {ROOMS}=…"
    try:
        rooms = parse_rooms(text or "{}")
    except SendError as refusal:
        yield error(refusal.detail, store)
        return
    if not rooms:
        yield warning(
            f"{ROOMS} names no room, so nothing can be sent to a chat. It is a JSON object: {SHAPE}", store
        )
    elif not find_spec("apprise"):
        yield unchecked(
            "the rooms of the chat channel: Apprise is not installed here.",
            "pip install -r requirements-chat.txt",
        )
    else:
        for name, room in rooms.items():
            try:
                plugin_for(url_of(f"{name}:{SOMEBODY}" if TO in room.url else name, rooms))
            except SendError as refusal:
                yield error(f"Nothing can be sent to the room “{name}” of {ROOMS}: {refusal.detail}", store)
