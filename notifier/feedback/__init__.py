"""What providers say of a delivery after they took it.

Next hop: ``recording``, with the report that ``ses`` or ``sms`` has read.
"""

from .reports import Report

__all__ = ["Report"]
