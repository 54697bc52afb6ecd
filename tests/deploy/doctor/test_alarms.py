"""Whether anybody is told of alarms."""

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from notifier.deploy.doctor.findings import Severity
from notifier.deploy.stack import Stack, apply
from notifier.deploy.stack.stages import read_deployment
from notifier.queue.subscribers import PENDING
from tests.deploy.doctor.conftest import ALERT_EMAIL, REGION, only

ABOUT = "who is told of alarms"
BELL = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:bell"


def set_alert(settings_file, alert):
    variables = read_deployment("production", settings_file=settings_file.path).web.environment
    settings_file.edit("production", aws_environment_variables={**variables, "ALERT_EMAIL": alert})
    apply(Stack.of(read_deployment("production", settings_file=settings_file.path)))


def test_where_nobody_is_told_that_is_a_warning_until_somebody_is(account, settings_file, visit):
    set_alert(settings_file, "")
    finding = only(visit(ABOUT))
    assert finding.severity is Severity.WARNING
    assert finding.what == "Nobody is told of the alarms of shop-production."
    assert 'Set "ALERT_EMAIL" in aws_environment_variables of production' in finding.remedy

    set_alert(settings_file, ALERT_EMAIL)
    assert visit(ABOUT) == []


def test_a_topic_that_nobody_listens_to_tells_nobody(account, settings_file, visit):
    sns = boto3.client("sns")
    sns.create_topic(Name="bell")
    set_alert(settings_file, BELL)
    assert only(visit(ABOUT)).what.startswith("Nobody is told")

    sns.subscribe(TopicArn=BELL, Protocol="sms", Endpoint="+447400123401")
    assert visit(ABOUT) == []


def test_an_address_that_has_not_confirmed_is_a_warning_until_it_has(account, settings_file, visit):
    set_alert(settings_file, ALERT_EMAIL)
    # moto confirms by itself.
    [subscription] = [
        each
        for each in sns_backends[DEFAULT_ACCOUNT_ID][REGION].subscriptions.values()
        if each.endpoint == ALERT_EMAIL
    ]
    arn, subscription.arn = subscription.arn, PENDING
    finding = only(visit(ABOUT))
    assert finding.severity is Severity.WARNING
    assert finding.what.startswith("1 of those who should be told of alarms")
    assert "Open the link in the mail" in finding.remedy
    assert "stack test-alarm production" in finding.remedy
    assert ALERT_EMAIL not in finding.what + finding.remedy

    subscription.arn = arn
    assert visit(ABOUT) == []
