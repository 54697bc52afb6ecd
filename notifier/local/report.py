"""Rows of what went out and what did not: deliveries from the database, bodies from what the stand-ins
received.
"""

from django.contrib.auth import get_user_model

from notifier.channels.recipient import Recipient
from notifier.models import Delivery


def report(since_event, outbox):
    """The deliveries of all events after the key ``since_event``, as JSON-ready dicts, in the order they were
    made.
    """
    received = {message.provider_id: message for message in outbox}
    names = {str(Recipient.of_user(user.pk)): user.get_username() for user in get_user_model().objects.all()}
    return [
        _row(delivery, received.get(delivery.provider_id), names.get(delivery.recipient, ""))
        for delivery in Delivery.objects.filter(event_id__gt=since_event).order_by("pk")
    ]


def _row(delivery, message, name):
    return {
        "channel": delivery.channel,
        # In an inbox, the address is the person's key.
        "recipient": delivery.address
        if delivery.address and delivery.recipient != str(Recipient.of_user(delivery.address))
        else name,
        "subject": message.subject if message else "",
        "body": message.text if message else "",
        "status": delivery.status,
        "reason": delivery.reason,
        "provider_id": delivery.provider_id,
        "event": delivery.event_id,
        "attempts": delivery.attempts,
    }


def table(rows):
    """Rows as text for a terminal: what was sent, then what was not, with the reason."""
    sent = [
        (row["channel"], row["recipient"], row["subject"] or _start(row["body"]), row["provider_id"])
        for row in rows
        if row["status"] == Delivery.Status.SENT
    ]
    rest = [
        (row["channel"], row["recipient"], row["status"], row["reason"])
        for row in rows
        if row["status"] != Delivery.Status.SENT
    ]
    text = _aligned(("CHANNEL", "RECIPIENT", "SUBJECT OR TEXT", "PROVIDER ID"), sent)
    if rest:
        text += "\n\n" + _aligned(("NOT SENT", "RECIPIENT", "STATUS", "REASON"), rest)
    return text


def _start(text, width=60):
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _aligned(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)
