"""Has the rules read when the first signal comes and nobody has read them: see note [when the index is
loaded] of ``index``.

Called by ``receivers``; calls ``index``.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.apps import apps
from django.core import mail
from django.db import Error

from .index import index, rules_connection

logger = logging.getLogger(__name__)

# A database that takes longer than this to say that it is not there is left alone for as long as it took.
PATIENCE_SECONDS = 1


class FirstLook:
    """Looks until it has seen the rules once. Never raises into who has sent the signal."""

    def __init__(self, index):
        self._index = index
        self._not_before, self._is_said = 0.0, False

    def take(self):
        """Load the rules unless that is done, or cannot be now; that is logged once."""
        if self._index.is_loaded or not _may_look() or time.monotonic() < self._not_before:
            return
        started = time.monotonic()
        try:
            _outside_event_loop(self._index.load_first)
            self._is_said = False
        except Exception as error:
            took = time.monotonic() - started
            self._not_before = time.monotonic() + took if took > PATIENCE_SECONDS else 0.0
            if not self._is_said:
                self._say(error)

    def _say(self, error):
        self._is_said = True
        logger.warning(
            "The rules cannot be read, so no signal is recorded until they can: %s: %s",
            type(error).__name__,
            error,
            exc_info=None if isinstance(error, Error) else error,
        )


look = FirstLook(index).take


def is_test_run():
    """Whether Django's test environment is set up.

    Its rules change in this process alone, so nobody looks for others' changes.

    A query now and then would be one too many for ``assertNumQueries``, and PostgreSQL drops no database that
    a thread looks into.
    """
    return hasattr(mail, "outbox")


def _may_look():
    # While Django starts, nothing is asked; and a test that has no database is not to get one.
    return apps.ready and (not is_test_run() or rules_connection().connection is not None)


def _outside_event_loop(call):
    """Call where the database may be asked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(max_workers=1) as another:
        return another.submit(call).result()
