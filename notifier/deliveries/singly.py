"""Makes a page's deliveries one by one, for what no database knows: a flow, a channel's own gate, an
allow list, an address in any spelling. Called by ``fanout`` and ``sets``.
"""

from functools import cache, partial
from typing import Any

from ..gates.table import ask_final
from ..models import Delivery
from ..people import addresses as addressees
from ..rules import plans
from . import flow, rows
from .queueing import DELIVERY_UNHEARD_AFTER

# Any: as Django brings no types, a member would be the tuple that it is written as.
Status: Any = Delivery.Status


def read_page(users, step, size):
    """Up to ``size`` of a queryset of users, by key: ``(key, row of addresses.read_page)``. One query."""
    found = addressees.read_page(users.order_by("pk"), addressees.columns_for(step["contents"]), size)
    return [(row["pk"], row) for row in found]


def write(pace, step, page, now):
    """Write the deliveries of a page of ``read_page``; returns what was Written."""
    return _write(pace, step, addressees.of_users([row for _key, row in page], step["contents"]), now)


def write_addresses(pace, step, addresses, now, *, beside_users):
    """As ``write``, for ``(channel or "", address)`` pairs."""
    found = addressees.of_addresses(pace.event, pace.subscription, step, addresses, beside_users=beside_users)
    return _write(pace, step, found, now)


def alike(pace, now):
    """Column → value, of what all deliveries of a page have."""
    event = pace.event
    return {
        "event_id": event.pk, "subscription_id": pace.subscription.pk, "lane": event.lane,
        "expires_at": event.expires_at, "created_at": now,
    }  # fmt: skip


def _write(pace, step, recipients, now):
    version_for = cache(partial(plans.version_for, step))
    event, subscription, due_at = pace.event, pace.subscription, now + DELIVERY_UNHEARD_AFTER
    made = []
    for channel, recipient, address, reason, wanted, time_zone in recipients:
        version, language = version_for(channel, wanted)
        made.append(rows.Row(
            event_id=event.pk, subscription_id=subscription.pk, expires_at=event.expires_at,
            version_id=version, channel=channel, recipient=recipient, address=address, language=language,
            time_zone=time_zone, reason=reason,
            status=Status.SKIPPED if reason else Status.QUEUED,
            finished_at=now if reason else None, due_at=None if reason else due_at,
        ))  # fmt: skip
    if not made:
        return []
    _skip_refused(made, now)
    pace.arrange(made, now)
    return rows.write(made, alike(pace, now))


def _skip_refused(made, now):
    """Mark those that will not be sent, by the same gates that are asked once more before a send."""
    by_channel = {}
    for row in made:
        if not row.reason:
            by_channel.setdefault(row.channel, []).append(row)
    for channel, candidates in by_channel.items():
        for row, refused in zip(candidates, ask_final(candidates, channel), strict=True):
            if refused:
                flow.skip(row, refused.reason, refused.detail, now)
