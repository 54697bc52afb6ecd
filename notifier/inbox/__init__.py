"""The inbox that people read in the site: kept by ``items``, told by ``api`` and ``stream``. Calls
``models``.
"""
