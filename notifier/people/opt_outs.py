"""Writes and reads people's opt-outs; ``gates.opted_out`` keeps them.

A choice is ``(category's key or None, channel or "")``: None stands for everything that is not mandatory, ""
for every channel.
"""

from django.db import router, transaction

from ..channels.registry import channel_names
from ..models import OptOut

EVERYTHING, EVERY_CHANNEL = None, ""


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
    """The row among ``rows_of`` that keeps a category from a channel, the narrowest first; or None."""
    wanted = [
        (category, channel),
        (category, EVERY_CHANNEL),
        (EVERYTHING, channel),
        (EVERYTHING, EVERY_CHANNEL),
    ]
    return next((rows[choice] for choice in wanted if choice in rows), None)


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
            elif (category, channel) not in rows and (category, EVERY_CHANNEL) not in rows:
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
