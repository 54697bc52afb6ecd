"""The whole visit: what is right stays unmentioned, what cannot be asked is said, and no secret is."""

import json
from io import StringIO

import boto3
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command

from notifier.deploy.doctor import page
from notifier.deploy.doctor.checks import examine
from notifier.deploy.doctor.context import Context
from notifier.deploy.doctor.findings import Report, Severity, error, unchecked, warning
from tests.deploy.doctor.conftest import verify

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

IN_HASTE = Config(connect_timeout=0.3, read_timeout=0.3, retries={"total_max_attempts": 1})


def doctor(*arguments, settings_file=None):
    """``(exit status, what was printed)``."""
    out, status = StringIO(), 0
    options = {"settings_file": str(settings_file.path)} if settings_file else {}
    try:
        call_command("doctor", *arguments, stdout=out, **options)
    except SystemExit as end:
        status = end.code
    return status, out.getvalue()


def test_a_healthy_deployment_has_no_findings_and_the_page_says_what_was_looked_at(shop, settings_file):
    status, text = doctor("production", settings_file=settings_file)

    assert status == 0
    assert text.startswith("production: nothing wrong. Checked:\n")
    for about in ("settings and database", "the SES sender", "the keys of X", "failed messages", "filters"):
        assert about in " ".join(text.split())


def test_errors_end_with_1_and_come_with_what_to_do(account, settings_file):
    status, text = doctor("production", settings_file=settings_file)

    assert status == 1
    assert (
        "error        The function shop-production-email is not deployed.\n               → "
        "zappa deploy production_email" in text
    )


def test_warnings_end_with_0(edge, account, settings_file, monkeypatch):
    edge.account["ProductionAccessEnabled"] = False
    boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
    verify("example.com")
    status, text = doctor(settings_file=settings_file)

    assert status == 0
    assert text.startswith("This process and its account: ")
    assert "warning      SES is in its sandbox" in text


def test_for_machines_it_is_json(account, settings_file):
    status, text = doctor("production", "--json", settings_file=settings_file)

    found = json.loads(text)
    assert status == 1
    assert found["stage"] == "production"
    assert found["failed"] is True
    assert "the SES account" in found["checked"]
    assert {
        "severity": "error",
        "what": "The function shop-production-sms is not deployed.",
        "remedy": "zappa deploy production_sms",
    } in (found["findings"])


def test_here_is_this_process_alone_and_never_exits(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    status, text = doctor("--here", "--json")
    assert (status, json.loads(text)["findings"]) == (0, [])


def test_a_stage_that_the_settings_file_does_not_have_is_said_in_a_sentence(edge, settings_file):
    with pytest.raises(CommandError, match="has no stage produktion"):
        doctor("produktion", settings_file=settings_file)


def test_a_function_of_a_deployment_stands_for_all_of_it(account, settings_file):
    assert Context("production_sms", settings_file=settings_file.path).stage == "production"


@pytest.mark.parametrize(
    "call", ["GetAccount", "GetSMSAttributes", "GetEmailIdentity", "GetParameters", "GetFunctionConcurrency"]
)
def test_a_call_that_is_not_allowed_is_not_checked_and_stops_no_other_check(
    edge, account, settings_file, call
):
    paths = {
        "GetAccount": "/v2/email/account",
        "GetEmailIdentity": "/v2/email/identities",
        "GetFunctionConcurrency": "/concurrency",
    }
    edge.denied.add(paths.get(call, call))

    report = examine(Context("production", settings_file=settings_file.path))
    denied = [finding for finding in report.findings if f"may not call {call}" in finding.what]
    assert denied
    assert {finding.severity for finding in denied} == {Severity.UNCHECKED}
    assert call in denied[0].remedy
    assert "The function shop-production-sms is not deployed." in {
        finding.what for finding in report.findings
    }


def test_an_endpoint_that_is_dead_is_not_checked_and_said_once(edge, account, settings_file, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("X_API_URL", "http://127.0.0.1:1")
    report = examine(Context("production", settings_file=settings_file.path))

    assert [finding.severity for finding in report.findings] == [Severity.UNCHECKED]
    assert "no answer in time from 127.0.0.1" in report.findings[0].what
    assert not report.failed


def test_an_endpoint_that_is_slow_does_not_hold_the_others(edge, account, settings_file):
    edge.held.add("/v2/email")
    report = examine(
        Context(
            "production", settings_file=settings_file.path, patience=IN_HASTE.merge(Config(read_timeout=2))
        )
    )

    assert not edge.released.is_set(), "it has waited for the answer"
    slow = [finding for finding in report.findings if "no answer in time" in finding.what]
    assert any("the SES account" in finding.what for finding in slow)
    assert any("is not deployed" in finding.what for finding in report.findings)


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [("AWS_ACCESS_KEY_ID", "aws sso login"), ("AWS_DEFAULT_REGION", "AWS_DEFAULT_REGION")],
)
def test_without_credentials_or_a_region_it_says_what_to_set(
    edge, settings_file, monkeypatch, missing, remedy
):
    monkeypatch.delenv(missing)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    report = examine(Context("production", settings_file=settings_file.path))
    assert remedy in "".join(finding.remedy for finding in report.findings)
    assert not report.failed


def test_a_settings_file_that_is_no_json_is_said_where_it_is_read(edge, account, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    report = examine(Context(settings_file=tmp_path / "broken.json"))
    assert "the settings file does not hold what it should" in "".join(
        finding.what for finding in report.findings
    )


def test_no_secret_is_ever_printed(edge, account, settings_file):
    secrets = ["correct-horse", "battery-staple-1", "AKIAIOSFODNN7EXAMPLE"]
    settings_file.edit("production_sms", environment_variables={"SECRET_KEY": secrets[1], "NOTE": secrets[2]})
    variables = {"DATABASE_URL": f"postgres://shop:{secrets[0]}@db/shop"}
    boto3.client("lambda").update_function_configuration(
        FunctionName="shop-production", Environment={"Variables": variables}
    )
    edge.denied.add("GetParameters")

    for arguments in (["production"], ["production", "--json"], []):
        _, text = doctor(*arguments, settings_file=settings_file)
        assert "SECRET_KEY" in text
        assert not [secret for secret in secrets if secret in text]


def test_the_page_has_the_worst_first_and_remedies_in_one_piece(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    report = Report(
        findings=[
            error("Alpha " * 12, "aws do this " * 10),
            warning("Beta.", "zappa that"),
            unchecked("gamma: why.", "Again."),
        ]
    )

    text = page.render(report, of="production")
    assert text.startswith("production: 1 error, 1 warning, 1 not checked.")
    assert f"\n               → {'aws do this ' * 10}\n" in text
    assert max(len(line) for line in text.splitlines() if "→" not in line) <= 60
    assert text.index("Alpha") < text.index("Beta.") < text.index("Could not check gamma")
