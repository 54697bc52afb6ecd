"""The doorbell: rings that cross the queue, the publisher, and the canary that shows that it works.

Calls ``models``.
"""
