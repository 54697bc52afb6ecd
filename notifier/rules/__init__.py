"""Rules: what one may say, and what is wrong with it: signals, offers, conditions, audiences, plans.

Calls ``templating`` and ``channels``.
"""
