"""What a deploy says when its canary is lost: shown with small functions in place of the project's."""

from dataclasses import replace
from types import SimpleNamespace

import boto3
import pytest

from notifier.deploy.stack import Stack, after, apply
from notifier.deploy.stack.stages import read_deployment
from notifier.exceptions import ConfigurationError

from . import toys
from .deployer import HOUSE

WEB = """
def handler(event, context):
    command = event["command"].rpartition(".")[2]
    if command == "canary_seconds":
        return {"fanout": 0.25, "email": None}
    return {"migrate": [], "names_gone": [], "create_administrator": "there", "release_canary": {"fanout": 1,
        "email": 2}}[command]
"""
RUDE = "def handler(event, context):\n    raise RuntimeError('no database')\n"


@pytest.fixture
def deployment():
    """As much of the project's as it takes: the functions that are there, and one that comes after them."""
    found = read_deployment("production", HOUSE / "zappa_settings.json")
    return replace(
        found,
        functions=tuple(
            each for each in found.functions if each.module in ("web", "fanout", "email", "twitter")
        ),
    )


@pytest.fixture
def zappa(service, deployment, monkeypatch):
    """What the hooks get from Zappa; the web function, the fan-out's and that of mails are there, as toys."""
    monkeypatch.setattr(after, "CANARY_SECONDS", 1)
    monkeypatch.setattr(after, "_problems", [])
    stack = Stack.of(deployment, region="us-east-1")
    roles = apply(stack).role_arns
    # As long as the project's: its queues keep a batch out of sight for six times that.
    toys.deploy("notifier-production", WEB, role=roles["notifier-production"], timeout_seconds=60)
    for name in ("notifier-production-fanout", "notifier-production-email"):
        toys.deploy(
            name, "def handler(event, context):\n    return None\n", role=roles[name], timeout_seconds=60
        )
    apply(stack)
    client = SimpleNamespace(lambda_client=boto3.client("lambda"), boto_session=boto3.session.Session())
    return SimpleNamespace(
        zappa=client, api_stage="production_email", vargs={}, zappa_settings=dict.fromkeys(stages(deployment))
    )


def stages(deployment):
    return [function.stage for function in deployment.functions]


def check(cli, deployment):
    after.check(cli, deployment, Stack.of(deployment, region="us-east-1"))


def test_a_canary_that_is_lost_fails_the_deploy_with_the_link_that_is_broken(zappa, deployment, capsys):
    with pytest.raises(
        ConfigurationError, match="did not reach email: nothing has come to queue notifier-production-email"
    ):
        check(zappa, deployment)
    assert "canary: fanout after 0.2 s" in capsys.readouterr().out


def test_with_all_the_stages_that_follow_are_deployed_before_it_fails(zappa, deployment):
    zappa.vargs["all"] = True
    check(zappa, deployment)
    zappa.api_stage = stages(deployment)[-1]
    with pytest.raises(ConfigurationError, match="did not reach email"):
        check(zappa, deployment)


def test_a_web_function_that_fails_is_told_in_its_own_words_and_with_its_log(zappa, deployment):
    boto3.client("lambda").update_function_code(
        FunctionName="notifier-production", ZipFile=toys.package(RUDE)
    )
    zappa.api_stage = "production"
    with pytest.raises(
        ConfigurationError, match="(?s)notifier-production failed: no database.*zappa tail production"
    ):
        check(zappa, deployment)


def test_a_function_before_the_web_function_needs_no_canary(zappa, deployment):
    boto3.client("lambda").delete_function(FunctionName="notifier-production")
    check(zappa, deployment)
