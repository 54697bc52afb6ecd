"""``manage.py stack``: what a person sees, and how it ends."""

import io
import json

import boto3
import pytest
from django.core.management import CommandError, call_command

from notifier.deploy.stack import Stack
from notifier.deploy.stack.stages import read_deployment
from notifier.local.lambda_account import QUOTA
from tests.deploy.stack.conftest import apply, deploy, make_settings, plan


@pytest.fixture
def here(cloud, tmp_path, monkeypatch, request):
    """The current folder has a settings file of this test's own; its stack."""
    project = f"c{abs(hash(request.node.name)) % 10**8}"
    (tmp_path / "zappa_settings.json").write_text(json.dumps(make_settings(project, channels=())))
    monkeypatch.chdir(tmp_path)
    return Stack.of(read_deployment("production"))


def run(*arguments, **options):
    out = io.StringIO()
    call_command("stack", *arguments, stdout=out, **options)
    return out.getvalue()


def test_plan_says_what_apply_then_does_and_what_waits(here):
    planned = run("plan")

    assert f"+ create topic {here.name}\n" in planned
    assert f"… wait schedule {here.name}-sweep (its function is not deployed)\n" in planned
    assert run("apply", "production_fanout") == planned
    assert "create" not in run("plan", "production")


def test_plan_and_apply_say_when_the_account_allows_too_few_functions_at_a_time(here, monkeypatch):
    monkeypatch.setenv(QUOTA, "10")
    for action in ("plan", "apply"):
        said = run(action)
        assert "The account allows 10 functions at a time in us-east-1" in said
        assert "aws service-quotas request-service-quota-increase" in said
    monkeypatch.setenv(QUOTA, "1000")
    assert "service-quotas" not in run("plan")


def test_a_test_alarm_is_set_off_whatever_its_state_and_says_that_nothing_is_wrong(here):
    apply(here)
    cloudwatch, name = boto3.client("cloudwatch"), f"{here.name}-urgent-late"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="It is late.")
    said = run("test-alarm")
    assert f"{name} was set off" in said
    assert "manage.py doctor production" in said
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["StateValue"], "Nothing is wrong" in alarm["StateReason"]) == ("ALARM", True)


def test_without_a_stack_a_test_alarm_is_an_error(here):
    with pytest.raises(CommandError, match="ResourceNotFound"):
        run("test-alarm")


def test_diff_fails_on_drift_and_not_on_what_waits(here):
    with pytest.raises(CommandError, match="Put it right with: manage.py stack apply production"):
        run("diff")

    applied = apply(here)
    assert "wait" in run("diff")
    deploy(here, applied)
    apply(here)
    assert run("diff") == f"{here.name} is as it should be.\n"


def test_destroy_lists_and_asks(here, monkeypatch):
    apply(here)

    monkeypatch.setattr("builtins.input", lambda question: "y")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        run("destroy")
    assert "create" not in run("plan")

    monkeypatch.setattr("builtins.input", lambda question: here.name)
    assert f"- delete topic {here.name}\n" in run("destroy")
    assert f"+ create topic {here.name}\n" in run("plan")


def test_destroy_with_yes_does_not_ask(here, monkeypatch):
    apply(here)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))

    run("destroy", "--yes")

    assert {change.action for change in plan(here)} == {"create", "wait"}
    assert run("destroy", "--yes") == f"Nothing is left of {here.name}.\n"


def test_an_unknown_stage_is_answered_with_those_there_are(here):
    with pytest.raises(
        CommandError, match="no stage live. It has: production, production_fanout, production_sweep"
    ):
        run("plan", "live")


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "Unable to locate credentials.*aws configure"),
        (("AWS_DEFAULT_REGION",), "You must specify a region.*Set AWS_DEFAULT_REGION"),
    ],
)
def test_what_the_person_has_to_set_is_said_in_a_sentence(here, monkeypatch, missing, said):
    for name in missing:
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(CommandError, match=said):
        run("plan")
