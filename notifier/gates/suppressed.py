"""The gate of addresses that get nothing more. Asks ``people.suppression``."""

from ..channels.recipient import normalise
from ..exceptions import Skipped
from ..models import Suppression
from ..people import suppression

_ROWS = f"SELECT 1 FROM {Suppression._meta.db_table}"  # noqa: S608 - the table's name is our own


def rows(candidates, channel, _keys):
    """All that ``refuse`` could go by."""
    addresses = {normalise(each.address or "") for each in candidates}
    places = ", ".join(["%s"] * len(addresses))
    return f"{_ROWS} WHERE channel = %s AND address IN ({places})", [channel, *addresses]


def refuse(candidates, channel):
    """Skipped for those whose address is suppressed.

    One query, or none where nobody has an address.
    """
    addresses = [normalise(each.address or "") for each in candidates]
    known = suppression.find_all(channel, addresses)
    return [_skipped(known[address]) if address in known else None for address in addresses]


def _skipped(row):
    return Skipped("suppressed", suppression.describe(row))
