"""The number that a person may still have, counted exactly by any number of functions at the same time.

Called by ``flow``, which skips the others.

Note [one statement]: an upsert counts and asks in one: the row that is full is not changed, and so is not
returned. It is part of the transaction that writes the deliveries, so what is rolled back was not counted;
rows are taken in the order of the recipients, so that two pages that meet wait for each other and never in a
ring.
"""

import datetime as dt

from django.db import connections, router, transaction
from django.utils import timezone

from ..models import Allowance

PAGE_SIZE = 1000


def take(subscription_id, recipients, *, about="", number, minutes):
    """Count one more for each of ``recipients``; returns those that had not had ``number`` in their period,
    as a set.

    A period begins with the first that is sent in it, and lasts for ``minutes``.
    """
    now, ordered, allowed = timezone.now(), sorted(recipients), set()
    with connections[router.db_for_write(Allowance)].cursor() as cursor:
        adapt = cursor.db.ops.adapt_datetimefield_value
        ends_at = adapt(now + dt.timedelta(minutes=minutes))
        for start in range(0, len(ordered), PAGE_SIZE):
            page = ordered[start : start + PAGE_SIZE]
            statement = _TAKE.format(rows=", ".join(["(%s)"] * len(page)))
            cursor.execute(
                statement,
                [subscription_id, about, ends_at, *page, adapt(now), adapt(now), adapt(now), number],
            )
            allowed.update(recipient for (recipient,) in cursor.fetchall())
    return allowed


# `WHERE true`: without it, SQLite takes ON CONFLICT for a part of a join.
_TAKE = f"""
    INSERT INTO {Allowance._meta.db_table} AS had (subscription_id, recipient, about, number, ends_at)
    SELECT %s, wanted.column1, %s, 1, %s FROM (VALUES {{rows}}) AS wanted
    WHERE true ORDER BY wanted.column1
    ON CONFLICT (subscription_id, recipient, about) DO UPDATE SET
        number = CASE WHEN had.ends_at <= %s THEN 1 ELSE had.number + 1 END,
        ends_at = CASE WHEN had.ends_at <= %s THEN excluded.ends_at ELSE had.ends_at END
    WHERE had.ends_at <= %s OR had.number < %s
    RETURNING recipient
"""  # noqa: S608 - the table's name is our own


def give_back(subscription_id, recipients, *, about):
    """Undo a ``take`` of one about an object, in the transaction that has made it: another rule has refused
    them.
    """
    Allowance.objects.filter(subscription_id=subscription_id, recipient__in=recipients, about=about).delete()


def forget_ended(limit=PAGE_SIZE):
    """Take away a page of what counts no more. Returns how many."""
    with transaction.atomic():
        # Nobody is waited for: a function that is counting has the row, and keeps it.
        ended = Allowance.objects.select_for_update(skip_locked=True).filter(ends_at__lte=timezone.now())
        ids = list(ended.order_by("ends_at").values_list("pk", flat=True)[:limit])
        return Allowance.objects.filter(pk__in=ids).delete()[0] if ids else 0
