"""The doorbell: what crosses the queue, who rings it, and the canary that shows that it works.

Calls ``models``.
"""
