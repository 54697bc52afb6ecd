"""SNS's limits on SMS."""

from datetime import UTC, datetime

import boto3

from project.doctor.findings import Severity
from tests.doctor.conftest import only

LIMIT, SANDBOX = "the SMS spend limit", "the SMS sandbox"


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


def test_money_that_is_nearly_spent_is_a_warning_and_an_error_once_it_is_until_the_limit_is_raised(account, visit):
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
    from project.doctor.checks import checks_for
    from project.doctor.context import Context

    return {check.about for check in checks_for(Context("production", settings_file=settings_file.path))}
