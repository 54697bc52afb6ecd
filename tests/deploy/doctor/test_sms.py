"""SNS's limits on SMS, and Twilio's keys where that one sends."""

from datetime import UTC, datetime

import boto3
import pytest

from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import only, put_secret
from tests.lambdas.twilio import ACCOUNT, SENDER, TOKEN, TwilioStandIn

pytestmark = pytest.mark.one_database

LIMIT, SANDBOX, DRIVER = "the SMS spend limit", "the SMS sandbox", "the SMS driver"


def spend(usd):
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SNS",
        MetricData=[{"MetricName": "SMSMonthToDateSpentUSD", "Value": usd, "Timestamp": datetime.now(UTC)}],
    )


def set_limit(usd):
    boto3.client("sns").set_sms_attributes(attributes={"MonthlySpendLimit": str(usd)})


def test_the_limit_of_a_new_account_is_a_warning_until_it_is_raised(account, visit):
    set_limit(1)

    finding = only(visit(LIMIT))
    assert finding.severity is Severity.WARNING
    assert "1 USD" in finding.what
    assert "aws sns set-sms-attributes --attributes MonthlySpendLimit=50" in finding.remedy

    set_limit(50)
    assert visit(LIMIT) == []


def test_a_limit_that_was_never_set_is_that_of_a_new_account(edge, visit):
    assert "1 USD" in only(visit(LIMIT)).what


def test_money_that_is_nearly_spent_is_a_warning_and_an_error_once_it_is_until_the_limit_is_raised(
    account, visit
):
    spend(41)
    finding = only(visit(LIMIT))
    assert finding.severity is Severity.WARNING
    assert "41.00 of the 50 USD" in finding.what

    spend(50)
    assert only(visit(LIMIT)).severity is Severity.ERROR

    set_limit(100)
    assert visit(LIMIT) == []


def test_the_sandbox_is_a_warning_until_the_account_has_left_it(edge, account, visit):
    edge.sms_sandbox = True
    finding = only(visit(SANDBOX))
    assert finding.severity is Severity.WARNING
    assert "Exit SMS sandbox" in finding.remedy

    edge.sms_sandbox = False
    assert visit(SANDBOX) == []


def test_a_deployment_without_sms_is_not_asked_about_it(account, visit, settings_file):
    settings_file.edit("production_sms", extends=None, lambda_handler=None, timeout_seconds=None)
    assert LIMIT not in visit_names(settings_file)


def visit_names(settings_file):
    from notifier.deploy.doctor.checks import checks_for
    from notifier.deploy.doctor.context import Context

    return {check.about for check in checks_for(Context("production", settings_file=settings_file.path))}


@pytest.fixture
def twilio(account, settings_file, monkeypatch):
    """A shop whose SMS go by Twilio, which knows its keys."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings_file.edit("production_sms", aws_environment_variables={"SMS_DRIVER": "twilio"})
    for name, value in {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": SENDER,
    }.items():
        put_secret(f"/shop-production/{name}", value)
    stand_in = TwilioStandIn()
    stand_in.start()
    monkeypatch.setenv("TWILIO_API_URL", stand_in.url)
    yield stand_in
    stand_in.stop()
    assert stand_in.messages == []


def test_twilios_keys_are_an_error_while_it_refuses_them_or_they_are_missing(twilio, visit):
    assert visit(DRIVER) == []

    put_secret("/shop-production/TWILIO_AUTH_TOKEN", "an-old-one-that-was-revoked")
    finding = only(visit(DRIVER))
    assert (finding.severity, "401" in finding.what, "revoked" in f"{finding}") == (
        Severity.ERROR,
        True,
        False,
    )

    boto3.client("ssm").delete_parameters(Names=["/shop-production/TWILIO_FROM"])
    finding = only(visit(DRIVER))
    assert "TWILIO_FROM" in finding.what
    assert "/shop-production/TWILIO_FROM" in finding.remedy


@pytest.mark.parametrize(
    ("status", "body", "severity"),
    [
        (200, '{"status": "suspended", "type": "Full"}', Severity.ERROR),
        (200, '{"status": "active", "type": "Trial"}', Severity.WARNING),
        (503, "", Severity.UNCHECKED),
    ],
)
def test_what_twilio_says_of_the_account_is_a_finding(twilio, visit, status, body, severity):
    twilio.fail_next(status, body=body)
    assert only(visit(DRIVER)).severity is severity


@pytest.mark.parametrize("token", ["TWILIO_AUTH_TOKEN", "TWILIO_WEBHOOK_TOKEN"])
def test_a_website_that_cannot_hear_twilio_is_a_warning_until_it_knows_what_twilio_signs_with(
    twilio, visit, settings_file, token
):
    finding = only(visit("the statuses of SMS"))
    assert (finding.severity, "STOP" in finding.what) == (Severity.WARNING, True)
    assert "TWILIO_WEBHOOK_TOKEN" in finding.remedy

    settings_file.edit(
        "production",
        aws_environment_variables={"SMS_DRIVER": "twilio", "SECRETS": f"SECRET_KEY,DATABASE_URL,{token}"},
    )
    assert visit("the statuses of SMS") == []


@pytest.mark.parametrize("name", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"])
def test_a_key_that_can_be_none_is_an_error_without_its_value_and_twilio_is_not_asked(twilio, visit, name):
    put_secret(f"/shop-production/{name}", "GEHEIM\nGEHEIM")
    finding = only(visit(DRIVER))
    assert (finding.severity, f"{name} cannot be used" in finding.what) == (Severity.ERROR, True)
    assert ("GEHEIM" in f"{finding}", twilio.requests) == (False, 0)

    put_secret(f"/shop-production/{name}", {"TWILIO_ACCOUNT_SID": ACCOUNT}.get(name, TOKEN) + "\n")
    assert visit(DRIVER) == []


def test_where_twilio_sends_sns_and_its_limits_are_no_matter(twilio, edge, visit):
    edge.sms_sandbox = True
    spend(5000)
    assert visit(SANDBOX) == visit(LIMIT) == []


def test_a_driver_that_nobody_knows_is_an_error(account, visit, settings_file):
    settings_file.edit("production_sms", aws_environment_variables={"SMS_DRIVER": "pigeon"})
    assert "pigeon" in only(visit(DRIVER)).what
