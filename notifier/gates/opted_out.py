"""The gate of people who opted out: asked by the fan-out, and once more of every claimed delivery."""

from django.utils.formats import date_format

from ..exceptions import Skipped
from ..models import OF_NO_RULE, OptOut
from ..people import opt_outs
from ..templating.times import local

_ROWS = f"SELECT 1 FROM {OptOut._meta.db_table}"  # noqa: S608 - the table's name is our own
HOW = {
    OptOut.Source.MAIL: "through the mail program’s button",
    OptOut.Source.LINK: "through the link in a message",
    OptOut.Source.PAGE: "on the page of preferences",
    OptOut.Source.ADMIN: "by an administrator",
}


def rows(candidates, channel, _keys):
    """All that ``refuse`` could go by, whatever the event is about."""
    recipients = {each.recipient for each in candidates}
    places = ", ".join(["%s"] * len(recipients))
    return f"{_ROWS} WHERE channel IN (%s, '') AND recipient IN ({places})", [channel, *recipients]


def refuse(candidates, channel):
    """Skipped for those who opted out of the event's category, or of everything, on this channel.

    One query.
    """
    # What an editor sends to themselves they have asked for.
    asked = [each for each in candidates if each.subscription_id != OF_NO_RULE]
    if not asked:
        return [None] * len(candidates)
    events, recipients = {each.event_id for each in asked}, {each.recipient for each in asked}
    found = opt_outs.deciding_rows(events, recipients, channel)
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
    when = date_format(local(row.created_at), "j M Y")
    return " ".join(filter(None, [f"Of {what} {where}, on {when}", HOW.get(row.source, "")])) + "."
