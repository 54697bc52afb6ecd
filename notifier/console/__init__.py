"""The channel ``console``, for getting to know Notifier on one's own machine: it prints what would be sent.

An app of its own, to be installed where one develops: a project that does not install it has no such channel,
on Lambda or anywhere. Calls ``deliveries``.
"""
