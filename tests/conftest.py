"""The local cloud for all tests, and rules that are those of the test's own database."""

import gc
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

from notifier import composing, publisher, triggers
from project.local.cloud import LocalCloud
from project.local.postgres import find_programs
from project.local.pump import Pump
from project.local.system import handlers_of
from tests.gate import Gate

# Most pages read a few rows by their keys, on any database alike; these search, count and lock.
PAGES, PAGES_THAT_ASK_MUCH = (
    Path(__file__).parent / "admin",
    {"test_acting.py", "test_finding.py", "test_overview.py", "test_retrying.py"},
)
# These keep what they make in a database, and are about something else: what a template may do, what a provider or AWS answers, how a page
# is served.
ABOUT_SOMETHING_ELSE = {
    "test_actors.py",
    "test_allowing.py",
    "test_attacks.py",
    "test_canary.py",
    "test_chat.py",
    "test_console.py",
    "test_contents.py",
    "test_contract.py",
    "test_email.py",
    "test_examine.py",
    "test_extending.py",
    "test_flow_rules.py",
    "test_handler.py",
    "test_hooks.py",
    "test_interception.py",
    "test_languages.py",
    "test_layouts.py",
    "test_models.py",
    "test_notify_commands.py",
    "test_observing.py",
    "test_outage.py",
    "test_outbox.py",
    "test_page.py",
    "test_preferences.py",
    "test_previewing.py",
    "test_providers.py",
    "test_publisher.py",
    "test_push.py",
    "test_recipes.py",
    "test_report.py",
    "test_rulefiles.py",
    "test_signals.py",
    "test_sms.py",
    "test_sms_twilio.py",
    "test_snapshot.py",
    "test_summaries.py",
    "test_template_files.py",
    "test_testing.py",
    "test_triggers.py",
    "test_unsubscribing.py",
    "test_web.py",
    "test_webhook.py",
}
# Functions that die, doubles at the same moment, other processes' changes: run on PostgreSQL, as on Lambda; on SQLite only where its
# programs are missing.
ABOUT_SEVERAL_PROCESSES = {"test_crash.py", "test_liveness.py", "test_redelivery.py", "test_swapped_user.py"}
# What migrations have put there; a test that commits leaves it as it is.
KEPT_TABLES = {"django_content_type", "auth_permission", "django_migrations"}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "_django_db_helper", "live_server"}
# What a page shows in a browser is the same with each database, and takes long.
IN_A_BROWSER = Path(__file__).parent / "browser"


def _empty_tables(case):
    """Instead of Django's `flush`, which makes all permissions anew and, on PostgreSQL, rewrites the file of every table."""
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with transaction.atomic(using=alias), connection.constraint_checks_disabled(), connection.cursor() as cursor:
            for table in set(tables) - KEPT_TABLES:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
    # As `flush` tells by its signal: the next connection must not find this test's rules in memory.
    triggers.index.refresh(force=True)


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(scope="session")
def session_cloud():
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(session_cloud, settings):
    """The local cloud with empty queues and an empty outbox; this process publishes to its topic and mails by its SES."""
    session_cloud.empty()
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": session_cloud.topic_arn}
    # Django's test runner puts its own in place.
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    return session_cloud


@pytest.fixture
def pump(cloud):
    """All functions on the cloud's queues; ``pump.drain()`` runs them until nothing is left."""
    return Pump(cloud.queues, handlers_of(cloud.queues))


@pytest.fixture
def rings_nowhere():
    """Nothing is published: a test that plays the sweep and the functions itself needs no cloud."""
    with publisher.diverted():
        yield


@pytest.fixture
def gate(cloud, monkeypatch):
    """A Gate before the cloud: what this process, and those it starts, ask of AWS and of X goes through it."""
    with Gate(aws=cloud.url, x=cloud.x.url, chat=cloud.chat.url, hooks=cloud.hooks.url) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
        monkeypatch.setenv("X_API_URL", gate.url)
        monkeypatch.setenv("CHAT_API_URL", gate.url)
        monkeypatch.setenv("WEBHOOK_CATCHER_URL", gate.url)
        yield gate


@pytest.fixture(autouse=True)
def _rules_of_this_test(request):
    """The index is the process's, the database the test's: what an earlier test left in memory is read anew."""
    # What the fixtures of a database and its marker have in common; the marker alone names neither of the fixtures.
    if "_django_db_helper" in request.fixturenames:
        request.getfixturevalue("_django_db_helper")
        triggers.index.refresh(force=True)
    composing.forget()


def pytest_addoption(parser):
    parser.addoption("--only-database", action="store_true", help="Leave out the tests that use no database.")


def _belongs_to_both_databases(item):
    if item.path.name in ABOUT_SOMETHING_ELSE:
        return False
    if item.path.parent == PAGES and item.path.name not in PAGES_THAT_ASK_MUCH or item.path.parent == IN_A_BROWSER:
        return False
    return item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)


def _runs_on_postgres_instead(item, config):
    # Whoever names a file wants it run.
    named = any(item.path.name in argument for argument in config.invocation_params.args)
    return item.path.name in ABOUT_SEVERAL_PROCESSES and connection.vendor == "sqlite" and not named and find_programs()


def pytest_collection_modifyitems(config, items):
    """On the second database only what has to do with one is run again; what several processes do, there alone."""
    if config.getoption("only_database"):
        kept = [item for item in items if _belongs_to_both_databases(item)]
    else:
        kept = [item for item in items if not _runs_on_postgres_instead(item, config)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=list(set(items).difference(kept)))
        items[:] = kept


def pytest_collection_finish():
    """What is there now stays to the end: the collector need not look through all of it again and again, a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """The order of the tests is drawn anew each time; say how to have a failed one again."""
    if exitstatus and (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.line(f'The same order again: ARGS="--randomly-seed={seed}"')
