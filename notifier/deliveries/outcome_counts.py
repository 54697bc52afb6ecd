"""The outcomes of an invocation's deliveries, as numbers.

Called by ``worker``; calls ``observing``.
"""

import logging

from ..models import Delivery
from ..observing import is_on, measure

logger = logging.getLogger(__name__)

NAMES = {
    Delivery.Status.SENT: "Sent",
    Delivery.Status.SKIPPED: "Skipped",
    Delivery.Status.FAILED: "Failed",
    Delivery.Status.WAITING: "Retried",
    Delivery.Status.UNKNOWN: "Unknown",
}


def count_outcomes(works):
    """Count what stands on these deliveries now, and how old they were when they were sent.

    One query, on Lambda only.

    Never raises: what is sent is sent, counted or not.
    """
    if not works or not is_on():
        return
    try:
        rows = Delivery.objects.filter(pk__in=[work.pk for work in works]).values_list(
            "status", "created_at", "finished_at"
        )
        for status, created_at, finished_at in rows:
            if status in NAMES:
                measure(NAMES[status], 1, "Count")
            if status == Delivery.Status.SENT:
                measure("DeliveryAge", (finished_at - created_at).total_seconds(), "Seconds")
    except Exception as error:
        logger.warning("What came of %d deliveries was not counted: %s", len(works), type(error).__name__)
