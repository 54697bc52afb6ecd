"""The stand-in for Lambda, with toy functions: it runs what was uploaded, as Lambda would."""

import base64
import json
from urllib.request import urlopen

import boto3
import pytest

from .toys import CALLER, ECHO, GATED, LOGGING, PROCESS, deploy, package


def test_a_function_runs_from_its_package_with_its_own_environment(service):
    deploy("echo", ECHO, variables={"WORD": "plum"})
    answer = service.invoke("echo", {"n": 1}).json()
    assert answer == {"event": {"n": 1}, "name": "echo", "word": "plum"}


def test_invoking_over_the_api_gives_the_answer_and_the_tail_of_the_log(service):
    deploy("echo", ECHO)
    answer = boto3.client("lambda").invoke(FunctionName="echo", Payload=b'{"n": 2}', LogType="Tail")
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["event"] == {"n": 2}
    assert "handling {'n': 2}" in base64.b64decode(answer["LogResult"]).decode()


def test_a_dry_run_runs_nothing_and_an_event_is_answered_before_it_runs(service, tmp_path):
    deploy(
        "gated",
        GATED.replace("import word", "").replace("import late", "").replace("[word.WORD, late.WORD]", "1"),
    )
    payload = json.dumps({"folder": str(tmp_path)}).encode()
    invoke = boto3.client("lambda").invoke
    assert invoke(FunctionName="gated", Payload=payload, InvocationType="DryRun")["StatusCode"] == 204
    assert service.environments("gated") == []
    assert invoke(FunctionName="gated", Payload=payload, InvocationType="Event")["StatusCode"] == 202
    (tmp_path / "go").touch()
    service.drain()
    assert (tmp_path / "running").exists()


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        # The function's own error
        ("def handler(event, context):\n    raise KeyError('plum')", "KeyError", "plum"),
        ("import nowhere", "Runtime.ImportModuleError", "nowhere"),  # a package that lacks something
        ("word = 1", "Runtime.HandlerNotFound", "handler"),  # a stage that names what is not there
        (
            "def handler(event, context):\n    import os\n    os._exit(3)",
            "Runtime.ExitError",
            "exit status 3",
        ),
        # Killed before it was ready
        ("import os\nos.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: 9"),
    ],
)
def test_what_goes_wrong_in_a_function_is_a_function_error_with_its_words(service, source, kind, words):
    deploy("broken", source)
    answer = boto3.client("lambda").invoke(FunctionName="broken", Payload=b"{}")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = json.loads(answer["Payload"].read())
    assert error["errorType"] == kind
    assert words in error["errorMessage"]
    assert words in service.logs("broken")


def test_the_package_can_be_fetched_back_of_every_version(service):
    deploy("echo", ECHO)
    client = boto3.client("lambda")
    client.publish_version(FunctionName="echo")
    client.update_function_code(FunctionName="echo", ZipFile=package(PROCESS))
    found = {
        name: client.get_function(FunctionName=name)["Code"]["Location"]
        for name in ("echo", "function:echo:1")
    }
    fetched = {name: urlopen(location).read() for name, location in found.items()}
    assert fetched == {"echo": package(PROCESS), "function:echo:1": package(ECHO)}


def test_a_function_is_invoked_by_name_arn_and_version(service):
    arn = deploy("process", PROCESS, variables={"WORD": "plum"})
    client = boto3.client("lambda")
    client.publish_version(FunctionName="process")
    client.update_function_configuration(FunctionName="process", Environment={"Variables": {"WORD": "fig"}})
    words = {name: service.invoke(name).json()["word"] for name in ("process", arn, "process:1", f"{arn}:1")}
    assert words == {"process": "fig", arn: "fig", "process:1": "plum", f"{arn}:1": "plum"}


def test_what_a_function_writes_is_in_its_log_group_and_was_put_there_as_itself(service):
    deploy("echo", ECHO)
    service.invoke("echo", {"n": 3})
    service.invoke("echo", {"n": 4})
    log = service.logs("echo")
    assert log.index("START RequestId") < log.index("handling {'n': 3}") < log.index("handling {'n': 4}")
    # The first finds no group
    assert [call.operation for call in service.calls_of("echo")].count("CreateLogStream") == 2


def test_what_a_function_asks_of_aws_is_known_as_its_own(service):
    deploy("caller", CALLER, statements=[LOGGING])
    topic = boto3.client("sns").create_topic(Name="plums")["TopicArn"]
    service.invoke("caller", {"topic": topic, "url": service.url})
    [call] = [call for call in service.calls if call.operation == "Publish"]
    assert (call.who, call.service, call.resource) == ("caller", "sns", topic)
    assert [call.who for call in service.calls if call.operation == "CreateTopic"] == ["deployer"]
