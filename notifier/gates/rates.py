"""The rate of a channel over all its functions. Called by ``deliveries.slots``, which waits for the slots.

Note [slots]: a row a channel says up to when slots are given out. Reserving is one conditional UPDATE that
moves this time on (GCRA, https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm), so however many
functions ask at once, no slot is given twice.

Note [clocks]: it is the database's clock. Functions' own may be apart, and two of them would then send at
what each thinks is its own second. A function never compares its clock with it: it learns how many seconds
there are to wait, and counts these from before and from after the statement; whichever is safe.

Note [late]: a slot that is used late falls into the next one's time. It may be used for GRACE_SECONDS; slots
stand apart by as much more than the rate asks for, so that even the latest of one window and the first of the
next are not too many together. Later it is lost.

Note [the line]: a message that would wait longer than a function should is sent away and comes again, with
the sweep. Such messages get their times one after the other, as slots are given, so the sweep brings no more
at once than can be sent until it comes again. While the line is not empty, a new message gets only a slot
that nobody in it wants.
"""

import datetime as dt

from django.db import connections, router
from django.utils import timezone

from ..channels import waits
from ..models import Rate

# How long a function waits for a slot; what takes longer is sent away.
PATIENCE_SECONDS = 2
# A part of a channel that nobody was sent to for so long is forgotten; no provider's window is longer. The
# clocks are not so far apart.
IDLE = dt.timedelta(days=1)


# What each database calls its clock, in seconds since 1970. PostgreSQL's CURRENT_TIMESTAMP would stand still
# while a row is waited for.
CLOCKS = {
    "postgresql": "EXTRACT(EPOCH FROM clock_timestamp())::double precision",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
GREATEST = {"postgresql": "GREATEST", "sqlite": "MAX"}

_TABLE = Rate._meta.db_table
_RESERVE = f"""
    UPDATE {_TABLE} SET taken_until = {{greatest}}(taken_until, {{now}} - %s) + %s
    WHERE name = %s AND taken_until <= {{now}} + CASE WHEN line_until > {{now}} THEN %s ELSE %s END
    RETURNING taken_until - {{now}}
"""  # noqa: S608 - the table's name is our own
_QUEUE_UP = f"""
    UPDATE {_TABLE} SET line_until = {{greatest}}(line_until, taken_until, {{now}}) + %s
    WHERE name = %s RETURNING line_until - {{now}}
"""  # noqa: S608
_PUSH = f"""
    UPDATE {_TABLE} SET taken_until = {{greatest}}(taken_until, {{now}} + %s),
        closed_until = {{greatest}}(COALESCE(closed_until, 0.0), {{now}} + %s), closed_by = %s
    WHERE name = %s RETURNING taken_until
"""  # noqa: S608
_AHEAD = f"SELECT {{greatest}}(0.0, taken_until - {{now}}) FROM {_TABLE} WHERE name = %s"  # noqa: S608


def reserve(name, limit, number, *, patience_seconds, has_waited=False):
    """Seconds until the first of ``number`` slots, which follow one another by ``limit.interval``; a burst's
    lie in the past.

    None where the first would come later than the patience allows: then nothing is taken. See note [the
    line]. One statement.
    """
    credit, length = limit.burst * limit.interval, number * limit.interval
    patience = [patience_seconds if has_waited else 0.0, patience_seconds]
    found = _run(_RESERVE, [credit, length, name, *patience], name)
    return None if found is None else found - length


def queue_up(name, limit, number, *, has_waited=False):
    """Seconds after which each of ``number`` deliveries should ask again.

    Who has waited before goes to the front.
    """
    if has_waited:
        ahead = _run(_AHEAD, [name], name)
        return [ahead + position * limit.interval for position in range(number)]
    length = number * limit.interval
    end = _run(_QUEUE_UP, [length, name], name)
    return [end - length + position * limit.interval for position in range(number)]


def push(name, seconds, *, delivery=None):
    """Give nobody a slot for so many ``seconds``, a day at most: the provider has had enough, as it said to
    the delivery of that key.
    """
    if seconds := waits.bounded(seconds):
        _run(_PUSH, [seconds, seconds, delivery, name], name)


def find_closed(*, for_longer_than=0):
    """The Rates that a provider has closed and that stay so for longer than that, in seconds; the last to
    open first.
    """
    later = timezone.now().timestamp() + for_longer_than
    return Rate.objects.filter(closed_until__gt=later).order_by("-closed_until", "pk")


def reopen(pk):
    """Give slots out again where a provider had closed them: it has the next word.

    Returns the Rate as it was, or None where it is open.
    """
    found = Rate.objects.filter(pk=pk, closed_until__isnull=False).first()
    opened = {"taken_until": 0, "line_until": 0, "closed_until": None, "closed_by": None}
    is_mine = found and Rate.objects.filter(pk=pk, closed_until=found.closed_until).update(**opened)
    return found if is_mine else None


def forget_idle():
    """Take away the rows of parts, such as chat rooms, that were not sent to lately.

    For the sweep. Returns how many.
    """
    idle = (timezone.now() - IDLE).timestamp()
    return Rate.objects.filter(name__contains=":", taken_until__lt=idle, line_until__lt=idle).delete()[0]


def _run(statement, values, name):
    """The one value that ``statement`` gives, or None where it finds no row that fits.

    The first use of a name makes its row.
    """
    connection = connections[router.db_for_write(Rate)]
    text = statement.format(now=CLOCKS[connection.vendor], greatest=GREATEST[connection.vendor])
    for _again in range(2):
        with connection.cursor() as cursor:
            cursor.execute(text, values)
            if row := cursor.fetchone():
                return row[0]
        Rate.objects.get_or_create(name=name)
    return None
