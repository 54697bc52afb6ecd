"""The stand-in's execution environments: which process takes an event, from which code, and what that process
can reach.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.patience import wait_until

from .observing import state_of, wait_for
from .toys import ECHO, GATED, MEETING, PROCESS, deploy, package

NO_RETRY = Config(retries={"total_max_attempts": 1})


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
    client.update_function_code(
        FunctionName="process", ZipFile=package(PROCESS.replace("os.getpid()", "'new'"))
    )
    assert (before["word"], changed["word"]) == ("plum", "fig")
    assert changed["events"] == 1
    assert service.invoke("process").json()["pid"] == "new"
    assert len(service.environments("process")) == 1


def test_an_event_under_way_ends_in_the_code_that_it_began_in(service, tmp_path):
    deploy("gated", GATED)
    client = boto3.client("lambda")
    client.update_function_code(
        FunctionName="gated", ZipFile=package(GATED, word="WORD = 'old'", late="WORD = 'old'")
    )
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(service.invoke, "gated", {"folder": str(tmp_path)})
        wait_for(tmp_path / "running")
        client.update_function_code(
            FunctionName="gated", ZipFile=package(GATED, word="WORD = 'new'", late="WORD = 'new'")
        )
        (tmp_path / "go").touch()
        assert under_way.result().json() == ["old", "old"]
    assert service.environments("gated") == []  # nothing would run there any more
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


def test_a_function_is_frozen_between_events(service):
    deploy("echo", ECHO)
    service.invoke("echo")
    service.imported_files("echo")  # from when it waits
    [pid] = service.environments("echo")
    wait_until(lambda: state_of(pid) == "T", "the function is frozen")
    assert service.invoke("echo", {"n": 5}).json()["event"] == {"n": 5}


def test_a_cold_start_is_measured_in_a_process_of_its_own(service):
    deploy("bare", "def handler(event, context): return None")
    began = monotonic()
    assert 0 < service.cold_start("bare") <= monotonic() - began
    assert service.environments("bare") == []


def test_a_deleted_function_leaves_no_process(service):
    deploy("echo", ECHO)
    service.invoke("echo")
    [pid] = service.environments("echo")
    boto3.client("lambda").delete_function(FunctionName="echo")
    assert service.environments("echo") == []
    assert state_of(pid) is None
