"""The local cloud for all tests, and rules that are those of the test's own database."""

import gc
import logging

import pytest
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

from lambdas import email
from notifier.deliveries import composing
from notifier.events.index import index
from notifier.local.cloud import LocalCloud
from notifier.local.postgres import find_programs
from notifier.local.pump import Pump
from notifier.local.system import handlers_of
from notifier.queue import publisher
from tests.support import patient_product
from tests.support.gate import Gate
from tests.support.mailing import SES, mail_by
from tests.support.marks import Watcher

# What migrations have put there; a test that commits leaves it as it is.
KEPT_TABLES = {"django_content_type", "auth_permission", "django_migrations"}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "_django_db_helper", "live_server"}


def _empty_tables(case):
    """Instead of Django's `flush`, which makes all permissions anew and, on PostgreSQL, rewrites the file of
    every table.
    """
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with (
            transaction.atomic(using=alias),
            connection.constraint_checks_disabled(),
            connection.cursor() as cursor,
        ):
            for table in set(tables) - KEPT_TABLES:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
    # As `flush` tells by its signal: the next connection must not find this test's rules in memory.
    index.refresh(force=True)


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(scope="session", autouse=True)
def _patient_product():
    with pytest.MonkeyPatch.context() as patch:
        patient_product.lengthen(patch.setattr)
        yield


@pytest.fixture(scope="session")
def log_watcher():
    watcher = Watcher()
    logging.getLogger().addHandler(watcher)
    yield watcher
    logging.getLogger().removeHandler(watcher)


@pytest.fixture(autouse=True)
def _no_data_in_the_log(log_watcher):
    """Logs hold no data: see ``tests.support.marks``."""
    # A test that configures logging takes all handlers away.
    logging.getLogger().addHandler(log_watcher)
    log_watcher.take()
    yield
    assert not (lines := log_watcher.take()), f"A log line holds the data of a test: {lines[0]}"


@pytest.fixture(scope="session")
def session_cloud():
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(session_cloud, settings):
    """The local cloud with empty queues and an empty outbox; this process publishes to its topic and mails by
    its SES.
    """
    session_cloud.empty()
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": session_cloud.topic_arn}
    # Django's test runner puts its own in place.
    for name, value in mail_by(SES).items():
        setattr(settings, name, value)
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
    """A Gate before the cloud: what this process, and those it starts, ask of AWS and of X goes through
    it.
    """
    with Gate(aws=cloud.url, x=cloud.x.url, chat=cloud.chat.url, hooks=cloud.hooks.url) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
        monkeypatch.setenv("X_API_URL", gate.url)
        monkeypatch.setenv("CHAT_API_URL", gate.url)
        monkeypatch.setenv("WEBHOOK_CATCHER_URL", gate.url)
        yield gate


@pytest.fixture(autouse=True)
def _rules_of_this_test(request):
    """The index is the process's, the database the test's: what an earlier test left in memory is read
    anew.
    """
    # What the fixtures of a database and its marker have in common; the marker alone names neither of the
    # fixtures.
    if "_django_db_helper" in request.fixturenames:
        request.getfixturevalue("_django_db_helper")
        index.refresh(force=True)
    composing.forget()
    email.heard_rate.cache_clear()


def pytest_addoption(parser):
    parser.addoption("--only-database", action="store_true", help="Leave out the tests that use no database.")


def _belongs_to_both_databases(item):
    if item.get_closest_marker("one_database"):
        return False
    return item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)


def _runs_on_postgres_instead(item, config):
    # A file that is named on the command line is to be run.
    named = any(item.path.name in argument for argument in config.invocation_params.args)
    several = item.get_closest_marker("several_processes")
    return several and connection.vendor == "sqlite" and not named and find_programs()


def pytest_collection_modifyitems(config, items):
    """On the second database only what has to do with one is run again; what several processes do, there
    alone.
    """
    if config.getoption("only_database"):
        kept = [item for item in items if _belongs_to_both_databases(item)]
    else:
        kept = [item for item in items if not _runs_on_postgres_instead(item, config)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=list(set(items).difference(kept)))
        items[:] = kept


def pytest_collection_finish():
    """What is there now stays to the end: the collector need not look through all of it again and again, a
    quarter of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """The order of the tests is drawn anew each time; say how to have a failed one again."""
    if exitstatus and (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.line(f'The same order again: ARGS="--randomly-seed={seed}"')
