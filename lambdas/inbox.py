"""Notifications that people read in the site. Next hop: ``notifier.inbox``, whose API and stream their browsers ask."""

from notifier.exceptions import Skipped
from notifier.inbox.items import add_item

from ._handler import make_handler

# It waits to be looked at.
DISTURBS = False


def send(message, _session):
    """Put one item into its reader's inbox; return its id. The same delivery again is the same item."""
    kind, _, key = message.recipient.partition(":")
    if kind != "user":
        raise Skipped("invalid_address", "Only users have an inbox.")
    item = add_item(key, delivery=message.delivery, title=message.subject, text=message.text)
    return str(item.pk)


handler = make_handler(send, at_most_once=False, horizon_hours=24)
