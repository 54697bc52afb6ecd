"""Puts deliveries into their order of channels, when a person asks for several of them again.

Called by ``requests``, which queues the first.

Note [again, in order]: trying everything of an outage again must not send on two channels what was to go on
the first that succeeds. So a person who has it on another channel, or is about to, is left alone; and of the
deliveries that are asked for, the later stand by for the earlier, as at first.
"""

from collections import defaultdict

from django.db.models import Q

from ..models import Delivery

Status = Delivery.Status

UNDER_WAY = (Status.QUEUED, Status.WAITING, Status.CLAIMED, Status.SENDING, Status.HELD)


def wanted_still(rows):
    """The deliveries in ``rows`` whose person neither has it on another channel of the order nor is about to.

    One query, or none.
    """
    orders = _orders_of(rows)
    return [
        row
        for row in rows
        if not any(each.pk != row.pk and _may_have_it(each) for each in orders.get(_key(row), ()))
    ]


def followers_in(rows):
    """Two sets of keys: deliveries in ``rows`` that stand by for an earlier one there, and deliveries that
    follow one there but cannot stand by for it, because a delivery between them is not in ``rows``.

    One query, or none.
    """
    asked, standing, left = {row.pk for row in rows}, set(), set()
    for order in _orders_of(rows).values():
        follows_one = unbroken = False
        for each in order:
            if follows_one and each.pk in asked:
                (standing if unbroken else left).add(each.pk)
            unbroken = each.pk in asked and (unbroken or not follows_one)
            follows_one |= each.pk in asked
    return standing, left


def _may_have_it(delivery):
    return delivery.status in UNDER_WAY or delivery.status == Status.SENT and not delivery.returned


def _orders_of(rows):
    """Key of an order → its deliveries, the first channel's first.

    Only of those of ``rows`` that go one after the other.
    """
    if not (ours := [row for row in rows if row.followed_by or row.follows]):
        return {}
    found, orders = defaultdict(dict), {}
    alike = Delivery.objects.filter(
        ~Q(follows="", followed_by=""),
        event__in={row.event_id for row in ours},
        subscription__in={row.subscription_id for row in ours},
        recipient__in={row.recipient for row in ours},
    )
    for each in alike:
        found[_key(each)][each.channel] = each
    for key in {_key(row) for row in ours}:
        by_channel = found[key]
        # What goes if it is unread in the inbox is followed by nothing: it is not one channel instead of
        # another.
        later = {each.followed_by for each in by_channel.values()}
        next_one = next(
            (each for each in by_channel.values() if each.followed_by and each.channel not in later), None
        )
        orders[key] = []
        while next_one is not None:
            orders[key].append(next_one)
            next_one = by_channel.get(next_one.followed_by)
    return orders


def _key(delivery):
    return delivery.event_id, delivery.subscription_id, delivery.recipient
