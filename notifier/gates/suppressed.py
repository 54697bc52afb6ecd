"""The gate of addresses that get nothing more. Asks ``people.suppression``."""

from ..channels.recipient import normalise
from ..exceptions import Skipped
from ..people import suppression


def refuse(candidates, channel):
    """Skipped for those whose address is suppressed.

    One query, or none where nobody has an address.
    """
    addresses = [normalise(each.address or "") for each in candidates]
    known = suppression.find_all(channel, addresses)
    return [_skipped(known[address]) if address in known else None for address in addresses]


def _skipped(row):
    return Skipped("suppressed", suppression.describe(row))
