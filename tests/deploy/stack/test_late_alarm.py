"""The alarm of the urgent lane is about the very metric that functions write."""

import json

import pytest

from notifier import observing
from notifier.deploy.stack.declaration import Stack
from notifier.deploy.stack.resources.alarms import Alarms
from notifier.models import Lane
from notifier.operations import latency


class Account:
    stack = Stack(name="notifier-production")


@pytest.mark.usefixtures("on_lambda")
def test_it_is_about_the_metric_that_functions_write(capsys):
    alarm = Alarms(Account()).wanted()["notifier-production-urgent-late"]
    with observing.observed("email", None):
        observing.measure(observing.TIME_TO_SENT, 61.0, "Seconds", lane=Lane.URGENT.word)
    written = json.loads(capsys.readouterr().out)
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    (dimensions,) = directive["Dimensions"]
    assert alarm["Namespace"] == directive["Namespace"]
    assert [alarm["MetricName"]] == [each["Name"] for each in directive["Metrics"]]
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        name: written[name] for name in dimensions
    }


@pytest.fixture
def on_lambda(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "notifier-production-email")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "notifier-production")


def test_it_rings_after_a_minute_as_the_overview_shows_red():
    alarm = Alarms(Account()).wanted()["notifier-production-urgent-late"]
    assert (alarm["ExtendedStatistic"], alarm["Threshold"]) == ("p95", latency.MOST_URGENT_SECONDS)
