"""Settings and database, of this process and of the deployed web function."""

import datetime as dt
import json
import os
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from notifier.deploy.doctor import checks, here, inside
from notifier.deploy.doctor.context import Context
from notifier.deploy.doctor.findings import Severity
from notifier.exceptions import ConfigurationError
from notifier.local.postgres import find_programs, temporary_cluster
from notifier.models import Subscription
from tests.deploy.doctor.conftest import a_role, deploy, only
from tests.support.builders import make_trigger
from tests.support.patience import wait_until

HOUSE = Path(__file__).parents[3]
REPORT = """
import json, django
django.setup()
from notifier.deploy.doctor import here
print(json.dumps(here.report({"stage": "production"}, None)))
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def look_inside(settings_file):
    return lambda stage="production": list(
        checks._check_inside(Context(stage, settings_file=settings_file.path))
    )


def reported(database_url, **environment):
    """What a fresh process with this database reports, as the web function would."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", REPORT],
        cwd=HOUSE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return here.parse(json.loads(done.stdout)), done.stdout + done.stderr


def test_a_healthy_website_says_nothing(account, look_inside):
    assert look_inside() == []
    assert look_inside(stage="") == []


def test_the_web_function_is_asked_by_what_zappas_handler_runs(edge, account, look_inside):
    asked = []
    edge.web = lambda event: asked.append(event) or here.report(event, None)
    look_inside()
    assert asked == [{"command": "notifier.deploy.doctor.here.report", "stage": "production"}]


def test_migrations_that_are_missing_are_an_error_until_they_are_applied(account, look_inside):
    call_command("migrate", "demo", "zero", verbosity=0)
    try:
        finding = only(look_inside())
    finally:
        call_command("migrate", "demo", verbosity=0)
    assert finding.severity is Severity.ERROR
    assert "demo.0001_initial not applied" in finding.what
    assert finding.remedy == "zappa manage production migrate"
    assert look_inside() == []


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="SQLite's database is a file; the next test is about a server"
)
def test_a_database_that_is_not_there_is_an_error_until_it_is(account, look_inside, monkeypatch, tmp_path):
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "NAME", f"{tmp_path}/no/such.sqlite3")
        finding = only(look_inside(stage=""))
        assert finding.severity is Severity.ERROR
        assert "its file cannot be opened" in finding.what
        assert "DATABASE_URL" in finding.remedy
    assert look_inside(stage="") == []


def test_a_server_that_nobody_reaches_is_named_and_its_password_is_not():
    (_, findings, facts), output = reported("postgres://shop:correct-horse@127.0.0.1:1/orders")
    finding = only(findings)
    assert finding.what == "The database orders at 127.0.0.1:1 cannot be used: nobody listens there."
    assert "DATABASE_URL" in finding.remedy
    assert "zappa update production" in finding.remedy
    assert facts == {}
    assert "horse" not in output


def test_sqlite_on_lambda_is_an_error(tmp_path, monkeypatch):
    assert list(here.database.check_reachable(here.Where(stage="production"))) == []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-production")
    if connection.vendor == "sqlite":
        assert "SQLite" in only(here.database.check_reachable(here.Where(stage="production"))).what


@pytest.mark.skipif(find_programs() is None, reason="there is no PostgreSQL on this machine")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="It has a PostgreSQL of its own: once is enough.")
def test_connections_that_are_nearly_used_up_are_a_warning_until_they_are_closed():
    with temporary_cluster(find_programs()) as url:
        environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"], cwd=HOUSE, env=environment, check=True
        )
        with closing(psycopg.connect(url, autocommit=True)) as first, ExitStack() as others:
            for _ in range(79):
                others.enter_context(closing(psycopg.connect(url)))
            wait_for_connections(first, 80)
            (_, findings, facts), _ = reported(url)
            assert "81 of the 97 connections" in only(findings).what
            assert "0 of them have done nothing for a minute" in only(findings).what
            assert "RDS Proxy" in only(findings).remedy
            assert facts["connections"] == {"used": 81, "idle": 0, "most": 97}
            # Somebody else's connections count too, and what the provider reserves is nobody's.
            another = as_another_user(url)
            wait_for_connections(first, 80)
            (_, findings, _), _ = reported(another)
            assert "81 of the 95 connections" in only(findings).what
            others.close()
            wait_for_connections(first, 1)
            (_, findings, _), _ = reported(url)
            assert findings == []


def wait_for_connections(own, number):
    """One that is closed is counted until its process has ended."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    wait_until(lambda: own.execute(count).fetchone() == (number,), f"{number} connections are left")


def as_another_user(url):
    """The URL for somebody who may not look at others' connections, on what calls itself RDS."""
    with psycopg.connect(url) as own:
        own.execute("CREATE ROLE shop LOGIN")
        own.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO shop")
        own.execute('ALTER ROLE shop SET "rds.rds_superuser_reserved_connections" = 2')
    return url.replace("notifier@", "shop@")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite counts no connections")
def test_connections_that_are_kept_idle_are_counted(monkeypatch):
    before = here.database.count_connections()["idle"]
    monkeypatch.setattr(here.database, "IDLE", dt.timedelta())
    with closing(psycopg.connect(**connection.get_connection_params())) as other:
        other.autocommit = True
        other.execute("SELECT 1")
        assert here.database.count_connections()["idle"] > before


@pytest.mark.parametrize("age", [60, None])
def test_functions_that_would_keep_connections_are_a_warning_until_they_do_not(monkeypatch, age):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", age)
    assert list(here.database.check_connections(here.Where())) == []  # elsewhere nothing is frozen
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-production")
    finding = only(here.database.check_connections(here.Where(stage="production")))
    assert f"CONN_MAX_AGE is {age}" in finding.what
    assert '"CONN_MAX_AGE": 0' in finding.remedy
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    assert list(here.database.check_connections(here.Where(stage="production"))) == []


def test_functions_that_could_use_up_the_database_are_a_warning_until_they_are_fewer(
    edge, account, look_inside
):
    edge.web = lambda event: {
        "checked": [],
        "findings": [],
        "facts": {"connections": {"used": 3, "most": 97}},
    }
    deploy(account.function("production_email"), a_role())
    client, sqs = boto3.client("lambda"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="shop-production-email")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = client.create_event_source_mapping(
        FunctionName="shop-production-email", EventSourceArn=arn, ScalingConfig={"MaximumConcurrency": 100}
    )

    finding = only(look_inside())
    assert finding.severity is Severity.WARNING
    assert "100 connections at once; the database takes 97" in finding.what

    client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 10})
    assert look_inside() == []


def test_a_rule_that_sends_by_a_channel_without_a_function_is_an_error_until_it_does_not(
    account, look_inside, settings_file
):
    trigger = make_trigger(channels=["email", "sms"])
    settings_file.edit("production_sms", extends=None, lambda_handler=None, timeout_seconds=None)

    finding = only(look_inside())
    assert finding.severity is Severity.ERROR
    assert "send by sms, which has no function in production" in finding.what
    assert "take sms out of the rules" in finding.remedy

    Subscription.objects.filter(trigger=trigger).update(channels=["email"])
    assert look_inside() == []


def raise_(error):
    raise error


@pytest.mark.parametrize(
    ("failure", "severity", "what"),
    [
        # Our own words
        (
            ConfigurationError("SECRET_KEY is not set."),
            Severity.ERROR,
            "cannot start: SECRET_KEY is not set.",
        ),
        (
            ImproperlyConfigured("SECRET_KEY is missing"),
            Severity.ERROR,
            "cannot start: SECRET_KEY is missing",
        ),
        (
            ValueError("postgres://shop:correct-horse@db"),
            Severity.ERROR,
            "fails when it is called (ValueError)",
        ),  # others' are not
        (ModuleNotFoundError("notifier.deploy.doctor"), Severity.UNCHECKED, "deployed without the doctor"),
    ],
)
def test_a_web_function_that_fails_is_said_to_without_what_it_says(
    edge, account, look_inside, failure, severity, what
):
    edge.web = lambda event: raise_(failure)
    finding = only(look_inside())
    assert finding.severity is severity
    assert what in finding.what
    assert "horse" not in f"{finding}"
    assert finding.remedy.startswith("zappa ")


def test_a_web_function_that_does_not_answer_is_an_error(edge, account, look_inside, monkeypatch):
    monkeypatch.setattr(inside, "INVOKING", Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    edge.held.add("/invocations")
    assert "does not answer within 0.3 s" in only(look_inside()).what
    edge.held.clear()


def test_a_setting_that_djangos_checks_complain_of_is_a_finding(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"fax": "email"}}
    finding = only(here.check_settings(here.Where()))
    assert finding.severity is Severity.WARNING
    assert "notifier.W002" in finding.what
