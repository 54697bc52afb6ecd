"""The gate that a channel declares for itself in its own file. Asks ``channels.registry``."""

from ..channels import registry


def refuse(candidates, channel):
    """The answers of ``refuse(candidates, channel)`` of the channel's own module; nothing where it has
    none.
    """
    own = registry.own_gate(channel)
    return own(candidates, channel) if own else [None] * len(candidates)
