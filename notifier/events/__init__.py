"""From a firing to a stored event: receivers, matching, middleware, freezing, and the row.

Calls ``rules``, ``queue`` and ``models``.
"""
