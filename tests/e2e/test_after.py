"""What a deploy says when its canary is lost: shown with small functions in place of the project's."""

import time
from dataclasses import replace
from types import SimpleNamespace

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from notifier.deploy.stack import Change, Stack, after, apply, patience
from notifier.deploy.stack.links import YOUNG_SECONDS
from notifier.deploy.stack.stages import read_deployment
from notifier.exceptions import ConfigurationError
from notifier.local.cloud import REGION
from tests.support.virtual_time import pass_at_once

from . import toys
from .deployer import HOUSE

# Of the canaries for e-mail, those before the number ARRIVES are lost.
WEB = """
released = []
def handler(event, context):
    command = event["command"].rpartition(".")[2]
    if command == "release_canary":
        released.append(event["channels"])
        return {route: len(released) for route in ["fanout", *event["channels"]]}
    if command == "canary_seconds":
        late = {"email": 0.5 if event["rows"].get("email", 0) >= ARRIVES else None}
        return {"fanout": 0.25, **{route: late[route] for route in event["rows"] if route in late}}
    return {"migrate": [], "names_gone": [], "create_administrator": "there", "released": released}[command]
"""
NEVER = 99
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
def clock(monkeypatch):
    """The time that the deploy waits by, which passes at once."""
    return pass_at_once(monkeypatch, patience)


@pytest.fixture
def zappa(service, deployment, clock, monkeypatch):
    """What the hooks get from Zappa; the web function, the fan-out's and that of mails are there, as toys.
    The queue of mails is old.
    """
    monkeypatch.setattr(after, "_problems", [])
    monkeypatch.setattr(after, "_fresh", set())
    stack = Stack.of(deployment, region="us-east-1")
    roles = apply(stack).role_arns
    # As long as the project's: its queues keep a batch out of sight for six times that.
    toys.deploy(
        "notifier-production",
        WEB.replace("ARRIVES", str(NEVER)),
        role=roles["notifier-production"],
        timeout_seconds=60,
    )
    for name in ("notifier-production-fanout", "notifier-production-email"):
        toys.deploy(
            name, "def handler(event, context):\n    return None\n", role=roles[name], timeout_seconds=60
        )
    apply(stack)
    age("notifier-production-email", YOUNG_SECONDS + 60)
    client = SimpleNamespace(lambda_client=boto3.client("lambda"), boto_session=boto3.session.Session())
    return SimpleNamespace(
        zappa=client, api_stage="production_email", vargs={}, zappa_settings=dict.fromkeys(stages(deployment))
    )


def age(queue, seconds):
    sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[queue].created_timestamp = time.time() - seconds


def let_arrive(number):
    """The website that gets its canary by the release of that number."""
    package = toys.package(WEB.replace("ARRIVES", str(number)))
    boto3.client("lambda").update_function_code(FunctionName="notifier-production", ZipFile=package)


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


def test_a_canary_that_was_dropped_is_released_again_after_a_minute(
    zappa, deployment, clock, service, capsys
):
    let_arrive(2)
    check(zappa, deployment)
    assert "canary: email after 0.5 s" in capsys.readouterr().out
    released = service.invoke("notifier-production", {"command": "released"}).json()
    assert released == [["email"], ["email"]]
    assert after.CANARY_SECONDS <= clock.now < after.CANARY_SECONDS + 5


@pytest.mark.parametrize("made", ["a moment ago", "long ago, and put right in this deploy"])
def test_while_the_subscription_is_young_a_lost_canary_is_a_warning(zappa, deployment, made, capsys):
    if made == "a moment ago":
        age("notifier-production-email", 0)
    else:
        after.note([Change(resource="subscription notifier-production-email", action="change")])
    check(zappa, deployment)
    said = capsys.readouterr().out
    assert "canary: email did not arrive yet. Its subscription is new" in said
    assert "python manage.py doctor production" in said


def test_a_fault_that_shows_is_one_however_young_the_subscription_is(zappa, deployment):
    age("notifier-production-email", 0)
    client = boto3.client("lambda")
    for mapping in client.list_event_source_mappings(FunctionName="notifier-production-email")[
        "EventSourceMappings"
    ]:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    with pytest.raises(ConfigurationError, match="did not reach email: .* event source mapping"):
        check(zappa, deployment)


def test_nothing_is_released_before_the_mappings_take_messages(zappa, deployment, clock):
    """Lambda answers the making of one before it is enabled."""
    session, released_at = boto3.session.Session(), []

    def on_its_way(parsed, **_event):
        for each in parsed["EventSourceMappings"]:
            each["State"] = "Creating" if clock.now < 20 else "Enabled"

    session.events.register("after-call.lambda.ListEventSourceMappings", on_its_way)
    zappa.zappa.boto_session = session
    zappa.zappa.lambda_client.meta.events.register(
        "before-call.lambda.Invoke", lambda **_event: released_at.append(clock.now)
    )
    let_arrive(1)
    check(zappa, deployment)
    assert min(released_at) >= 20


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
