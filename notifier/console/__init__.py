"""The channel ``console``, for getting to know Notifier on one's own machine: what would be sent is printed.

Next hop: ``printing``.

An app of its own, to be installed where one develops: a project that does not install it has no such channel,
on Lambda or anywhere.
"""
