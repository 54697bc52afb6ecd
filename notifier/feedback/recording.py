"""Stores what a report says: once, at its delivery, and for its address.

Called by ``lambdas.feedback`` and ``webhook``; calls ``finding``, ``people.suppression`` and the hook.

Note [any order]: what stands on the delivery is worked out again from all that was heard of it, under a lock
on its row. So the order in which reports come, and how often, does not matter.
"""

import logging
from functools import partial

from django.db import transaction

from .. import deliveries
from ..events.causes import caused_by
from ..hooks import feedback_received
from ..models import Delivery, Feedback
from ..models.counts import account_refusal, record_gauges
from ..people import suppression
from .finding import earlier_ids, find_delivery

logger = logging.getLogger(__name__)

Kind = Feedback.Kind
# After these, what stands by on another channel goes; a person who complained has it.
NOT_ARRIVED = (Kind.BOUNCED, Kind.REFUSED)


def record(report):
    """Store a Report.

    Returns its Feedback; None for one that was known, or is of no delivery (of another system, purged,
    forged).
    """
    with transaction.atomic():
        delivery = find_delivery(report)
        if delivery is None:
            logger.info("A report (%s, %s) is of no delivery that is on record.", report.channel, report.kind)
            return None
        feedback, is_new = Feedback.objects.get_or_create(
            key=report.key,
            defaults={
                "delivery": delivery,
                "kind": report.kind,
                "detail": report.detail[:500],
                "permanent": report.permanent,
                "message_id": report.message_id[:200],
                "happened_at": report.happened_at,
            },
        )
        if not is_new:
            return None
        deliveries.mark_found(delivery, report.message_id)
        returned = _returned(delivery)
        if returned != delivery.returned:
            delivery.returned = returned
            # The provider knows one of those that went in one message; with it, all of them came back.
            together = [delivery, *deliveries.gone_with(delivery)]
            Delivery.objects.filter(pk__in=[each.pk for each in together]).update(returned=returned)
            if returned in NOT_ARRIVED:
                deliveries.next_after_bounce(*together)
        if report.of_account:
            record_gauges({account_refusal(report.channel): 1})
        if report.suppress:
            suppression.suppress(delivery.channel, delivery.address, report.suppress, feedback.detail)
        transaction.on_commit(partial(_announce, feedback, delivery))
    return feedback


def _announce(feedback, delivery):
    """Tell what a provider has said of a delivery, once that is committed.

    Django logs receivers that raise.
    """
    with caused_by(delivery.event_id):
        feedback_received.send_robust(
            Delivery, delivery_id=delivery.pk, event_id=delivery.event_id, channel=delivery.channel,
            recipient=delivery.recipient, kind=str(feedback.kind), permanent=feedback.permanent,
            detail=feedback.detail, returned=delivery.returned,
        )  # fmt: skip


def _returned(delivery):
    """The feedback that undoes the sending, by all that was heard of it.

    A bounce that is not permanent can be an automatic reply to a mail that did arrive.
    """
    heard = delivery.feedback.exclude(message_id__in=earlier_ids(delivery))
    said = set(heard.values_list("kind", "permanent"))
    kinds = {kind for kind, _ in said}
    if (Kind.COMPLAINED, True) in said:
        return str(Kind.COMPLAINED)
    if (Kind.BOUNCED, True) in said or (Kind.BOUNCED in kinds and Kind.DELIVERED not in kinds):
        return str(Kind.BOUNCED)
    return str(Kind.REFUSED) if Kind.REFUSED in kinds else ""
