"""Which alarms there are, whom they tell, and that they are about the very metrics that are written."""

import json

import boto3
import pytest

from notifier import observing
from notifier.deploy.stack.account import Account
from notifier.deploy.stack.declaration import Stack
from notifier.deploy.stack.resources.alarms import Alarms, set_off
from notifier.exceptions import ConfigurationError
from notifier.models import Budget
from notifier.operations import gauges
from tests.deploy.stack.conftest import account_of, apply, deploy, plan

BELL = "arn:aws:sns:us-east-1:123456789012:bell"


@pytest.fixture
def telling(make_stack):
    """``telling(ALERT_EMAIL)``: a stack with that in its settings."""

    def make(alert, **described):
        variables = {"DEFAULT_FROM_EMAIL": "shop@example.org", "ALERT_EMAIL": alert}
        return make_stack(aws_environment_variables=variables, **described)

    return make


def found_alarms(stack):
    listed = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{stack.name}-")["MetricAlarms"]
    return {each["AlarmName"].removeprefix(stack.name): each for each in listed}


def told_by(stack):
    return {tuple(sorted(each["AlarmActions"])) for each in found_alarms(stack).values()}


def subscribed(stack):
    topic = account_of(stack).arn("sns", f"{stack.name}-on-duty")
    listed = boto3.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [(each["Protocol"], each["Endpoint"]) for each in listed]


# Namespace, metric, the last part of its one dimension ("" is none), when it rings, what missing data is.
ALARMS = {
    "-email-given-up": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "-email-dlq", "> 0", "notBreaching"),
    "-email-not-taken": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "-email", "> 900", "notBreaching"),
    "-errors": ("AWS/Lambda", "Errors", "", "> 0", "notBreaching"),  # of the website
    "-email-errors": ("AWS/Lambda", "Errors", "-email", "> 0", "notBreaching"),
    "-sweep-errors": ("AWS/Lambda", "Errors", "-sweep", "> 0", "notBreaching"),
    "-throttled": ("AWS/Lambda", "Throttles", "", "> 0", "notBreaching"),
    "-email-throttled": ("AWS/Lambda", "Throttles", "-email", "> 0", "notBreaching"),
    "-sweep-silent": ("AWS/Lambda", "Invocations", "-sweep", "< 1", "breaching"),
    "-fanout-loop-ended": ("AWS/Lambda", "RecursiveInvocationsDropped", "-fanout", "> 0", "notBreaching"),
    "-bounces": ("AWS/SES", "Reputation.BounceRate", None, ">= 0.05", "ignore"),
    "-complaints": ("AWS/SES", "Reputation.ComplaintRate", None, ">= 0.001", "ignore"),
}
SIGNS = {
    "GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<",
}  # fmt: skip


def test_each_alarm_is_about_what_it_says(long_lived):
    found = found_alarms(long_lived)
    for name, (namespace, metric, of, rings, missing) in ALARMS.items():
        alarm = found[name]
        said = f"{SIGNS[alarm['ComparisonOperator']]} {alarm['Threshold']:g}"
        about = [each["Value"] for each in alarm["Dimensions"]]
        assert (alarm["Namespace"], alarm["MetricName"], said) == (namespace, metric, rings), name
        assert about == ([] if of is None else [f"{long_lived.name}{of}"]), name
        assert (alarm["TreatMissingData"], alarm["ActionsEnabled"]) == (missing, True), name
    silent = found["-sweep-silent"]
    assert (silent["Period"], silent["EvaluationPeriods"]) == (60, 5)


def test_each_function_and_each_queue_has_its_alarms(long_lived):
    found = found_alarms(long_lived)
    for function in long_lived.functions:
        of = function.name.removeprefix(long_lived.name)
        assert {f"{of}-errors", f"{of}-throttled"} <= found.keys()
    for route in long_lived.routes:
        assert {f"-{route}-given-up", f"-{route}-not-taken"} <= found.keys()


def test_mails_are_told_of_from_where_ses_reviews_the_account_as_the_overview_shows(long_lived):
    found = found_alarms(long_lived)
    limits = [gauges.BOUNCE_LIMITS[0], gauges.COMPLAINT_LIMITS[0]]
    assert [found[name]["Threshold"] for name in ("-bounces", "-complaints")] == limits


def test_before_the_sweep_is_there_its_silence_is_told_to_nobody(stack):
    applied = apply(stack)
    assert "-sweep-silent" not in found_alarms(stack)
    deploy(stack, applied, only=("sweep",))
    apply(stack)
    assert "-sweep-silent" in found_alarms(stack)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("usd", "wanted_micros", "rings"),
    [(0, 0, True), (5, 0, False), (5, 6_000_000, True)],  # the next message does not fit
)
def test_a_budget_that_is_used_up_writes_what_its_alarm_looks_at(
    monkeypatch, capsys, usd, wanted_micros, rings
):
    from lambdas import sweep

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-production-sweep")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop-production")
    Budget.objects.create(channel="sms", monthly_usd=usd)
    Budget.objects.update(wanted_micros=wanted_micros)
    with observing.observed("sweep", None):
        sweep._keep_budgets()
    written = json.loads(next(line for line in capsys.readouterr().out.splitlines() if "_aws" in line))
    [directive] = written["_aws"]["CloudWatchMetrics"]

    class ShopAccount:
        stack = Stack(name="shop-production")

    alarm = Alarms(ShopAccount()).wanted()["shop-production-budget-used-up"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        directive["Namespace"], directive["Metrics"][0]["Name"],
    )  # fmt: skip
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        name: written[name] for name in directive["Dimensions"][0]
    }
    assert (max(written[alarm["MetricName"]]) >= alarm["Threshold"]) == rings


# ALERT_EMAIL


def test_an_address_is_asked_once_and_all_alarms_tell_it(telling):
    stack = telling("Ops@example.org")
    apply(stack)
    assert subscribed(stack) == [("email", "Ops@example.org")]
    assert told_by(stack) == {(account_of(stack).arn("sns", f"{stack.name}-on-duty"),)}
    assert {change.action for change in plan(stack)} == {"wait"}


def test_no_address_is_in_what_is_said_of_it(telling):
    assert "example.org" not in " ".join(
        str(each) for each in plan(telling("ops@example.org")) if "SES identity" not in each.resource
    )


def test_a_topic_is_told_besides_those_on_duty_and_who_else_was_chosen_by_hand(telling):
    stack = telling(BELL)
    apply(stack)
    on_duty = account_of(stack).arn("sns", f"{stack.name}-on-duty")
    assert (told_by(stack), subscribed(stack)) == ({tuple(sorted((on_duty, BELL)))}, [])

    mine = account_of(stack).arn("sns", "mine")
    cloudwatch, name = boto3.client("cloudwatch"), f"{stack.name}-urgent-late"
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    keys = "Namespace", "MetricName", "Dimensions", "ExtendedStatistic", "Period", "EvaluationPeriods"
    kept = {key: alarm[key] for key in (*keys, "Threshold", "ComparisonOperator", "TreatMissingData")}
    cloudwatch.put_metric_alarm(AlarmName=name, AlarmActions=[mine], **kept)
    apply(stack)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["AlarmActions"] == [mine, BELL]


@pytest.mark.parametrize("text", ["", "  ", "ops@example.org", " ops@example.org ", BELL])
def test_what_alert_email_may_be(telling, text):
    stack = telling(text)
    assert (stack.alert_address, stack.alert_topics) == (
        ("", [BELL]) if text == BELL else (text.strip(), [])
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "ops",
        "a@example.org, b@example.org",  # several
        "Ops <ops@example.org>",  # as a sender is written
        "https://example.org/hook",
        "+447400123401",
        "arn:aws:sqs:us-east-1:123456789012:bell",  # no topic
        "arn:aws:sns:us-east-1:123456789012",
        f"{BELL}:8a21d249-4329-4871-acc6-7be709c6ea7f",  # a subscription
        f"{BELL}.fifo",
    ],
)
def test_what_it_may_not_be_is_refused_in_words_before_anything_is_made(telling, text):
    with pytest.raises(ConfigurationError, match="ALERT_EMAIL cannot be used: it is one plain address"):
        telling(text)


def test_a_topic_of_another_region_is_refused_before_anything_is_made(telling, recorded):
    session, writes = recorded
    with pytest.raises(ConfigurationError, match="names a topic in eu-west-1.*name one in us-east-1"):
        apply(telling(BELL.replace("us-east-1", "eu-west-1")), session)
    assert writes == []


def test_a_test_alarm_changes_its_state_as_nothing_else_is_told(stack):
    apply(stack)
    session, states = boto3.session.Session(), []
    session.events.register(
        "provide-client-params.cloudwatch.SetAlarmState",
        lambda params, **_: states.append((params["AlarmName"], params["StateValue"])),
    )
    assert set_off(Account(stack, session)) == f"{stack.name}-urgent-late"
    assert states == [(f"{stack.name}-urgent-late", state) for state in ("OK", "ALARM")]
