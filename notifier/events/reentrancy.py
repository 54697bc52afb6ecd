"""Keeps signals silent that fire while an event is being recorded.

Called by ``recording`` and by the modules that read objects for it.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar

from ..observing import log_failure

logger = logging.getLogger(__name__)

# Recording reads objects, which sends signals (post_init) of its own.
_recording = ContextVar("notifier_recording", default=False)


def is_recording():
    """Whether this thread is recording an event already."""
    return _recording.get()


@contextmanager
def while_recording(is_recording=True):
    """Inside it, signals are not recorded."""
    token = _recording.set(is_recording)
    try:
        yield
    finally:
        _recording.reset(token)


@contextmanager
def never_raising(verb):
    """As ``while_recording``, and whatever goes wrong in it is logged: the caller's save is worth more."""
    with while_recording():
        try:
            yield
        except Exception:
            log_failure(logger, "Could not record the signal %s", verb)
