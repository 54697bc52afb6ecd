"""Addresses as they may be shown to those who need not know them.

Next hop: the admin, and the pages that a link opens.
"""


def masked(address):
    """``a…@e…`` of a mail address, ``+…`` of a number: enough to tell rows apart, and not people."""
    name, at, host = address.partition("@")
    return f"{name[:1]}…{at}{host[:1]}{'…' if host else ''}" if address else ""
