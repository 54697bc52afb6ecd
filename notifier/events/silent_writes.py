"""Tells programmers, in development, of writes that no rule hears of: ``bulk_create``, ``update``, ….

Started by ``liveness`` where DEBUG is on, and nowhere else; ``emission`` says what is told by hand.

Note [how it is seen]: nothing of Django is replaced. A wrapper around each statement, Django's own mechanism,
looks at the calls that led to an INSERT, UPDATE or DELETE. ``Model.save`` and ``Collector.delete`` send
signals, ``QuerySet.update`` and its like do not. What Django does for itself in between, as setting a column
to null where the row that it leads to is deleted, is nobody's call.

Note [when it is said]: ``emit_bulk`` comes after what it tells of. So a write waits for GRACE_SECONDS, or for
the end of its request or of the process; then it is said, once for each place in the code.
"""

import atexit
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import CodeType, FrameType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.db.models import Model, QuerySet
from django.db.models.deletion import Collector

from . import reentrancy
from .index import index
from .matching import is_one

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5
CHANGES = ("UPDATE", "DELETE")
# On the way from a statement to whoever wanted it; all but the first are there for `abulk_create` and such.
INNER_PACKAGES = frozenset({"django", "asgiref", "concurrent", "contextlib", "threading"})
SAVES, DELETIONS = ("pre_save", "post_save"), ("pre_delete", "post_delete")


@dataclass(frozen=True, kw_only=True)
class Write:
    """A way to write rows without a signal. ``on``: the saves that a rule misses by it; blank is none."""

    call: str
    verbs: tuple[str, ...] = SAVES
    on: str = ""
    advice: str
    model: type[Model] | None = None
    file: str = ""
    line: int = 0
    at: float = 0
    thread: int = 0


AFTER = "Call notifier.emit_bulk(objects, created=%s) after it, or save one by one."
WRITES: dict[CodeType, Write] = {
    QuerySet.bulk_create.__code__: Write(call="bulk_create", on="created", advice=AFTER % True),
    QuerySet.bulk_update.__code__: Write(call="bulk_update", on="updated", advice=AFTER % False),
    QuerySet.update.__code__: Write(call="QuerySet.update", on="updated", advice=AFTER % False),
    QuerySet._raw_delete.__code__: Write(
        call="_raw_delete", verbs=DELETIONS,
        advice='Call notifier.emit_bulk(objects, verb="post_delete") before it, or use delete().',
    ),
}  # fmt: skip
# They send signals themselves, or are Django's own business.
TELLING = frozenset({Model.save_base.__code__, Collector.delete.__code__})

_lock = threading.Lock()
# Place → the write that waits to be said.
_waiting: dict[tuple[str, int], Write] = {}
# Places that were said, or told of by hand.
_known: set[tuple[str, int]] = set()


def follow() -> None:
    """Look at the statements of all connections from now on."""
    connection_created.connect(_watch, dispatch_uid="notifier.events.silent_writes")
    request_finished.connect(_end_of_request, dispatch_uid="notifier.events.silent_writes")
    atexit.register(say_all)


def _watch(*, connection: Any, **_signal: Any) -> None:
    if look not in connection.execute_wrappers:
        # Outermost, so that no other wrapper stands between a statement and its caller.
        connection.execute_wrappers.insert(0, look)


def look(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement, and note it where it wrote what rules should have heard of. An execute wrapper."""
    result = execute(sql, params, many, context)
    try:
        if settings.DEBUG and not reentrancy.is_recording():
            if _has_written(str(sql), context["cursor"]):
                _note(sys._getframe(1))
            _say(lambda write: write.at < time.monotonic() - GRACE_SECONDS)
    except Exception:
        # What a programmer is told must not cost them their statement.
        logger.debug("A statement could not be looked at", exc_info=True)
    return result


def _has_written(sql: str, cursor: Any) -> bool:
    # SQLite counts the rows of an INSERT that gives back keys only when they are read.
    return sql.startswith("INSERT") or sql.startswith(CHANGES) and cursor.rowcount != 0


def _note(frame: FrameType) -> None:
    write = find_write(frame)
    if write is None or (place := (write.file, write.line)) in _known or not _rules_missing(write):
        return
    with _lock:
        _waiting[place] = replace(write, at=time.monotonic(), thread=threading.get_ident())


def find_write(frame: FrameType | None) -> Write | None:
    """The silent Write that a statement belongs to, by the calls from ``frame`` outward, or None."""
    found, rows = None, None
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER_PACKAGES:
        if frame.f_code in TELLING:
            return None
        if frame.f_code in WRITES:
            # `bulk_update` calls `update`: the outer one is what somebody wrote.
            found, rows = WRITES[frame.f_code], frame.f_locals["self"]
        frame = frame.f_back
    if found is None or rows is None or rows.model._meta.apps is not apps:
        # In a migration models are others, of which no rule is.
        return None
    if frame is None:
        return replace(found, model=rows.model, file="an asynchronous call")
    if frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        return None
    return replace(found, model=rows.model, file=frame.f_code.co_filename, line=frame.f_lineno)


def _rules_missing(write: Write) -> list[str]:
    """Names of the live rules that should have heard of it."""
    return [
        trigger.name
        for verb in write.verbs
        for trigger in index.live(verb)
        if is_one(write.model, trigger.model, "") and (not write.on or trigger.on in ("any", write.on))
    ]


def tell_by_hand(objects: Iterable[object]) -> None:
    """``emit`` or ``emit_bulk`` tells of these objects: what wrote them is known for good."""
    if not _waiting:
        return
    models = {type(each) for each in objects}
    with _lock:
        for place, write in list(_waiting.items()):
            if write.model and any(issubclass(model, write.model) for model in models):
                _known.add(place)
                del _waiting[place]


def say_all() -> None:
    """Say all that waits: the process ends."""
    _say(lambda write: True)


def _end_of_request(**_signal: Any) -> None:
    _say(lambda write: write.thread == threading.get_ident())


def _say(is_due: Callable[[Write], bool]) -> None:
    if not _waiting:
        return
    with _lock:
        due = {place: write for place, write in _waiting.items() if is_due(write)}
        _known.update(due)
        for place in due:
            del _waiting[place]
    for write in due.values():
        names = "”, “".join(_rules_missing(write))
        if names and write.model:
            logger.warning(
                "%s:%d: %s of %s sends no signal, and “%s” is not told. %s",
                write.file, write.line, write.call, write.model._meta.label_lower, names, write.advice,
            )  # fmt: skip
