"""The number of an event's deliveries by status, without counting a million. Called by ``timeline``."""

from dataclasses import dataclass, field

from django.db import connections, router

from ...models import Delivery

# Of each subscription and channel; beyond it the page says “10,000+”.
MOST_TALLIED = 10_000


@dataclass(kw_only=True)
class Tally:
    """Of one subscription on one channel: status → number, of the first MOST_TALLIED. ``more``: there are
    others.
    """

    numbers: dict = field(default_factory=dict)
    more: bool = False

    @property
    def total(self):
        return sum(self.numbers.values())


def tally(event_id, pairs):
    """``(subscription, channel)`` → Tally.

    One statement that reads MOST_TALLIED rows of each pair at most, by the unique key.
    """
    found = {pair: Tally() for pair in pairs}
    if not pairs:
        return found
    table = Delivery._meta.db_table
    one = f"SELECT * FROM (SELECT subscription_id, channel, status FROM {table} WHERE event_id = %s AND subscription_id = %s AND channel = %s LIMIT %s) AS part{{}}"  # noqa: S608, E501 - the table's name is our own
    parts = " UNION ALL ".join(one.format(number) for number in range(len(pairs)))
    statement = f"SELECT subscription_id, channel, status, COUNT(*) FROM ({parts}) AS parts GROUP BY 1, 2, 3"  # noqa: S608
    values = [value for pair in pairs for value in (event_id, *pair, MOST_TALLIED + 1)]
    with connections[router.db_for_read(Delivery)].cursor() as cursor:
        cursor.execute(statement, values)
        for subscription, channel, status, number in cursor.fetchall():
            found[subscription, channel].numbers[status] = number
    for each in found.values():
        each.more = each.total > MOST_TALLIED
    return found
