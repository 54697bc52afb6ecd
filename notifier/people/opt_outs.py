"""Writes and reads people's opt-outs; ``gates.opted_out`` keeps them.

A choice is ``(category's key or None, channel or "")``: None stands for everything that is not mandatory, ""
for every channel.

Note [the narrowest]: what somebody has said of a category on a channel comes before what they said of the
category, then of the channel, then of everything. Nothing is said of what is mandatory. The page and “Why?”
ask it of one person's rows (``deciding``), the gate asks it of the database (``deciding_rows``). It is the
same rule; `tests/people/test_opt_outs.py` holds the two equal.
"""

from django.db import router, transaction

from ..channels.registry import channel_names
from ..models import Category, Event, OptOut

EVERYTHING, EVERY_CHANNEL = None, ""

# The ORM has no join without a relation. Of several rows the narrowest comes last.
_DECIDING = f"""
    SELECT opted.id, opted.recipient, opted.channel, opted.created_at, opted.source, opted.category_id,
        event.id AS event, category.title
    FROM {OptOut._meta.db_table} AS opted
    JOIN {Event._meta.db_table} AS event ON opted.category_id IS NULL OR opted.category_id = event.category_id
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = event.category_id
    WHERE event.id IN ({{events}}) AND opted.recipient IN ({{recipients}}) AND opted.channel IN (%s, '')
        AND (category.id IS NULL OR NOT category.mandatory)
    ORDER BY opted.category_id IS NOT NULL, opted.channel <> ''
"""  # noqa: S608 - the tables' names are our own


def opt_out(recipient, category, channel, source):
    """Store that ``recipient`` does not want it. The same again changes nothing, not even since when."""
    row = OptOut(recipient=recipient, category_id=category, channel=channel, source=source)
    OptOut.objects.bulk_create([row], ignore_conflicts=True)


def opt_in(recipient, category, channel):
    """Take back exactly what ``opt_out`` stored. What was opted out of more widely stays so."""
    OptOut.objects.filter(recipient=recipient, category=category, channel=channel).delete()


def rows_of(recipient):
    """Choice → OptOut of all that somebody has opted out of. One query."""
    found = OptOut.objects.filter(recipient=recipient).select_related("category").order_by("pk")
    return {(row.category_id, row.channel): row for row in found}


def deciding(rows, category, channel):
    """The row among ``rows_of`` that keeps what is of a Category, or of none, from a channel; or None. See
    note [the narrowest].
    """
    if category is not None and category.mandatory:
        return None
    own = said_of(rows, category.pk, channel) if category is not None else None
    return own or said_of(rows, EVERYTHING, channel)


def deciding_rows(events, recipients, channel):
    """``(event's key, recipient)`` → the OptOut that keeps it from ``channel``, as ``deciding`` finds it, and
    with the ``title`` of the event's category. One statement.
    """
    statement = _DECIDING.format(
        events=", ".join(map(str, map(int, events))), recipients=", ".join(["%s"] * len(recipients))
    )
    return {(row.event, row.recipient): row for row in OptOut.objects.raw(statement, [*recipients, channel])}


def said_of(rows, category, channel):
    """The row among ``rows_of`` that says something of this very category, or of everything, on a channel; or
    None.
    """
    return rows.get((category, channel)) or rows.get((category, EVERY_CHANNEL))


def save_choices(recipient, wanted, source):
    """Bring the opt-outs to ``wanted``, choice → whether it may be sent; what it does not name stays as it
    is. One transaction.
    """
    with transaction.atomic(using=router.db_for_write(OptOut)):
        rows = rows_of(recipient)
        for category in {category for category, _channel in wanted}:
            mine = {channel: allowed for (each, channel), allowed in wanted.items() if each == category}
            if any(mine.values()) and (category, EVERY_CHANNEL) in rows:
                _narrow(recipient, category, rows)
        for (category, channel), allowed in wanted.items():
            if allowed:
                opt_in(recipient, category, channel)
            elif not said_of(rows, category, channel):
                opt_out(recipient, category, channel, source)


def _narrow(recipient, category, rows):
    """Make one opt-out of every channel into one of each, so that one of them can be had again and the others
    stay out.
    """
    whole = rows.pop((category, EVERY_CHANNEL))
    for channel in channel_names():
        if (category, channel) not in rows:
            opt_out(recipient, category, channel, whole.source)
            rows[category, channel] = whole
    whole.delete()
