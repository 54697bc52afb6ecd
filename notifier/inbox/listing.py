"""Reads a client's request, and the page of items that it asks for. Called by ``api`` and ``pages``."""

from dataclasses import dataclass

from django.core import signing

from ..models import InboxItem
from .endpoints import Refused

DEFAULT_ITEMS, MOST_ITEMS = 20, 50
# Of a BigAutoField and of a BigIntegerField.
LARGEST = 2**63 - 1
# A cursor is nobody's to make: what is not signed is not looked at. It says where to go on, not whose items.
CURSORS = signing.Signer(salt="notifier.inbox")
BEFORE, SINCE = "before", "since"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A page: newest first, ``before`` an item where given; or with ``since``, what has changed after that
    number, in its order.
    """

    limit: int = DEFAULT_ITEMS
    before: int | None = None
    since: int | None = None
    unread: bool = False


def read_query(values):
    """The Query in an address. Raises Refused for what it cannot be."""
    query = {
        "limit": read_number(values, "limit", 1, MOST_ITEMS, DEFAULT_ITEMS),
        "since": read_number(values, "since", 0, LARGEST),
        "unread": bool(read_number(values, "unread", 0, 1, 0)),
    }
    if cursor := values.get("cursor"):
        kind, place = _read_cursor(cursor)
        if kind == BEFORE and query["since"] is not None:
            raise Refused(
                400, "This cursor is of a list without “since”. Send it with the address that gave it."
            )
        query[kind] = place
    if query["unread"] and query["since"] is not None:
        raise Refused(400, "“since” tells of every change: leave out “unread”.")
    return Query(**query)


def read_number(values, name, least, most, default=None):
    """A whole number of an address or of a JSON object, or ``default`` where there is none.

    Raises Refused.
    """
    text = values.get(name)
    if text is None:
        return default
    is_number = (
        type(text) is int or isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 20
    )
    if not is_number or not least <= int(text) <= most:
        raise Refused(400, f"“{name}” is a whole number from {least} to {most}.")
    return int(text)


def _read_cursor(text):
    try:
        kind, place = CURSORS.unsign_object(text)
    except signing.BadSignature:
        raise Refused(
            400, "This cursor is broken. Take it from “next” as it is, or leave it out to begin anew."
        ) from None
    return kind, place


def read_page(user_id, query):
    """``(items, cursor of the next page or None)``. One query, of one index."""
    found = InboxItem.objects.filter(user=user_id).select_related("category")
    if query.since is not None:
        found, kind = found.filter(sequence__gt=query.since).order_by("sequence"), SINCE
    else:
        found, kind = found.filter(archived_at=None).order_by("-pk"), BEFORE
    if query.before is not None:
        found = found.filter(pk__lt=query.before)
    if query.unread:
        found = found.filter(read_at=None)
    items = list(found[: query.limit + 1])
    if len(items) <= query.limit:
        return items, None
    last = items[query.limit - 1]
    return items[: query.limit], CURSORS.sign_object([kind, last.sequence if kind == SINCE else last.pk])
