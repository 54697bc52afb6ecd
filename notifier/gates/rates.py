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

Note [lanes]: all lanes take from the same slots, and a lane takes none that begins later than its
AHEAD_SECONDS from now. What bulk leaves alone is the reserve: an urgent message finds its slot right behind
the few that bulk has taken, and passes all that ask for a later one. So that no lane starves, one that has
had less than its share takes a slot even behind the urgent ones.

Note [the line]: a message that would wait longer than a function should is sent away and comes again, with
the sweep. Such messages get their times one after the other, as slots are given, so the sweep brings no more
at once than can be sent until it comes again; a line a lane, behind those that go first. While the line is
not empty, a new message of its lane gets only a slot that nobody in it wants; an urgent one counts as one
that has waited.
"""

import datetime as dt
import math
from typing import Any, NamedTuple

from django.db import connections, router
from django.utils import timezone

from ..channels import waits
from ..channels.limits import Limit
from ..models import Lane, Rate
from ..models.lanes import SHARES

# How far ahead a lane takes slots. See note [lanes].
AHEAD_SECONDS: dict[Any, float] = {Lane.URGENT: 1.0, Lane.NORMAL: 0.5, Lane.BULK: 0.25}
# How far ahead one goes for its share: further than the urgent ones do.
SHARE_AHEAD_SECONDS = 1.5
# A part of a channel that nobody was sent to for so long is forgotten; no provider's window is longer. The
# clocks are not so far apart.
IDLE = dt.timedelta(days=1)

LINES = {Lane.URGENT: "urgent_line_until", Lane.NORMAL: "line_until", Lane.BULK: "bulk_line_until"}
SHARED_UNTIL = {
    Lane.URGENT: "urgent_share_until",
    Lane.NORMAL: "share_until",
    Lane.BULK: "bulk_share_until",
}

# What each database calls its clock, in seconds since 1970. PostgreSQL's CURRENT_TIMESTAMP would stand still
# while a row is waited for.
CLOCKS = {
    "postgresql": "EXTRACT(EPOCH FROM clock_timestamp())::double precision",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
WORDS = {
    "now": CLOCKS,
    "greatest": {"postgresql": "GREATEST", "sqlite": "MAX"},
    "least": {"postgresql": "LEAST", "sqlite": "MIN"},
}

_TABLE = Rate._meta.db_table
# From when on a lane may take the next slots: those that are near, or its share.
_OPENS = """{least}(
    taken_until - CASE WHEN {line} > {now} THEN %s ELSE %s END,
    {greatest}({share}, taken_until - CASE WHEN {line} > {now} THEN %s ELSE %s END)
)"""
_RESERVE = f"""
    UPDATE {_TABLE} SET taken_until = {{greatest}}(taken_until, {{now}} - %s) + %s,
        {{share}} = {{greatest}}({{share}}, {{now}} + %s)
    WHERE name = %s AND {_OPENS} <= {{now}} RETURNING taken_until - {{now}}
"""  # noqa: S608 - the table's name is our own
_LOOK = f"""
    SELECT CASE WHEN {{line}} > {{now}} AND NOT %s THEN NULL ELSE {_OPENS} - {{now}} END
    FROM {_TABLE} WHERE name = %s
"""  # noqa: S608
_QUEUE_UP = f"""
    UPDATE {_TABLE} SET {{line}} = {{greatest}}({{lines}}, taken_until, {{now}}) + %s
    WHERE name = %s RETURNING {{line}} - {{now}}
"""  # noqa: S608
_PUSH = f"""
    UPDATE {_TABLE} SET taken_until = {{greatest}}(taken_until, {{now}} + %s),
        closed_until = {{greatest}}(COALESCE(closed_until, 0.0), {{now}} + %s), closed_by = %s
    WHERE name = %s RETURNING taken_until
"""  # noqa: S608
_AHEAD = f"SELECT {{greatest}}(0.0, taken_until - {{now}}) FROM {_TABLE} WHERE name = %s"  # noqa: S608


class Asker(NamedTuple):
    """One that asks for slots of the rate ``name``. ``has_waited``: it was sent away before.

    ``ahead_seconds``: the longest it can wait for a slot that is no more than near.
    """

    name: str
    limit: Limit
    lane: int
    has_waited: bool = False
    ahead_seconds: float = math.inf

    @property
    def passes_the_line(self):
        return self.has_waited or self.lane == Lane.URGENT

    def ahead(self):
        """How far ahead its slots may be: near ones and those of its share, each while there is a line and
        without. See notes [lanes] and [the line].
        """
        near = min(self.ahead_seconds, AHEAD_SECONDS[self.lane])
        if self.limit.burst and self.lane == Lane.BULK:
            near -= self.limit.interval  # The last of what may come at once is not for bulk.
        if self.passes_the_line:
            return [near, near, SHARE_AHEAD_SECONDS, SHARE_AHEAD_SECONDS]
        return [min(near, 0.0), near, min(near, 0.0), SHARE_AHEAD_SECONDS]


def reserve(asker, number):
    """Seconds until the first of ``number`` slots, which follow one another by the limit's interval; a
    burst's lie in the past.

    None where that would be too far ahead: then nothing is taken. One statement.
    """
    interval = asker.limit.interval
    credit, length = asker.limit.burst * interval, number * interval
    values = [credit, length, length / SHARES[asker.lane], asker.name, *asker.ahead()]
    found = _run(_RESERVE, values, asker.name, asker.lane)
    return None if found is None else found - length


def find_next(asker):
    """Seconds until it is worth asking again, or None for one that has to stand in the line."""
    return _run(_LOOK, [asker.passes_the_line, *asker.ahead(), asker.name], asker.name, asker.lane)


def queue_up(asker, number):
    """Seconds after which each of ``number`` deliveries should ask again.

    Who has waited before goes to the front.
    """
    interval = asker.limit.interval
    if asker.has_waited:
        ahead = _run(_AHEAD, [asker.name], asker.name)
    else:
        length = number * interval
        ahead = _run(_QUEUE_UP, [length, asker.name], asker.name, asker.lane) - length
    return [ahead + position * interval for position in range(number)]


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
    opened = dict.fromkeys(["taken_until", *LINES.values()], 0.0) | {"closed_until": None, "closed_by": None}
    is_mine = found and Rate.objects.filter(pk=pk, closed_until=found.closed_until).update(**opened)
    return found if is_mine else None


def forget_idle():
    """Take away the rows of parts, such as chat rooms, that were not sent to lately.

    For the sweep. Returns how many.
    """
    idle = (timezone.now() - IDLE).timestamp()
    unused = {f"{column}__lt": idle for column in ["taken_until", *LINES.values()]}
    return Rate.objects.filter(name__contains=":", **unused).delete()[0]


def _run(statement, values, name, lane=Lane.NORMAL):
    """The one value that ``statement`` gives, or None where it finds no row that fits.

    The first use of a name makes its row.
    """
    connection = connections[router.db_for_write(Rate)]
    # Those that go first stand before it.
    lines = ", ".join(column for each, column in LINES.items() if each <= lane)
    words = {name: of[connection.vendor] for name, of in WORDS.items()}
    text = statement.format(line=LINES[lane], lines=lines, share=SHARED_UNTIL[lane], **words)
    for _again in range(2):
        with connection.cursor() as cursor:
            cursor.execute(text, values)
            if row := cursor.fetchone():
                return row[0]
        Rate.objects.get_or_create(name=name)
    return None
