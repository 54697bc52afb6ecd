"""The gate of those who have no device to push to. Asks ``people.devices``."""

from ..people import devices


def refuse(candidates, channel):
    """Skipped for who has no device, so that nobody is rung for."""
    return devices.ask_for_device(candidates, channel)
