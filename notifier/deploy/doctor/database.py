"""The database as this process sees it: reachable, up to date, with connections to spare. Called by
``here``.
"""

import datetime as dt
from contextlib import closing

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from notifier.models import Subscription

from .findings import error, warning

CONNECT_SECONDS = 5
NEARLY_USED = 0.8
IDLE = dt.timedelta(minutes=1)
NAMED = 3

# Of another user's connection a user without pg_monitor sees no more than whose it is:
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
USED = """
    SELECT count(*), count(*) FILTER (WHERE state = 'idle' AND state_change <= now() - %s)
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
        OR (backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL)
"""
# The second from PostgreSQL 16 on, the third on RDS:
# https://repost.aws/knowledge-center/rds-postgresql-error-connection-slots
RESERVED = (
    "superuser_reserved_connections",
    "reserved_connections",
    "rds.rds_superuser_reserved_connections",
)
MOST = """
    SELECT current_setting('max_connections')::int - coalesce(sum(current_setting(name, true)::int), 0)
    FROM unnest(%s::text[]) AS name
"""

# Words of PostgreSQL, of its client and of SQLite. The texts themselves may name people and machines.
REASONS = {
    "timeout": "no answer in time",
    "timed out": "no answer in time",
    "refused": "nobody listens there",
    "translate host": "there is no such host",
    "resolve": "there is no such host",
    "password authentication failed": "it does not accept user and password",
    "no password supplied": "it wants a password",
    "too many": "no connection is left",
    "connection slots": "no connection is left",
    "does not exist": "there is no such database or user",
    "no such file": "its socket is not there",
    "unable to open": "its file cannot be opened",
}


def check_reachable(where):
    """Opens a connection of its own, with a short time-out; what is pooled may have been opened yesterday."""
    probe = connection.copy()
    if probe.vendor == "postgresql":
        probe.settings_dict["OPTIONS"] = {
            **probe.settings_dict.get("OPTIONS", {}),
            "connect_timeout": CONNECT_SECONDS,
        }
    with closing(probe):
        try:
            probe.ensure_connection()
        except DatabaseError as failure:
            yield error(
                f"The database {_address()} cannot be used: {_reason(failure)}.", where.remedy_for_database
            )
            return
    if where.on_lambda and probe.vendor == "sqlite":
        yield error(
            "The functions keep their data in SQLite, each its own, until its container ends.",
            where.remedy_for_database,
        )


def check_migrations(where):
    """Tables that are behind the code."""
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
        shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        yield error(f"The database is behind the code: {shown} not applied.", where.manage("migrate"))


def check_connections(where):
    """Connections of PostgreSQL: how many are left, and that frozen functions keep none."""
    if where.on_lambda and (age := connection.settings_dict["CONN_MAX_AGE"]) != 0:
        yield warning(
            f"CONN_MAX_AGE is {age}, so each function that is frozen keeps a connection of the database "
            f"{_address()}, for hours and over an update.",
            'Read DATABASE_URL by env.database, or set "CONN_MAX_AGE": 0 in DATABASES.',
        )
    if (counts := count_connections()) and counts["used"] >= NEARLY_USED * counts["most"]:
        yield warning(
            f"{counts['used']} of the {counts['most']} connections of the database {_address()} are in use, "
            f"{counts['idle']} of them have done nothing for a minute or longer.",
            "Close the idle ones (pg_stat_activity has client_addr and application_name), set a lower "
            "MAXIMUM_CONCURRENCY in the channels' files, put RDS Proxy before the database, or raise "
            "max_connections.",
        )


def count_connections():
    """``{"used": …, "idle": …, "most": …}`` of PostgreSQL, without the reserved ones; None for another
    database.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(USED, [IDLE])
        used, idle = cursor.fetchone()
        cursor.execute(MOST, [list(RESERVED)])
        (most,) = cursor.fetchone()
    return {"used": used, "idle": idle, "most": most}


def channels_in_use():
    """Names of the channels that an enabled rule sends by; None where the tables are not there yet."""
    if (Subscription._meta.app_label, "0001_initial") not in MigrationRecorder(
        connection
    ).applied_migrations():
        return None
    used = Subscription.objects.filter(enabled=True, trigger__enabled=True).values_list("channels", flat=True)
    return sorted({channel for channels in used for channel in channels})


def _address():
    settings = connection.settings_dict
    host = settings.get("HOST")
    at = f" at {host}:{settings.get('PORT') or 5432}" if host else ""
    return f"{settings['NAME']}{at}"


def _reason(failure):
    text = str(failure).lower()
    return next((ours for theirs, ours in REASONS.items() if theirs in text), type(failure).__name__)
