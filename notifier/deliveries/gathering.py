"""Claims several deliveries to one person on one channel as one. Called by ``claims``.

Note [one takes all]: a function that is rung for one of them claims all that wait with it, by one UPDATE. On
PostgreSQL its rows are locked in the order of their keys first, so of two functions that are rung for two of
them, one waits for the other and then finds nothing left.
"""

from django.db import connections, router
from django.db.models import Q
from django.utils import timezone

from ..models import Delivery
from .digests import MOST_EVENTS

Status = Delivery.Status


def claim_gathered(ids, channel, lease_seconds, claim, claim_rows):
    """Claim those of ``ids`` that go in digests, each with all that waits for the same person.

    Returns a list of Work.
    """
    works = []
    for subscription, recipient in _groups(ids, channel):
        found = claim_rows(_which(), _values(subscription, recipient, channel), channel, lease_seconds, claim)
        works += found
        if len(found) == MOST_EVENTS:
            # The rest follows with the next sweep.
            rest = Delivery.objects.filter(
                subscription=subscription, recipient=recipient, channel=channel, digest=True
            )
            rest.filter(status__in=[Status.QUEUED, Status.WAITING]).update(due_at=timezone.now())
    return works


def gone_with(delivery):
    """The other deliveries that went, or are going, in one message with this one; what a provider says of one
    is true of all.

    No query without a digest.
    """
    if not delivery.digest or not (delivery.provider_id or delivery.claim):
        return []
    alike = Delivery.objects.filter(
        subscription=delivery.subscription_id,
        recipient=delivery.recipient,
        channel=delivery.channel,
        digest=True,
    ).exclude(pk=delivery.pk)
    # A provider can be quicker than the commit of its own answer: until then they share the claim.
    if delivery.provider_id:
        return list(alike.filter(provider_id=delivery.provider_id, status=Status.SENT).order_by("pk"))
    return list(alike.filter(claim=delivery.claim).order_by("pk"))


def _groups(ids, channel):
    ready = Q(status=Status.QUEUED) | Q(status=Status.CLAIMED, due_at__lte=timezone.now())
    found = Delivery.objects.filter(ready, pk__in=ids, channel=channel, digest=True)
    return list(
        found.order_by("subscription", "recipient").values_list("subscription", "recipient").distinct()
    )


def _which():
    if connections[router.db_for_write(Delivery)].features.has_select_for_update:
        # As an array, it is asked for once: of `IN` PostgreSQL may make a join that asks again for each row,
        # past the limit.
        return f"id = ANY(ARRAY({_READY} FOR UPDATE)) AND {_IS_READY}"
    return f"id IN ({_READY}) AND {_IS_READY}"


def _values(subscription, recipient, channel):
    ready = [Status.QUEUED, Status.WAITING, Status.CLAIMED, timezone.now()]
    return [subscription, recipient, channel, *ready, MOST_EVENTS, *ready]


# Asked once more of the locked row: meanwhile another may have claimed it.
_IS_READY = "(status IN (%s, %s) OR status = %s AND due_at <= %s)"
_READY = f"""
    SELECT id FROM {Delivery._meta.db_table}
    WHERE subscription_id = %s AND recipient = %s AND channel = %s AND digest AND {_IS_READY}
    ORDER BY id LIMIT %s
"""  # noqa: S608 - the table's name is our own
