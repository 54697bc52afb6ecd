"""The stand-in for Lambda, with toy functions: it runs what was uploaded, as Lambda would."""

import base64
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .observing import state_of, wait_for, wait_until
from .toys import CALLER, LOGGING, deploy, package

ECHO = """
    import os
    def handler(event, context):
        print("handling", event)
        return {"event": event, "name": context.function_name, "word": os.environ.get("WORD")}
"""
PROCESS = """
    import os
    started = []
    def handler(event, context):
        started.append(event)
        return {"pid": os.getpid(), "events": len(started), "word": os.environ.get("WORD")}
"""
# Two of them end only when both run: each waits for the other's file.
MEETING = """
    import os, pathlib, time
    def handler(event, context):
        pathlib.Path(event["folder"], event["me"]).touch()
        while not pathlib.Path(event["folder"], event["other"]).exists():
            time.sleep(0.01)
        return os.getpid()
"""
# Says by a file that it runs, and goes on when another one appears.
GATED = """
    import pathlib, time
    import word
    def handler(event, context):
        for each in event.get("Records", [event]):
            folder = pathlib.Path(each.get("folder") or each["body"])
            (folder / "running").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)
        import late
        return [word.WORD, late.WORD]
"""
NO_RETRY = Config(retries={"total_max_attempts": 1})


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
    deploy("gated", GATED.replace("import word", "").replace("import late", "").replace("[word.WORD, late.WORD]", "1"))
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
        ("def handler(event, context):\n    raise KeyError('plum')", "KeyError", "plum"),  # the function's own error
        ("import nowhere", "Runtime.ImportModuleError", "nowhere"),  # a package that lacks something
        ("word = 1", "Runtime.HandlerNotFound", "handler"),  # a stage that names what is not there
        ("def handler(event, context):\n    import os\n    os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("import os\nos.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: 9"),  # killed before it was ready
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


def test_a_function_that_takes_too_long_is_killed_and_the_next_event_gets_a_new_process(service, tmp_path):
    deploy("slow", MEETING, timeout_seconds=1)
    alone = service.invoke("slow", {"folder": str(tmp_path), "me": "a", "other": "b"})
    assert alone.error == "Unhandled"
    assert "timed out after 1.00 seconds" in alone.payload.decode()
    assert service.environments("slow") == []
    assert service.invoke("slow", {"folder": str(tmp_path), "me": "b", "other": "a"}).json()


def test_events_one_after_the_other_meet_the_same_process(service):
    deploy("process", PROCESS)
    first, second = service.invoke("process").json(), service.invoke("process").json()
    assert first["pid"] == second["pid"]
    assert second["events"] == 2


def test_events_at_the_same_time_meet_different_processes(service, tmp_path):
    deploy("meeting", MEETING)
    with ThreadPoolExecutor() as pool:
        events = [{"folder": str(tmp_path), "me": me, "other": other} for me, other in ("ab", "ba")]
        outcomes = list(pool.map(lambda event: service.invoke("meeting", event), events))
    assert len({outcome.json() for outcome in outcomes}) == 2


def test_more_events_at_the_same_time_than_are_reserved_are_refused(service, tmp_path):
    deploy("meeting", MEETING)
    client = boto3.client("lambda", config=NO_RETRY)
    client.put_function_concurrency(FunctionName="meeting", ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(service.invoke, "meeting", {"folder": str(tmp_path), "me": "a", "other": "b"})
        wait_for(tmp_path / "a")
        with pytest.raises(ClientError, match="TooManyRequestsException"):
            client.invoke(FunctionName="meeting", Payload=b"{}")
        (tmp_path / "b").touch()
        first.result().json()
    assert service.invoke("meeting", {"folder": str(tmp_path), "me": "a", "other": "b"}).json()


def test_the_package_can_be_fetched_back_of_every_version(service):
    deploy("echo", ECHO)
    client = boto3.client("lambda")
    client.publish_version(FunctionName="echo")
    client.update_function_code(FunctionName="echo", ZipFile=package(PROCESS))
    found = {name: client.get_function(FunctionName=name)["Code"]["Location"] for name in ("echo", "function:echo:1")}
    fetched = {name: urlopen(location).read() for name, location in found.items()}
    assert fetched == {"echo": package(PROCESS), "function:echo:1": package(ECHO)}


def test_a_function_is_invoked_by_name_arn_and_version(service):
    arn = deploy("process", PROCESS, variables={"WORD": "plum"})
    client = boto3.client("lambda")
    client.publish_version(FunctionName="process")
    client.update_function_configuration(FunctionName="process", Environment={"Variables": {"WORD": "fig"}})
    words = {name: service.invoke(name).json()["word"] for name in ("process", arn, "process:1", f"{arn}:1")}
    assert words == {"process": "fig", arn: "fig", "process:1": "plum", f"{arn}:1": "plum"}


def test_a_file_of_the_package_that_others_may_not_read_is_not_there(service):
    deploy("shut", "")
    boto3.client("lambda").update_function_code(FunctionName="shut", ZipFile=package(ECHO, mode=0o600))
    assert "Runtime.ImportModuleError" in service.invoke("shut").payload.decode()


def test_a_changed_variable_or_package_reaches_the_next_event(service):
    deploy("process", PROCESS, variables={"WORD": "plum"})
    client = boto3.client("lambda")
    before = service.invoke("process").json()
    client.update_function_configuration(FunctionName="process", Environment={"Variables": {"WORD": "fig"}})
    changed = service.invoke("process").json()
    client.update_function_code(FunctionName="process", ZipFile=package(PROCESS.replace("os.getpid()", "'new'")))
    assert (before["word"], changed["word"]) == ("plum", "fig")
    assert changed["events"] == 1
    assert service.invoke("process").json()["pid"] == "new"
    assert len(service.environments("process")) == 1


def test_an_event_under_way_ends_in_the_code_that_it_began_in(service, tmp_path):
    deploy("gated", GATED)
    client = boto3.client("lambda")
    client.update_function_code(FunctionName="gated", ZipFile=package(GATED, word="WORD = 'old'", late="WORD = 'old'"))
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(service.invoke, "gated", {"folder": str(tmp_path)})
        wait_for(tmp_path / "running")
        client.update_function_code(FunctionName="gated", ZipFile=package(GATED, word="WORD = 'new'", late="WORD = 'new'"))
        (tmp_path / "go").touch()
        assert under_way.result().json() == ["old", "old"]
    assert service.invoke("gated", {"folder": str(tmp_path)}).json() == ["new", "new"]


def test_only_the_package_the_runtime_client_and_the_standard_library_are_imported(service):
    deploy("echo", "import json, urllib.request\n" + ECHO.replace("\n    ", "\n"))
    service.invoke("echo").json()
    files = service.imported_files("echo")
    assert any(file.endswith("/toy.py") for file in files)
    here = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    assert [file for file in files if file.startswith((here, sys.prefix)) or "site-packages" in file] == []


@pytest.mark.parametrize("module", ["django", "boto3", "notifier", "project.settings", "pip"])
def test_what_is_not_in_the_package_cannot_be_imported(service, module):
    deploy("reaching", f"import {module}\ndef handler(event, context): pass")
    assert "Runtime.ImportModuleError" in service.invoke("reaching").payload.decode()


def test_what_a_function_writes_is_in_its_log_group_and_was_put_there_as_itself(service):
    deploy("echo", ECHO)
    service.invoke("echo", {"n": 3})
    service.invoke("echo", {"n": 4})
    log = service.logs("echo")
    assert log.index("START RequestId") < log.index("handling {'n': 3}") < log.index("handling {'n': 4}")
    assert [call.operation for call in service.calls_of("echo")].count("CreateLogStream") == 2  # the first finds no group


def test_a_function_is_frozen_between_events(service):
    deploy("echo", ECHO)
    service.invoke("echo")
    service.imported_files("echo")  # from when it waits
    [pid] = service.environments("echo")
    wait_until(lambda: state_of(pid) == "T")
    assert service.invoke("echo", {"n": 5}).json()["event"] == {"n": 5}


def test_what_a_function_asks_of_aws_is_known_as_its_own(service):
    deploy("caller", CALLER, statements=[LOGGING])
    topic = boto3.client("sns").create_topic(Name="plums")["TopicArn"]
    service.invoke("caller", {"topic": topic, "url": service.url})
    [call] = [call for call in service.calls if call.operation == "Publish"]
    assert (call.who, call.service, call.resource) == ("caller", "sns", topic)
    assert [call.who for call in service.calls if call.operation == "CreateTopic"] == ["deployer"]


def test_a_cold_start_is_measured_in_a_process_of_its_own(service):
    deploy("bare", "def handler(event, context): return None")
    assert 0 < service.cold_start("bare") < 10
    assert service.environments("bare") == []


def test_a_deleted_function_leaves_no_process(service):
    deploy("echo", ECHO)
    service.invoke("echo")
    [pid] = service.environments("echo")
    boto3.client("lambda").delete_function(FunctionName="echo")
    assert service.environments("echo") == []
    assert state_of(pid) is None
