"""Who somebody is to a message: addresses, devices, what they have refused, and the links they act by.

Calls ``models``, ``channels``.
"""
