"""Savepoints of the caller's transaction, for as few statements as possible: each is a way to the database
and back, for which who saves waits.

Called by ``recording`` and ``inserting``.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any

from django.db import DatabaseError, Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# One at a time: nothing is inserted while something is.
_NAME = "notifier_insert"


def in_transaction(alias: str) -> bool:
    """Tell whether a transaction is open on the database ``alias``."""
    return not connections[alias].get_autocommit()


def savepoints(*aliases: str) -> AbstractContextManager[Any]:
    """The context in which what fails breaks none of the callers' transactions.

    Outside a transaction there is nothing to break.
    """
    opened = [Savepoint(alias) for alias in dict.fromkeys(aliases) if in_transaction(alias)]
    if len(opened) == 1:
        return opened[0]
    with ExitStack() as stack:
        for each in opened:
            stack.enter_context(each)
        return stack.pop_all()


class Savepoint:
    """A savepoint that is set before the first statement in it: most firings have none.

    It is none of Django's own, which stands in the order of its blocks: this one can begin within a block
    that ends before it does.
    """

    def __init__(self, alias: str) -> None:
        self._connection = connections[alias]
        self._begun, self._id = False, None

    def __enter__(self) -> None:
        self._was_broken = self._connection.needs_rollback
        self._hooks = len(self._connection.run_on_commit)
        self._connection.execute_wrappers.append(self._execute)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection = self._connection
        connection.execute_wrappers.remove(self._execute)
        failed = kind is not None or connection.needs_rollback
        connection.needs_rollback = self._was_broken
        if self._id is None:
            return
        try:
            if not failed:
                # It is not taken where a statement has failed of which nobody said so.
                with suppress(DatabaseError):
                    connection.savepoint_commit(self._id)
                    return
            connection.savepoint_rollback(self._id)
            connection.savepoint_commit(self._id)
            connection.run_on_commit = connection.run_on_commit[: self._hooks]
        except Error:
            connection.needs_rollback = True

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not self._begun and not self._was_broken:
            # What sets it comes here as well.
            self._begun = True
            self._id = self._connection.savepoint()
        return execute(sql, params, many, context)


@contextmanager
def around(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """The context of one statement, which breaks no transaction when it fails; gives what is to be written
    before and after it.
    """
    if not connection.in_atomic_block or connection.vendor == "sqlite":
        # SQLite itself undoes no more than the statement.
        yield "", ""
    elif not _takes_several(connection):
        with transaction.atomic(using=connection.alias):
            yield "", ""
    else:
        try:
            yield f"SAVEPOINT {_NAME}; ", f"; RELEASE SAVEPOINT {_NAME}"
        except BaseException:
            # Not where the driver itself refused it: there is no such savepoint.
            if connection.connection.info.transaction_status.name == "INERROR":
                with connection.cursor() as cursor:
                    cursor.execute(f"ROLLBACK TO SAVEPOINT {_NAME}; RELEASE SAVEPOINT {_NAME}")
            raise


def _takes_several(connection: BaseDatabaseWrapper) -> bool:
    """Whether several statements can be sent as one text, and all their answers read: psycopg 3 can, unless
    the server is to put the values in.
    """
    return hasattr(connection.connection, "pgconn") and not connection.features.uses_server_side_binding
