"""Signal middleware: a project's own code around the recording of each event that matched.

Called by ``recording``; calls ``freezing``.

``NOTIFIER["MIDDLEWARE"]`` lists dotted paths, the outermost first, each written like Django's own middleware:

    def add_tenant(record):
        def middleware(recording):
            recording.context["tenant"] = tenant_of(recording.context["instance"])
            return record(recording)  # the event, frozen and not saved yet

        return middleware

    add_tenant.provides = ("tenant",)  # names that templates may read

It may raise ``notifier.exceptions.Veto("why")``. Nothing else that it raises reaches the others or the
caller: each is wrapped, so the one around it gets an event that says what happened, as Django turns a view's
exception into a response.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError
from django.utils.module_loading import import_string

from .. import conf
from ..exceptions import Veto
from ..models import Event
from ..observing import log_failure
from . import freezing
from .live import LiveTrigger
from .matching import Explained

logger = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Recording:
    """One event that is about to be made, as a signal middleware gets it.

    ``context``: name → live object, this event's own; what templates read is taken from it, so it may be
    added to and changed. ``trigger``: the one that matched, to be read only. ``created``: True or
    False for a save, else None. ``using``: the database that the caller writes to. ``key``: the idempotency
    key of ``emit``. ``deleting``: the object is about to go, or gone. ``explanation``: what matching said of
    this firing's triggers. ``starts_at``, ``expires_at``: when it is to be sent, and until when, where
    ``emit`` was told. ``given``: the context as the firing brought it; ``absent``: the arguments that it did
    not bring. ``error``: once ``record(recording)`` has returned a failed or vetoed event, the exception
    behind it.
    """

    trigger: LiveTrigger
    context: dict[str, Any]
    created: bool | None = None
    using: str = ""
    key: str | None = None
    deleting: bool = False
    starts_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    explanation: list[Explained] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    error: Exception | None = None

    @property
    def verb(self) -> str:
        return self.trigger.verb


# From a Recording to its event, not saved yet: `freeze_event`, and each middleware around it.
Record = Callable[[Recording], Event]


def make_event(recording: Recording) -> Event:
    """The event of ``recording``, past all middleware and not saved yet.

    Raises a DatabaseError, and nothing else.
    """
    try:
        record = _chain(tuple(conf.get("MIDDLEWARE")))
    except Exception as error:
        log_failure(logger, "The signal middleware could not be loaded")
        reason = (
            f'NOTIFIER["MIDDLEWARE"] could not be loaded: {type(error).__name__}. `manage.py '
            "check` says which."
        )
        return freezing.failed_event(recording, reason, error)
    return freezing.checked_event(recording, record(recording))


@lru_cache(maxsize=8)
def _chain(paths: tuple[str, ...]) -> Record:
    record: Record = freezing.freeze_event
    for path in reversed(paths):
        try:
            middleware = import_string(path)(record)
        except MiddlewareNotUsed:
            continue
        record = _contained(middleware, path)
    return record


def _contained(middleware: Record, path: str) -> Record:
    def record(recording: Recording) -> Event:
        try:
            event = middleware(recording)
        except Veto as veto:
            return freezing.vetoed_event(recording, veto)
        except DatabaseError:
            # In the caller's transaction, PostgreSQL takes no other statement before the savepoint is rolled
            # back.
            raise
        except Exception as error:
            log_failure(
                logger,
                "The signal middleware %s failed at an event of the trigger %d",
                path,
                recording.trigger.pk,
            )
            return freezing.failed_event(recording, _raised(path, error), error)
        if not isinstance(event, Event):
            reason = (
                f"The signal middleware {path} returned {type(event).__name__}: let it return what "
                "record(recording) gives."
            )
            return freezing.failed_event(recording, reason, TypeError(reason))
        return event

    return record


def _raised(path: str, error: Exception) -> str:
    return f"The signal middleware {path} raised {type(error).__name__}. The log has the trace."
