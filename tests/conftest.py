"""The local cloud for all tests, and rules that are those of the test's own database."""

import pytest

from notifier import composing, triggers
from project.local.cloud import LocalCloud
from project.local.pump import Pump
from project.local.system import handlers_of
from tests.gate import Gate

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "_django_db_helper", "live_server"}
# What a page shows in a browser is the same with each database, and takes long.
BROWSER_FIXTURE = "open_window"


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
def gate(cloud, monkeypatch):
    """A Gate before the cloud: what this process, and those it starts, ask of AWS and of X goes through it."""
    with Gate(aws=cloud.url, x=cloud.x.url) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
        monkeypatch.setenv("X_API_URL", gate.url)
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


def pytest_collection_modifyitems(config, items):
    """On the second database only what has to do with one is run again."""
    if config.getoption("only_database"):
        kept = [item for item in items if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)]
        kept = [item for item in kept if BROWSER_FIXTURE not in item.fixturenames]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """The order of the tests is drawn anew each time; say how to have a failed one again."""
    if exitstatus and (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.line(f'The same order again: ARGS="--randomly-seed={seed}"')
