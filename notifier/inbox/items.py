"""Changes of an inbox: all are in here, and each takes its number.

See ``models.inbox``, note [sequences].

Note [locks]: a transaction that changes an inbox holds its row from the first number that it takes until the
commit, and takes no number that it does not use. On PostgreSQL others wait at that row; on SQLite, whose
first statement here is always a write, at the file.
"""

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ..channels.cutting import start_of
from ..models import Inbox, InboxItem
from .stream_waking import announce

MAX_TITLE_CHARACTERS = InboxItem._meta.get_field("title").max_length
# What one statement changes: SQLite takes so many values.
BATCH_SIZE = 200


def add_item(user_id, *, delivery=None, title, text="", link="", icon="", about="", category_id=None):
    """Put an item into somebody's inbox; the same delivery again is the same item. Returns it.

    Raises the user model's DoesNotExist where there is no such user (any more).
    """
    same = InboxItem.objects.filter(delivery=delivery)
    if delivery is not None and (found := same.first()):
        return found
    try:
        with transaction.atomic():
            return InboxItem.objects.create(
                user_id=user_id, delivery=delivery, category_id=category_id,
                title=start_of(title, MAX_TITLE_CHARACTERS), text=text, link=link, icon=icon, about=about,
                created_at=timezone.now(), sequence=_take_number(user_id),
            )  # fmt: skip
    except IntegrityError:
        # Another function had the same delivery and was first. The number went back with the transaction.
        if delivery is None or not (found := same.first()):
            raise
        return found


def unread_of(user_id):
    """The items that the badge counts. One condition, of one partial index."""
    return InboxItem.objects.filter(user=user_id, read_at=None, archived_at=None)


def last_number(user_id):
    """The number of the inbox's last change; 0 where nothing ever came."""
    return Inbox.objects.filter(user=user_id).values_list("sequence", flat=True).first() or 0


def mark_read(user_id, ids):
    """Mark those of ``ids`` as read that are this person's and are not. Returns how many."""
    return _change(user_id, {"pk__in": ids, "read_at": None}, "read_at")


def mark_all_read(user_id, *, up_to):
    """Mark as read what had come when the inbox was at the number ``up_to``: not what the person has not seen
    yet.
    """
    return _change(user_id, {"sequence__lte": up_to, "read_at": None, "archived_at": None}, "read_at")


def archive(user_id, ids):
    """Take items out of the list. Returns how many."""
    return _change(user_id, {"pk__in": ids, "archived_at": None}, "archived_at")


@transaction.atomic
def _change(user_id, which, column):
    # The inbox first: another change waits here, and then sees what the one before has left.
    last = _move(user_id, 0)
    if last is None:
        return 0
    items = list(InboxItem.objects.filter(user=user_id, **which).order_by("pk").only("pk"))
    if items:
        now = timezone.now()
        _move(user_id, len(items))
        for number, item in enumerate(items, last + 1):
            item.sequence = number
            setattr(item, column, now)
        InboxItem.objects.bulk_update(items, ["sequence", column], batch_size=BATCH_SIZE)
    return len(items)


def _take_number(user_id):
    """Take the next number, and hold the inbox until the commit. The first one makes the inbox."""
    number = _move(user_id, 1)
    if number is None:
        # A foreign key is looked at only at the commit, and this is to be told from other failures.
        get_user_model()._default_manager.only("pk").get(pk=user_id)
        Inbox.objects.get_or_create(user_id=user_id)
        number = _move(user_id, 1)
    return number


def _move(user_id, how_far):
    """Move an inbox's number, or with 0 only hold it. Returns it, or None where there is no inbox yet."""
    mine = Inbox.objects.filter(user=user_id)
    if not mine.update(sequence=F("sequence") + how_far):
        return None
    if how_far:
        announce(user_id)
    return mine.values_list("sequence", flat=True).get()
