"""Addresses as they may be shown to people who need not know them.

Called by the admin, and by the pages that a link opens.
"""


def masked(address):
    """``a…@e…`` of a mail address, ``+…`` of a number: enough to tell rows apart, and not people."""
    name, at, host = address.partition("@")
    return f"{name[:1]}…{at}{host[:1]}{'…' if host else ''}" if address else ""
