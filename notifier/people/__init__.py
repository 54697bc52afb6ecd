"""People, as messages need them: addresses, devices, refusals, and the links that they act by.

Calls ``models`` and ``channels``.
"""
