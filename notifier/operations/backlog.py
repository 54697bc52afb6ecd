"""The deliveries that wait now, per channel, and since when: read live, and bounded, from the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, router

from ..models import Delivery

Status = Delivery.Status

WAITING = (Status.QUEUED, Status.WAITING, Status.CLAIMED, Status.SENDING)
# More of one status is “at least” so many: nobody needs the number, and counting has to end.
MOST_COUNTED = 10_000
# Reasons are read off so many of the newest of each status.
MOST_GROUPED = 2_000


@dataclass
class Backlog:
    """Deliveries of one channel that are not finished.

    ``oldest`` is when the first of those that wait was created.
    """

    waiting: int = 0
    held: int = 0
    oldest: datetime | None = None
    is_bounded: bool = False


def read(channels):
    """Channel → Backlog. Two statements, whose cost does not grow with the table."""
    found = defaultdict(Backlog)
    if not channels:
        return found
    pairs = [(channel, status) for channel in channels for status in (*WAITING, Status.HELD)]
    statement = " UNION ALL ".join([_READ.format(most=MOST_COUNTED)] * len(pairs))
    with connections[router.db_for_read(Delivery)].cursor() as cursor:
        cursor.execute(statement, [word for pair in pairs for word in pair * 3])
        rows = cursor.fetchall()
    oldest = dict(
        Delivery.objects.filter(pk__in=[row[3] for row in rows if row[3]]).values_list("pk", "created_at")
    )
    for channel, status, number, first in rows:
        backlog = found[channel]
        backlog.is_bounded |= number == MOST_COUNTED
        if status == Status.HELD:
            backlog.held = number
        elif first in oldest:
            backlog.waiting += number
            backlog.oldest = min(filter(None, [backlog.oldest, oldest[first]]))
    return found


# Per channel and status the index gives the first row, and counts some. Each pair is written out: of one that
# it cannot see, PostgreSQL takes an average, and then reads the whole table for the few of a rare status.
_READ = f"""
    SELECT %s AS channel, %s AS status,
        (SELECT count(*) FROM (
            SELECT 1 FROM {Delivery._meta.db_table} AS d WHERE d.channel = %s AND d.status = %s LIMIT {{most}}
        ) AS found),
        (SELECT d.id FROM {Delivery._meta.db_table} AS d
            WHERE d.channel = %s AND d.status = %s ORDER BY d.id LIMIT 1)
"""  # noqa: S608 - the table's name is our own


def failures_since(begin):
    """``(status, channel, reason)`` → how many of the newest that failed, or whose outcome is not known,
    finished since ``begin``.
    """
    found = Counter()
    for status in (Status.FAILED, Status.UNKNOWN):
        newest = Delivery.objects.filter(status=status).order_by("-pk")
        rows = newest.values_list("channel", "reason", "finished_at")[:MOST_GROUPED]
        found.update(
            (status, channel, reason)
            for channel, reason, finished_at in rows
            if finished_at and finished_at >= begin
        )
    return found
