"""The functions as they are deployed."""

import boto3
import pytest
from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID

from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import REGION, a_role, deploy, only

STATE, CONCURRENCY, ENVIRONMENT = (
    "the functions' state",
    "the functions' concurrency",
    "the functions' environment",
)
KEEP_WARM, LEAKS = "keep_warm rules", "secrets in the functions' environment"
WEB = "shop-production"


def set_environment(**variables):
    boto3.client("lambda").update_function_configuration(
        FunctionName=WEB, Environment={"Variables": variables}
    )


def deployed_function():
    """moto's own: it has no call to make an update fail."""
    return lambda_backends[DEFAULT_ACCOUNT_ID][REGION].get_function(WEB)


def test_a_function_that_is_not_deployed_is_an_error_until_it_is(account, visit):
    missing = account.functions[1:]
    findings = visit(STATE)
    assert [finding.remedy for finding in findings] == [
        f"zappa deploy {function.stage}" for function in missing
    ]
    assert {finding.severity for finding in findings} == {Severity.ERROR}
    assert "shop-production-sms is not deployed" in "".join(finding.what for finding in findings)

    for function in missing:
        deploy(function, a_role())
    assert visit(STATE) == []


def test_an_update_that_failed_is_an_error_until_another_succeeds(account, visit):
    healthy = [deploy(function, a_role()) for function in account.functions[1:]]
    assert len(healthy) == len(account.functions) - 1
    function = deployed_function()
    configuration, told = (
        function.get_configuration,
        {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no such subnet"},
    )
    function.get_configuration = lambda *args, **options: {**configuration(*args, **options), **told}

    finding = only(visit(STATE))
    assert finding.severity is Severity.ERROR
    assert f"{WEB} failed: no such subnet" in finding.what
    assert finding.remedy == "zappa update production"

    told.clear()
    assert visit(STATE) == []


@pytest.mark.parametrize(
    ("state", "severity"),
    [("Failed", Severity.ERROR), ("Pending", Severity.WARNING), ("Inactive", Severity.WARNING)],
)
def test_a_function_that_cannot_be_called_yet_is_said_to_be(account, visit, state, severity):
    for each in account.functions[1:]:
        deploy(each, a_role())
    function = deployed_function()
    configuration, told = function.get_configuration, {"State": state, "StateReason": "because"}
    function.get_configuration = lambda *args, **options: {**configuration(*args, **options), **told}

    finding = only(visit(STATE))
    assert finding.severity is severity
    assert f"{state}, because" in finding.what

    told.clear()
    assert visit(STATE) == []


def test_a_function_that_is_switched_off_is_an_error_until_it_may_run(account, visit):
    boto3.client("lambda").put_function_concurrency(FunctionName=WEB, ReservedConcurrentExecutions=0)
    finding = only(visit(CONCURRENCY))
    assert finding.severity is Severity.ERROR
    assert finding.remedy == f"aws lambda delete-function-concurrency --function-name {WEB}"

    boto3.client("lambda").delete_function_concurrency(FunctionName=WEB)
    assert visit(CONCURRENCY) == []


@pytest.mark.parametrize("reserved", [None, 5, 50])
def test_a_website_without_its_cap_is_a_warning_until_it_has_it(account, settings_file, visit, reserved):
    settings_file.edit("production", lambda_concurrency=20)
    if reserved:
        boto3.client("lambda").put_function_concurrency(
            FunctionName=WEB, ReservedConcurrentExecutions=reserved
        )
    finding = only(visit(CONCURRENCY))
    assert finding.severity is Severity.WARNING
    assert finding.what.startswith(f"{WEB} may run {reserved or 'any number of'} times at once")
    assert "zappa update production" in finding.remedy
    assert "aws service-quotas request-service-quota-increase" in finding.remedy

    boto3.client("lambda").put_function_concurrency(FunctionName=WEB, ReservedConcurrentExecutions=20)
    assert visit(CONCURRENCY) == []


@pytest.mark.parametrize("wrong", [{"LOG_LEVEL": "DEBUG"}, {"POWERTOOLS_LOG_LEVEL": "debug"}, {"DEBUG": "1"}])
def test_a_function_deployed_for_debugging_is_a_warning_until_it_is_updated(account, visit, wrong):
    set_environment(**wrong)
    finding = only(visit(ENVIRONMENT))
    assert finding.severity is Severity.WARNING
    assert "zappa update production" in finding.remedy

    set_environment(LOG_LEVEL="INFO")
    assert visit(ENVIRONMENT) == []


def test_a_rule_that_keeps_a_function_warm_is_a_warning_until_it_is_deleted(account, visit):
    events = boto3.client("events")
    arn = boto3.client("lambda").get_function_configuration(FunctionName=WEB)["FunctionArn"]
    rule = f"{WEB}-zappa-keep-warm-handler.keep_warm_callback"
    events.put_rule(Name=rule, ScheduleExpression="rate(4 minutes)")
    events.put_targets(Rule=rule, Targets=[{"Id": "Id1", "Arn": arn}])

    finding = only(visit(KEEP_WARM))
    assert finding.severity is Severity.WARNING
    assert (
        finding.remedy
        == f"aws events remove-targets --rule {rule} --ids Id1 ; aws events delete-rule --name {rule}"
    )

    events.remove_targets(Rule=rule, Ids=["Id1"])
    events.delete_rule(Name=rule)
    assert visit(KEEP_WARM) == []


def test_a_secret_in_the_plain_environment_is_an_error_until_it_is_stored_elsewhere(account, visit):
    set_environment(LOG_LEVEL="INFO", DATABASE_URL="postgres://shop:correct-horse@db.internal/shop")
    finding = only(visit(LEAKS))
    assert finding.severity is Severity.ERROR
    assert f"{WEB} holds an address with a password, in DATABASE_URL" in finding.what
    assert (
        "aws ssm put-parameter --type SecureString --overwrite --name /shop-production/DATABASE_URL"
        in finding.remedy
    )
    assert "horse" not in f"{finding}"

    set_environment(LOG_LEVEL="INFO")
    assert visit(LEAKS) == []
