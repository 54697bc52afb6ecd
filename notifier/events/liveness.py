"""Keeps this process's rules as fresh as the database's; the note of ``index`` says when it looks.

Calls ``index``, ``first_look`` and ``receivers``.
"""

import contextlib
import logging
import os
import threading

from django.conf import settings
from django.core.signals import request_started
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.backends.signals import connection_created
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save

from ..models import Audience, Category, RulesVersion, Subscription, Template, TemplateContent, Trigger
from ..rules import signals
from . import silent_writes
from .first_look import is_test_run
from .index import REFRESH_SECONDS, index, rules_connection
from .receivers import Receivers

logger = logging.getLogger(__name__)

_background = None


def follow_rules(*, in_background):
    """Connect everything that can make the rules old.

    No query: the first connection to the database loads them, or the first signal.
    """
    signals.on_registration(index.announce)
    for model in (Trigger, Subscription, Audience, Category, Template, TemplateContent):
        for signal in (post_save, post_delete):
            signal.connect(_rule_changed, sender=model, dispatch_uid=("notifier", "rules", model.__name__))
    m2m_changed.connect(
        _rule_changed, sender=Subscription.audiences.through, dispatch_uid="notifier.events.loading"
    )
    post_save.connect(_version_changed, sender=RulesVersion, dispatch_uid="notifier.events.loading")
    request_started.connect(_request_started, dispatch_uid="notifier.events.loading")
    post_migrate.connect(_database_changed, dispatch_uid="notifier.events.loading")
    connection_created.connect(
        _connected_for_long if in_background else _connected, dispatch_uid="notifier.events.loading"
    )
    os.register_at_fork(after_in_child=_start_again)
    if settings.DEBUG:
        silent_writes.follow()
    # After the receivers above: those that load the rules come first.
    index.on_change(Receivers().keep)


def _rule_changed(*, action="", **_signal):
    if not action.startswith("pre_"):
        RulesVersion.touch()


def _version_changed(*, using, **_signal):
    index.follow_transaction(connections[using])


def _refresh(**_signal):
    # A database without our tables yet has no rules; migrations must run all the same.
    with contextlib.suppress(DatabaseError, InterfaceError):
        index.refresh()


def _request_started(**signal):
    if not is_test_run():
        _refresh(**signal)


def _database_changed(**_signal):
    # `flush` sends this, too, and has left no rule.
    with contextlib.suppress(DatabaseError, InterfaceError):
        index.refresh(now=True)


def _connected(*, connection, **_signal):
    # Another's opening must not open ours: PostgreSQL drops a test's database from another, while nobody is
    # connected to it.
    if connection is rules_connection():
        _refresh()


def _connected_for_long(**signal):
    _connected(**signal)
    if _background is None and not is_test_run():
        _start_background()


def _start_background():
    global _background
    _background = threading.Thread(target=_follow, name="notifier-rules", daemon=True)
    _background.start()


def _follow():
    pause = threading.Event()
    while not pause.wait(REFRESH_SECONDS):
        if _is_private(connection):
            continue
        try:
            _refresh()
        except Exception:
            # Whatever it is (a database that is being dropped, a test that allows no queries), the next look
            # comes soon.
            logger.debug("The rules could not be read", exc_info=True)
        finally:
            # A connection of its own for a moment, not for good: a database counts them.
            connection.close()


def _is_private(database):
    """Whether no other process can change this database: SQLite in memory."""
    return database.vendor == "sqlite" and database.is_in_memory_db()


def _start_again():
    """A forked process has its parent's rules and none of its threads."""
    index.forget_threads()
    if _background is not None:
        _start_background()
