"""The gate of people who opted out: asked by the fan-out, and once more of every claimed delivery."""

from django.utils.formats import date_format
from django.utils.timezone import localtime

from ..exceptions import Skipped
from ..models import OF_NO_RULE, Category, Event, OptOut

HOW = {
    OptOut.Source.MAIL: "through the mail program’s button",
    OptOut.Source.LINK: "through the link in a message",
    OptOut.Source.PAGE: "on the page of preferences",
    OptOut.Source.ADMIN: "by an administrator",
}

# One statement for all candidates: the ones that an opt-out keeps from one of their events. The ORM has no
# join without a relation.
_OPTED_OUT = f"""
    SELECT opted.id, opted.recipient, opted.channel, opted.created_at, opted.source, opted.category_id,
        event.id AS event, category.title
    FROM {OptOut._meta.db_table} AS opted
    JOIN {Event._meta.db_table} AS event ON opted.category_id IS NULL OR opted.category_id = event.category_id
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = event.category_id
    WHERE event.id IN ({{events}}) AND opted.recipient IN ({{recipients}}) AND opted.channel IN (%s, '')
        AND (category.id IS NULL OR NOT category.mandatory)
"""  # noqa: S608 - the tables' names are our own


def refuse(candidates, channel):
    """Skipped for those who opted out of the event's category, or of everything, on this channel.

    One query.
    """
    # What an editor sends to themselves they have asked for.
    asked = [each for each in candidates if each.subscription_id != OF_NO_RULE]
    if not asked:
        return [None] * len(candidates)
    events, recipients = {each.event_id for each in asked}, {each.recipient for each in asked}
    statement = _OPTED_OUT.format(
        events=", ".join(map(str, map(int, events))), recipients=", ".join(["%s"] * len(recipients))
    )
    rows = OptOut.objects.raw(statement, [*recipients, channel])
    found = {(row.event, row.recipient): row for row in rows}
    return [_answer(found.get((each.event_id, each.recipient)), each) for each in candidates]


def _answer(row, candidate):
    if row is None or candidate.subscription_id == OF_NO_RULE:
        return None
    return Skipped("opted_out", describe(row, row.title))


def describe(row, title=None):
    """Since when, where and of what: “Of “Offers” by email, on 3 May 2026 through the mail program’s
    button.”
    """
    what = f"“{title}”" if row.category_id and title else "everything"
    where = f"by {row.channel}" if row.channel else "on every channel"
    when = date_format(localtime(row.created_at), "j M Y")
    return " ".join(filter(None, [f"Of {what} {where}, on {when}", HOW.get(row.source, "")])) + "."
