"""The inbox as JSON, for scripts in a signed-in person's browser; ``openapi`` describes it.

Calls ``items`` and ``listing``.
"""

import json

from django.core.exceptions import RequestDataTooBig

from ..models import InboxItem
from . import items
from .endpoints import Refused, endpoint, unless_known
from .listing import LARGEST, read_number, read_page, read_query

COLUMNS = ("id", "sequence", "title", "text", "link", "icon", "about")
TIMES = ("created_at", "read_at", "archived_at")


def as_json(item):
    """An item as clients get it, here and by the stream."""
    category = {"category": item.category.name if item.category else None}
    return (
        {name: getattr(item, name) for name in COLUMNS}
        | category
        | {name: getattr(item, name) for name in TIMES}
    )


@endpoint("GET")
def list_items(request):
    """A page of items.

    ``sequence`` is what its reader knows up to: asked with ``since`` it, the next answer leaves nothing out.
    """
    query, user = read_query(request.GET), request.user.pk
    # Before the items: what comes in between is told twice rather than never.
    number = items.last_number(user)

    def answer():
        page, cursor = read_page(user, query)
        known = number
        if query.since is not None and page:
            known = page[-1].sequence if cursor else max(number, page[-1].sequence)
        return {
            "items": [as_json(item) for item in page],
            "next": cursor,
            "unread": items.unread_of(user).count(),
            "sequence": known,
        }

    return unless_known(request, number, query, answer)


@endpoint("GET")
def count_unread(request):
    number = items.last_number(request.user.pk)
    return unless_known(request, number, "unread", lambda: _standing(request, number))


@endpoint("POST")
def read_all(request):
    given = _json_object(request)
    up_to = read_number(given, "up_to", 0, LARGEST)
    if up_to is None:
        raise Refused(400, 'Say up to which number: {"up_to": 12}. It is the “sequence” of the last answer.')
    items.mark_all_read(request.user.pk, up_to=up_to)
    return _standing(request, items.last_number(request.user.pk))


@endpoint("POST")
def read_item(request, key):
    return _change(request, key, items.mark_read)


@endpoint("POST")
def archive_item(request, key):
    return _change(request, key, items.archive)


def _change(request, key, change):
    """Change one item. Another person's and one that never was get the same answer."""
    pk = int(key) if key.isascii() and key.isdecimal() and len(key) < 20 else 0
    if 0 < pk <= LARGEST:
        change(request.user.pk, [pk])
        if item := InboxItem.objects.filter(user=request.user.pk, pk=pk).select_related("category").first():
            return as_json(item)
    raise Refused(404, "There is no such item in your inbox.")


def _standing(request, number):
    return {"unread": items.unread_of(request.user.pk).count(), "sequence": number}


def _json_object(request):
    if request.content_type != "application/json":
        raise Refused(400, "Send JSON, with the header Content-Type: application/json.")
    try:
        given = json.loads(request.body)
    except RequestDataTooBig:
        raise Refused(400, "That is too long.") from None
    except (ValueError, RecursionError):
        raise Refused(400, "This is no JSON.") from None
    if not isinstance(given, dict):
        raise Refused(400, "Send an object.")
    return given
