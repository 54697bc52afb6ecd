"""Removes what has grown old: first the contents and addresses, later the record that they were sent.

Called by the sweep and ``notify purge``.

Note [two ages]: after KEEP_CONTENTS_DAYS an event is *emptied*: its data, the addresses of its deliveries and
all details go; who (a user's key) got what, when and how it ended stays, for "Why?" and the lists. After
KEEP_RECORDS_DAYS these rows go too. The hourly counts, by channel and by rule, stay for ever: an hour in
which a row was removed is never counted again, as nothing that old can be sent once more.

Note [whole events]: an event is emptied when all its deliveries have ended, and not before: what waits still
needs what it says.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import CharField, Exists, Max, Min, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from .. import conf
from ..channels.recipient import ADDRESS_PREFIX
from ..models import Attempt, ContentVersion, Delivery, DevicePush, Event, Feedback, InboxItem
from ..models.outbox import NAMELESS

# What one statement changes: more would hold locks for long.
PAGE_SIZE = 5_000
EVENTS_AT_ONCE = 200

ENDED = [
    Event.Status.DONE,
    Event.Status.FAILED,
    Event.Status.SHADOW,
    Event.Status.VETOED,
    Event.Status.CANCELLED,
]


@dataclass
class Purged:
    """The numbers of what was removed: events that say nothing any more, events that are gone with their
    deliveries, and inbox items.
    """

    emptied: int = 0
    removed: int = 0
    items: int = 0


def purge(is_time_up=lambda: False, tell=lambda purged: None):
    """Remove what is too old, a page at a time, until nothing is left or time is up.

    Returns a Purged; ``tell`` hears of each page.

    Cut off anywhere, it goes on the next time.
    """
    purged = Purged()
    for step in (_empty_some, _remove_some, _remove_items):
        while not is_time_up() and step(purged, is_time_up):
            tell(purged)
    return purged


def foresee():
    """The Purged of what ``purge`` would remove now."""
    return Purged(emptied=_to_empty().count(), removed=_to_remove().count(), items=_old_items().count())


def _before(setting):
    """The moment before which something is too old, or None."""
    days = conf.get(setting)
    return days and timezone.now() - dt.timedelta(days=days)


def _contents_end():
    """The moment before which contents go, or None: the later of the two ages' moments, as a record that goes
    takes its contents along.
    """
    moments = [moment for moment in (_before("KEEP_CONTENTS_DAYS"), _before("KEEP_RECORDS_DAYS")) if moment]
    return max(moments, default=None)


def _to_empty():
    if (end := _contents_end()) is None:
        return Event.objects.none()
    going_on = Delivery.objects.filter(event=OuterRef("pk"), finished_at__isnull=True)
    old = Event.objects.filter(emptied_at__isnull=True, created_at__lt=end, status__in=ENDED)
    return old.filter(~Exists(going_on)).order_by("created_at")


def _to_remove():
    if (end := _before("KEEP_RECORDS_DAYS")) is None:
        return Event.objects.none()
    # As long after it was emptied as it would have been if all had gone well: see note [two ages].
    long_empty = timezone.now() - (_contents_end() - end)
    return Event.objects.filter(emptied_at__lte=long_empty, created_at__lt=end).order_by("created_at")


def _old_items():
    contents, records = _contents_end(), _before("KEEP_RECORDS_DAYS")
    seen = Q(read_at__isnull=False) | Q(archived_at__isnull=False)
    old = Q(pk__in=[])
    if contents:
        old |= Q(created_at__lt=contents) & seen
    if records:
        old |= Q(created_at__lt=records)
    return InboxItem.objects.filter(old)


def _empty_some(purged, is_time_up):
    events = list(_to_empty()[:EVENTS_AT_ONCE])
    for event in events:
        if not empty(event, is_time_up):
            return False
        purged.emptied += 1
    return bool(events)


def empty(event, is_time_up=lambda: False, **columns):
    """Remove what an event says and where it went; ``columns`` are set with it.

    Returns False where time was up before all of it was done.
    """
    *pages, last = list(_pages_of(event)) or [Delivery.objects.none()]
    for page in pages:
        if is_time_up():
            return False
        forget_addresses(page)
    if is_time_up():
        return False
    plan = [{key: value for key, value in step.items() if key != "recipients"} for step in event.plan]
    explanation = [
        {key: value for key, value in each.items() if key != "because"} for each in event.explanation
    ]
    # Together: an event of one plain address is found by that delivery's name alone.
    with transaction.atomic():
        forget_addresses(last)
        said = {"data": {}, "plan": plan, "explanation": explanation, **columns}
        Event.objects.filter(pk=event.pk).update(**said, emptied_at=timezone.now())
    return True


def forget_addresses(deliveries):
    """Remove the addresses of a queryset of deliveries, and the words of what came of them."""
    Attempt.objects.filter(delivery__in=deliveries.values("pk")).exclude(detail="").update(detail="")
    DevicePush.objects.filter(delivery__in=deliveries.values("pk")).delete()
    Feedback.objects.filter(delivery__in=deliveries.values("pk")).exclude(detail="").update(detail="")
    # A plain address is the recipient's name too. The key keeps two of them apart.
    nameless = Concat(Value(f"{ADDRESS_PREFIX}{NAMELESS}"), Cast("pk", CharField()))
    # By one statement: a queryset by that name finds them no more.
    deliveries.filter(recipient__startswith=ADDRESS_PREFIX).update(recipient=nameless, address="", detail="")
    deliveries.update(address="", detail="")


def _pages_of(event):
    """Querysets of the event's deliveries, PAGE_SIZE keys each.

    Those of one event have keys close to one another.
    """
    ends = Delivery.objects.filter(event=event).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        for start in range(ends["first"], ends["last"] + 1, PAGE_SIZE):
            yield Delivery.objects.filter(event=event, pk__gte=start, pk__lt=start + PAGE_SIZE)


def _remove_some(purged, is_time_up):
    events = list(_to_remove()[:EVENTS_AT_ONCE])
    for event in events:
        for page in _pages_of(event):
            if is_time_up():
                return False
            # A test that somebody sent to themselves belongs to nothing else.
            tests = list(page.filter(version__content__isnull=True).values_list("version", flat=True))
            page.delete()
            ContentVersion.objects.filter(pk__in=tests, content__isnull=True).delete()
        event.delete()
        purged.removed += 1
    return bool(events)


def _remove_items(purged, _is_time_up):
    keys = list(_old_items().values_list("pk", flat=True)[:PAGE_SIZE])
    InboxItem.objects.filter(pk__in=keys).delete()
    purged.items += len(keys)
    return bool(keys)
