"""The gate of who has left since the recipients were found: an account that is gone or switched off, an
address that was taken away.
"""

from ..exceptions import Skipped


def refuse(candidates, channel):
    """Skipped for those whose person cannot be reached any more. No query: the claim has looked."""
    return [Skipped(each.unreachable) if each.unreachable else None for each in candidates]
