"""A project whose processes ask the database nothing before their first act. See
``tests/events/test_first_firings.py``.
"""
