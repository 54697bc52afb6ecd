"""Connections to databases around an event of Lambda."""

from contextlib import contextmanager

from django.db import close_old_connections


@contextmanager
def connected():
    """Around an event, or the function that is called with it, what Django does around a request.

    With ``CONN_MAX_AGE`` 0 a container that is frozen afterwards keeps no connection; the database would
    count it for hours.
    """
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()
