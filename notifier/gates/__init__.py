"""Gates: what may go, and when: allow list, opt-outs, quiet hours, expiry, pauses, budgets, rates.

Calls ``people`` and ``models``.
"""
