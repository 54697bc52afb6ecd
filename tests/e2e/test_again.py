"""An account that was opened today: ten functions at a time; and a deployment that is taken down and deployed
again at once.
"""

import json
import re

import boto3
import pytest

from notifier.local.lambda_account import QUOTA

from .deployer import Deployer, new_database
from .service import SLOWNESS, LambdaService

STACK = "notifier-production"
STAGES = ("production", "production_fanout", "production_sweep", "production_email")
# Of AWS's sixty; zappa needs some of them to begin.
BLOCKED_SECONDS = 30


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv(QUOTA, "10")
    service = LambdaService(enforce_roles=True, slowness=SLOWNESS, blocked_seconds=BLOCKED_SECONDS)
    with service:
        secrets = {"SECRET_KEY": "of-a-new-account-" * 5, "DATABASE_URL": new_database("again")}
        for name, value in secrets.items():
            boto3.client("ssm").put_parameter(Name=f"/{STACK}/{name}", Value=value, Type="SecureString")
        service.start()
        yield service


@pytest.fixture
def deployer(service, tmp_path):
    deployer = Deployer(tmp_path, service.url)
    path = tmp_path / "zappa_settings.json"
    stages = json.loads(path.read_text())
    path.write_text(json.dumps({name: stages[name] for name in STAGES}))
    deployer.set_variable("production", "ALERT_EMAIL", "ops@example.org")
    return deployer


def test_in_a_new_account_it_leaves_room_and_is_deployed_again_at_once(service, deployer):
    printed = deployer.zappa("deploy", "--all")
    assert "The account allows 10 functions at a time" in printed
    assert "aws service-quotas request-service-quota-increase" in printed
    assert sorted(at_most()) == [3, 3]
    assert_it_works(printed)

    deployer.zappa("undeploy", "--all", "--yes", "--remove-logs")
    deployer.manage("stack", "destroy", "production", "--yes")
    assert service.blocked_names.refused == 0
    printed = deployer.zappa("deploy", "--all")
    assert service.blocked_names.refused > 0, "the names were free by then: nothing was tried"
    assert_it_works(printed)
    assert "as it should be" in deployer.manage("stack", "diff", "production")


def at_most():
    listed = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return [each["ScalingConfig"]["MaximumConcurrency"] for each in listed]


def assert_it_works(printed):
    assert re.search(r"canary: email after [\d.]+ s", printed), printed
    [topic] = [
        each["TopicArn"]
        for each in boto3.client("sns").list_topics()["Topics"]
        if each["TopicArn"].endswith("-on-duty")
    ]
    asked = boto3.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [each["Endpoint"] for each in asked] == ["ops@example.org"]
