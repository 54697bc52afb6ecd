"""What the hooks change in Zappa's own steps. That they do so in the real one is shown by ``make e2e``."""

from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from notifier.deploy.stack import deployment
from notifier.deploy.stack.stages import read_deployment

DEPLOYED = {"shop-production", "shop-production-email"}


class ZappaCLI:
    """As much of Zappa's as decides between deploy and update; ``done`` is what it did."""

    def __init__(self, *, command, every=True):
        self.command, self.vargs, self.done = command, {"all": every}, []
        self.zappa = SimpleNamespace(
            get_lambda_function_versions=lambda name: ["1"] if name in DEPLOYED else []
        )

    def deploy(self, source_zip=None, docker_image_uri=None):
        self.done.append(("deploy", source_zip, docker_image_uri))

    def update(self, source_zip=None, no_upload=False, docker_image_uri=None):
        self.done.append(("update", source_zip, no_upload, docker_image_uri))

    def run(self, *functions):
        """The walk over stages, as ``dispatch_command`` does it."""
        for self.lambda_name in functions:
            deployment._go_on(self)
            self.deploy(None, None) if self.command == "deploy" else self.update(None, True, None)


def test_with_all_what_is_there_is_updated_and_what_is_missing_deployed_stage_by_stage():
    zappa = ZappaCLI(command="deploy")
    zappa.run("shop-production", "shop-production-fanout", "shop-production-email", "shop-production-sms")
    assert [name for name, *_ in zappa.done] == ["update", "deploy", "update", "deploy"]
    assert zappa.done[0] == ("update", None, False, None)


def test_an_update_of_all_brings_a_new_channel_along():
    zappa = ZappaCLI(command="update")
    zappa.run("shop-production", "shop-production-sms", "shop-production-email")
    assert zappa.done == [("update", None, True, None), ("deploy", None, None), ("update", None, True, None)]


@pytest.mark.parametrize("command", ["deploy", "update"])
def test_without_all_a_command_is_what_it_says(command):
    zappa = ZappaCLI(command=command, every=False)
    zappa.run("shop-production", "shop-production-sms")
    assert {name for name, *_ in zappa.done} == {command}


def test_only_a_permission_for_everybody_is_limited_to_the_url():
    public = {"Principal": "*", "Action": "lambda:InvokeFunction"}
    others = [
        {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        {"Principal": "events.amazonaws.com", "Action": "lambda:InvokeFunction"},
    ]
    for params in (public, *others):
        deployment._only_through_the_url(params)
    assert public["InvokedViaFunctionUrl"] is True
    assert not any("InvokedViaFunctionUrl" in params for params in others)


# The website's cap.


@pytest.fixture
def put_cap(deployed, monkeypatch):
    """``put_cap(quota)``: as Zappa asks for a cap of 20 in an account that allows ``quota`` at a time."""

    def put(quota):
        monkeypatch.setenv("MOTO_LAMBDA_CONCURRENCY_QUOTA", str(quota))
        client = boto3.client("lambda")
        deployment._capped_where_there_is_room(client)(
            FunctionName=deployed.name, ReservedConcurrentExecutions=20
        )
        return client.get_function_concurrency(FunctionName=deployed.name).get("ReservedConcurrentExecutions")

    yield put
    # The account is that of all tests.
    boto3.client("lambda").delete_function_concurrency(FunctionName=deployed.name)


@pytest.mark.parametrize(("quota", "reserved"), [(10, None), (50, None), (119, None), (120, 20), (1000, 20)])
def test_the_websites_cap_is_set_where_the_account_has_room_and_said_in_words_where_not(
    put_cap, capsys, quota, reserved
):
    assert put_cap(quota) == reserved
    said = capsys.readouterr().out
    assert ("aws service-quotas request-service-quota-increase" in said) == (reserved is None)
    assert ("cap (20 requests at a time) is not set" in said) == (reserved is None)


def test_another_refusal_of_the_cap_stops_the_deploy(deployed):
    put = deployment._capped_where_there_is_room(boto3.client("lambda"))
    with pytest.raises(ClientError, match="ResourceNotFound"):
        put(FunctionName="not-there", ReservedConcurrentExecutions=20)


def test_the_repositorys_own_settings_cap_the_website_and_no_other_function():
    """A stage takes over what it extends: a reservation for each of them would leave none of the account's
    own.
    """
    functions = read_deployment("production").functions
    capped = {each.stage: each.config["lambda_concurrency"] for each in functions}
    assert capped.pop("production") == 20
    assert set(capped.values()) == {None}
