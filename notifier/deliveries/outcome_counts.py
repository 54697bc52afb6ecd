"""The outcomes of an invocation's deliveries, as numbers.

Called by ``worker``; calls ``observing``.
"""

import logging

from ..models import Delivery, Lane
from ..observing import TIME_TO_SENT, is_on, measure
from .latency import WANTED

logger = logging.getLogger(__name__)

NAMES = {
    Delivery.Status.SENT: "Sent",
    Delivery.Status.SKIPPED: "Skipped",
    Delivery.Status.FAILED: "Failed",
    Delivery.Status.WAITING: "Retried",
    Delivery.Status.UNKNOWN: "Unknown",
}


def count_outcomes(works):
    """Count what stands on these deliveries now, and how old they were when they were sent; and by lane,
    how long that took from when they were to go.

    One query, on Lambda only.

    Never raises: what is sent is sent, counted or not.
    """
    if not works or not is_on():
        return
    try:
        rows = Delivery.objects.filter(pk__in=[work.pk for work in works]).values_list(
            "status", "created_at", "finished_at", "lane", WANTED
        )
        for status, created_at, finished_at, lane, wanted_at in rows:
            if status in NAMES:
                measure(NAMES[status], 1, "Count")
            if status == Delivery.Status.SENT:
                measure("DeliveryAge", (finished_at - created_at).total_seconds(), "Seconds")
                seconds = max(0.0, (finished_at - wanted_at).total_seconds())
                measure(TIME_TO_SENT, seconds, "Seconds", lane=Lane(lane).word)
    except Exception as error:
        logger.warning("What came of %d deliveries was not counted: %s", len(works), type(error).__name__)
