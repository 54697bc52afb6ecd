"""Every minute: rings again for what is due. Next hop: ``notifier.sweep``."""

import logging

from ._clock import Clock
from ._django import set_up
from ._observing import measure, observed

set_up()

from django.db import close_old_connections  # noqa: E402 - Django must be set up first

from notifier.sweep import sweep  # noqa: E402

logger = logging.getLogger(__name__)


def handler(event, context):
    """Handler of the schedule; what it is called with does not matter."""
    with observed("sweep", context):
        close_old_connections()
        with Clock(context) as clock:
            rung = sweep(clock.is_time_up)
        if rung:
            measure("Rung", rung, "Count")
            logger.info("Rang again for %d.", rung)
        close_old_connections()
    return {"rung": rung}
