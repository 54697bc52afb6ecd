"""Every minute: rings again for what is due. Next hop: ``notifier.sweep``."""

import logging

from ._handler import Clock

logger = logging.getLogger(__name__)


def handler(event, context):
    """Handler of the schedule; what it is called with does not matter."""
    from django.db import close_old_connections

    from notifier.sweep import sweep

    close_old_connections()
    with Clock(context) as clock:
        rung = sweep(clock.is_time_up)
    if rung:
        logger.info("Rang again for %d.", rung)
    close_old_connections()
    return {"rung": rung}
