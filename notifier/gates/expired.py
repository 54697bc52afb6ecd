"""The gate of what is past its event's time: a code that comes too late is worse than none."""

from ..exceptions import Skipped


def refuse(candidates, channel):
    """Skipped for what is expired. No query."""
    return [Skipped("expired") if each.is_expired else None for each in candidates]
