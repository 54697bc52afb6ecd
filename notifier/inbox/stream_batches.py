"""Changes that a person's browser has not got yet, as server-sent events for its ``EventSource``.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import json
import random
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder

from ..models import InboxItem
from .api import as_json
from .items import last_number, unread_of

PAGE_ITEMS = 100
# An answer of a function may have 6 MB, and JSON inside JSON grows:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
PAGE_CHARACTERS = 1_000_000
# Those that one outage has cut off do not all come back at one instant.
SPREAD = 0.3
# More digits than a sequence can have, and nobody's.
MAX_DIGITS = 19


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some events as text; the number that a client has reached with them; and whether there are ``more``
    right now.
    """

    text: str
    last: int
    more: bool = False


def read_batch(user_id, last):
    """The changes in this person's inbox after the number ``last``, at most a page; None means: only from now
    on.

    One query where there are none. See ``models.inbox``, note [sequences]: the number is read first, so all
    up to it is seen.
    """
    present = last_number(user_id)
    if last is None or last > present:
        # A number beyond the present is that of another database: where this one stands, the client learns by
        # `unread`.
        return Batch(text=_unread(user_id, present), last=present)
    if last == present:
        return Batch(text="", last=last)
    items = (
        InboxItem.objects.filter(user=user_id, sequence__gt=last)
        .select_related("category")
        .order_by("sequence")[:PAGE_ITEMS]
    )
    texts, size = [], 0
    for item in items:
        texts.append(_event("item", item.sequence, as_json(item)))
        last, size = item.sequence, size + len(texts[-1])
        if len(texts) == PAGE_ITEMS or size > PAGE_CHARACTERS:
            return Batch(text="".join(texts), last=last, more=True)
    # The numbers of items that are gone are passed over, or nobody would ever reach the present.
    last = max(last, present)
    return Batch(text="".join([*texts, _unread(user_id, last)]), last=last)


def read_number(text):
    """The number that a client says it has reached, or None for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def retry_in(seconds):
    """Tell the browser when to come back after this connection: about then."""
    return f"retry: {round(seconds * 1000 * random.uniform(1 - SPREAD, 1 + SPREAD))}\n\n"  # noqa: S311 - no secret


def _unread(user_id, sequence):
    return _event("unread", sequence, {"unread": unread_of(user_id).count(), "sequence": sequence})


def _event(name, number, data):
    return (
        f"id: {number}\nevent: {name}\ndata: "
        f"{json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False)}\n\n"
    )
