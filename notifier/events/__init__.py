"""Events, from a firing to a stored row: receivers, matching, middleware, freezing.

Calls ``rules``, ``queue`` and ``models``.
"""
