"""Operations of a deployment on the web function, which alone can reach the database.

Zappa's handler calls these by name.

``zappa invoke`` does it from a terminal. Each takes Lambda's ``(event, context)`` and returns what JSON can
hold.
"""

from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from .connections import connected


@connected()
def migrate(event, context):
    """Apply the migrations that are missing; return their names."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        call_command("migrate", interactive=False, stdout=StringIO())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in missing]


@connected()
def names_gone(event, context):
    """What rules and templates name and this release has no more, as sentences without any address."""
    from notifier.explaining import gone

    return [str(each) for each in gone.find_all()]


@connected()
def create_administrator(event, context):
    """Make the first administrator from ``event["administrator"]`` (``username``, ``email``, ``password``),
    if there is none.

    Returns one of ``"made"``, ``"there"`` and ``"missing"``: there is none, and nobody was named.
    """
    if get_user_model().objects.filter(is_superuser=True, is_active=True).exists():
        return "there"
    if not (wanted := event.get("administrator")):
        return "missing"
    get_user_model().objects.create_superuser(**wanted)
    return "made"


@connected()
def release_canary(event, context):
    """Send a canary to ``event["channels"]``; returns its rows by route."""
    from notifier.queue import canary

    return canary.release(event["channels"])


@connected()
def canary_seconds(event, context):
    """The seconds that the canary took by route, None where it has not arrived.

    ``event["rows"]`` is what the release returned.
    """
    from notifier.queue import canary

    return canary.seconds_by_route(event["rows"])


@connected()
def export_rules(event, context):
    """All rules as the document of a JSON file, for `rules diff` and `rules import` elsewhere.

    See docs/commands.md.
    """
    from notifier import rulefiles
    from notifier.rulefiles import texts

    return _Unprinted(texts.as_document(rulefiles.read_rules()))


class _Unprinted(dict):
    """Zappa prints each result into the log, where no address belongs."""

    def __repr__(self):
        return "(not printed)"
