"""Every change of an inbox is in here, and takes its number. Next hop: the API and the stream. See ``models.inbox``, note [sequences]."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..models import Inbox, InboxItem
from .stream_waking import announce

MAX_TITLE_CHARACTERS = InboxItem._meta.get_field("title").max_length


@transaction.atomic
def add_item(user_id, *, delivery, title, text="", link="", icon="", about="", category_id=None):
    """Put an item into somebody's inbox; the same delivery again is the same item. Returns it."""
    # Holds the inbox: of two functions with one delivery, the second finds the first one's item.
    _take_numbers(user_id, 0)
    if delivery is not None and (found := InboxItem.objects.filter(delivery=delivery).first()):
        return found
    return InboxItem.objects.create(
        user_id=user_id, delivery=delivery, category_id=category_id, title=title[:MAX_TITLE_CHARACTERS], text=text,
        link=link, icon=icon, about=about, created_at=timezone.now(), sequence=_take_numbers(user_id, 1),
    )  # fmt: skip


def unread_of(user_id):
    """What the badge counts. One condition, of one partial index."""
    return InboxItem.objects.filter(user=user_id, read_at=None, archived_at=None)


def last_number(user_id):
    """The number of the inbox's last change; 0 where nothing ever came."""
    return Inbox.objects.filter(user=user_id).values_list("sequence", flat=True).first() or 0


def mark_read(user_id, ids):
    """Mark those of ``ids`` as read that are this person's and are not. Returns how many."""
    return _change(user_id, {"pk__in": ids, "read_at": None}, "read_at")


def mark_all_read(user_id, *, up_to):
    """Mark as read what had come when the inbox was at the number ``up_to``: not what the person has not seen yet."""
    return _change(user_id, {"sequence__lte": up_to, "read_at": None, "archived_at": None}, "read_at")


def archive(user_id, ids):
    """Take items out of the list. Returns how many."""
    return _change(user_id, {"pk__in": ids, "archived_at": None}, "archived_at")


@transaction.atomic
def _change(user_id, which, column):
    # The inbox first: whoever changes it waits here, and then sees what the one before has left.
    last = _take_numbers(user_id, 0)
    items = list(InboxItem.objects.filter(user=user_id, **which).order_by("pk"))
    if items:
        _take_numbers(user_id, len(items))
        for number, item in enumerate(items, last + 1):
            item.sequence = number
            setattr(item, column, timezone.now())
        InboxItem.objects.bulk_update(items, ["sequence", column], batch_size=200)
    return len(items)


def _take_numbers(user_id, how_many):
    """Take that many numbers, and hold the inbox until the commit. Returns the last one that was taken."""
    mine = Inbox.objects.filter(user=user_id)
    if not mine.update(sequence=F("sequence") + how_many):
        Inbox.objects.get_or_create(user_id=user_id)
        mine.update(sequence=F("sequence") + how_many)
    if how_many:
        announce(user_id)
    return mine.values_list("sequence", flat=True).get()
