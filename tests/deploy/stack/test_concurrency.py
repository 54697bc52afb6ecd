"""However few functions an account allows at once, the queues leave some to the website."""

import json
from types import SimpleNamespace

import boto3
import pytest

from notifier.channels.registry import channel_names
from notifier.deploy.stack import deployment
from notifier.deploy.stack.resources.concurrency import LEAST, SWEEP, advice_on, room_of
from notifier.deploy.stack.resources.mappings import Mappings
from notifier.deploy.stack.stages import read_deployment
from notifier.local.lambda_account import QUOTA
from tests.deploy.stack.conftest import account_of, apply, deploy, make_settings, plan

MAILS, SOME, ALL = ("email", "feedback"), ("email", "sms"), (*channel_names(), "feedback")
COMMAND = (
    "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
    "--desired-value 1000 --region us-east-1"
)
TABLE = [
    # quota, stages beside fan-out and sweep, kept for the website, what the queues get, whether that is room
    (10, (), 3, {"fanout": 6}, True),
    (10, MAILS, 3, {"fanout": 2, "email": 2, "feedback": 2}, True),
    (10, ALL, 3, dict.fromkeys(("fanout", *ALL), LEAST), False),
    (20, MAILS, 6, {"fanout": 6, "email": 5, "feedback": 2}, True),
    (20, ALL, 6, dict.fromkeys(("fanout", *ALL), LEAST), False),
    (50, SOME, 16, {"fanout": 10, "email": 10, "sms": 10}, True),
    (50, ALL, 16, {"fanout": 5, "email": 5, "push": 5, "sms": 4, "webhook": 4, "inbox": 4, "chat": 2,
     "twitter": 2, "feedback": 2}, True),
    (100, ALL, 20, {"fanout": 10, "email": 10, "push": 10, "sms": 10, "webhook": 10, "inbox": 4, "chat": 2,
     "twitter": 2, "feedback": 2}, True),
    (1000, ALL, 20, {"fanout": 10, "email": 10, "push": 10, "sms": 10, "webhook": 10, "inbox": 4, "chat": 2,
     "twitter": 2, "feedback": 2}, True),
]  # fmt: skip


@pytest.mark.parametrize(("quota", "channels", "website", "given", "fits"), TABLE)
def test_queues_get_what_the_quota_leaves(make_stack, monkeypatch, quota, channels, website, given, fits):
    monkeypatch.setenv(QUOTA, str(quota))
    stack = make_stack(channels=channels)
    room, said = room_of(account_of(stack)), advice_on(account_of(stack)) or ""

    assert (room.website, room.given) == (website, given)
    assert (website + SWEEP + sum(given.values()) <= quota) == fits
    assert {
        name.removeprefix(f"{stack.name}-"): mapping["ScalingConfig"]["MaximumConcurrency"]
        for name, mapping in Mappings(account_of(stack)).wanted().items()
    } == given
    assert (COMMAND in said) == (f"allows {quota} functions" in said) == (given != room.wanted or not fits)
    assert ("answers 429" in said) == (not fits)
    if not fits:
        assert f"room for {(quota - website - SWEEP) // LEAST} of these {len(given)}" in said


def test_what_the_website_has_reserved_is_not_kept_free_twice(deployed, monkeypatch):
    monkeypatch.setenv(QUOTA, "130")
    functions = boto3.client("lambda")
    functions.put_function_concurrency(FunctionName=deployed.name, ReservedConcurrentExecutions=20)
    try:
        room = room_of(account_of(deployed))
    finally:
        functions.delete_function_concurrency(FunctionName=deployed.name)
    assert (room.quota, room.free, room.website, room.left) == (130, 110, 0, 109)


def test_when_the_account_allows_more_the_next_deploy_gives_it_to_the_queues(deployed, monkeypatch):
    def at_most():
        return {
            each["EventSourceArn"].rpartition("-")[2]: each["ScalingConfig"]["MaximumConcurrency"]
            for each in boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
            if each["EventSourceArn"].rpartition(":")[2].startswith(f"{deployed.name}-")
        }

    assert at_most() == {"fanout": 10, "email": 10, "sms": 10}
    monkeypatch.setenv(QUOTA, "10")
    apply(deployed)
    assert at_most() == {"fanout": 2, "email": 2, "sms": 2}
    assert plan(deployed) == []
    monkeypatch.setenv(QUOTA, "1000")
    apply(deployed)
    assert at_most() == {"fanout": 10, "email": 10, "sms": 10}


@pytest.mark.parametrize(("quota", "says"), [(10, True), (1000, False)])
def test_a_deploy_says_what_the_account_lacks(make_stack, tmp_path, monkeypatch, capsys, quota, says):
    monkeypatch.setenv(QUOTA, str(quota))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zappa_settings.json").write_text(json.dumps(make_settings(f"q{quota}")))
    found = read_deployment("production_email")
    stack = make_stack(f"q{quota}")
    deploy(stack, apply(stack), only=("email",))
    zappa = SimpleNamespace(
        lambda_client=boto3.client("lambda"), boto_session=boto3.session.Session(), aws_region="us-east-1"
    )
    name = found.function("production_email").name
    deployment.finish(SimpleNamespace(zappa=zappa, api_stage="production_email", vargs={}, lambda_name=name))
    said = capsys.readouterr().out
    assert "create event source mapping" in said
    assert (COMMAND in said) == says
