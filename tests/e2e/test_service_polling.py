"""The stand-in's event source mappings: batches, partial failures, concurrency, what comes back, and what an
update may do to it.
"""

import json
from collections import Counter
from threading import Event, Thread
from types import MappingProxyType

import boto3
import pytest

from tests.support.patience import ended, wait_until

from .polling import held_messages
from .toys import deploy, make_queue, package, send

MOST_HELD = 20
# Writes down each message that it handles; one that begins with "bad" is reported as failed, one with "worse"
# raises.
HANDLER = """
    import json
    import word
    def handler(event, context):
        failed = []
        for record in event["Records"]:
            if record["body"].startswith("worse"):
                raise ValueError("worse")
            print("HANDLED", json.dumps([record["body"], word.WORD, len(event["Records"])]))
            if record["body"].startswith("bad") and record["attributes"]["ApproximateReceiveCount"] == "1":
                failed.append({"itemIdentifier": record["messageId"]})
        import late
        assert late.WORD == word.WORD, "half of one version and half of another"
        return {"batchItemFailures": failed}
"""
BLOCKED = """
    import json, os, pathlib, time
    def handler(event, context):
        folder = pathlib.Path(os.environ["FOLDER"])
        (folder / context.aws_request_id).touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
"""


def handling(word):
    return package(HANDLER, word=f"WORD = '{word}'", late=f"WORD = '{word}'")


@pytest.fixture
def mapped(service):
    """A function of HANDLER, version "one", behind a queue; ``mapped(...)`` makes the mapping and returns the
    queue's URL.
    """

    def make(*, attributes=MappingProxyType({}), **mapping):
        deploy("worker", "")
        client = boto3.client("lambda")
        client.update_function_code(FunctionName="worker", ZipFile=handling("one"))
        url, arn = make_queue("work", **attributes)
        options = {"FunctionResponseTypes": ["ReportBatchItemFailures"], "BatchSize": 10} | mapping
        client.create_event_source_mapping(FunctionName="worker", EventSourceArn=arn, **options)
        return url

    return make


def handled(service):
    """``[body, version, size of the batch]`` of everything that was handled, in the order of the log."""
    lines = [line for line in service.logs("worker").splitlines() if line.startswith("HANDLED ")]
    return [json.loads(line.removeprefix("HANDLED ")) for line in lines]


def test_messages_are_handled_once_and_deleted(service, mapped):
    url = mapped()
    send(url, *"abc")
    service.drain()
    assert Counter(body for body, *_ in handled(service)) == Counter("abc")
    assert held_messages() == {}


def test_a_batch_is_as_large_as_the_mapping_says(service, mapped):
    send(mapped(BatchSize=2), *"abcd")
    assert service.poll() == 2
    assert [size for *_, size in handled(service)] == [2, 2]


def test_a_message_that_is_reported_as_failed_comes_back_and_the_others_do_not(service, mapped):
    send(mapped(), "good", "bad")
    service.drain()
    assert Counter(body for body, *_ in handled(service)) == {"good": 1, "bad": 2}


def test_without_the_mapping_s_word_for_it_a_report_of_failures_is_ignored(service, mapped):
    send(mapped(FunctionResponseTypes=[]), "good", "bad")
    service.drain()
    assert Counter(body for body, *_ in handled(service)) == {"good": 1, "bad": 1}


def test_a_function_that_fails_gets_its_batch_again_until_it_goes_aside(service, mapped):
    dead_url, dead_arn = make_queue("dead")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    send(mapped(attributes={"RedrivePolicy": policy}), "worse")
    service.drain()
    [message] = boto3.client("sqs").receive_message(QueueUrl=dead_url)["Messages"]
    assert message["Body"] == "worse"
    assert service.logs("worker").count("START") == 2


def test_a_disabled_mapping_leaves_its_queue_alone(service, mapped):
    send(mapped(Enabled=False), "a")
    assert service.poll() == 0
    client = boto3.client("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName="worker")["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    assert service.poll() == 1


def test_no_more_batches_are_under_way_than_the_mapping_allows(service, tmp_path):
    deploy("worker", BLOCKED, variables={"FOLDER": str(tmp_path)})
    url, arn = make_queue("work")
    boto3.client("lambda").create_event_source_mapping(
        FunctionName="worker", EventSourceArn=arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2}
    )
    send(url, *"abcdef")
    service.start()
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2, "two batches are under way")
    assert len(service.environments("worker")) == 2
    (tmp_path / "go").touch()
    service.drain()
    assert len(service.environments("worker")) == 2
    assert len(list(tmp_path.iterdir())) == 7


def test_pollers_act_as_the_function_s_role(service, mapped):
    send(mapped(), "a")
    service.drain()
    done = {call.operation for call in service.calls_of("worker") if call.service == "sqs"}
    assert done == {"GetQueueAttributes", "ReceiveMessage", "DeleteMessageBatch"}
    assert {call.who for call in service.calls if call.operation == "ReceiveMessage"} == {"worker"}


def test_a_mapping_that_is_made_or_deleted_while_the_service_runs_begins_and_ends(service, mapped):
    service.start()
    url = mapped()
    send(url, "a")
    service.drain()
    client = boto3.client("lambda")
    [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    wait_until(lambda: not service.pollers, "the poller has ended")
    send(url, "b")
    assert [body for body, *_ in handled(service)] == ["a"]


def test_an_update_while_messages_flow_loses_none_and_mixes_no_versions(service, mapped):
    url, client, enough = mapped(BatchSize=2), boto3.client("lambda"), Event()
    sent = []

    def flow():
        while not enough.wait(0.02):
            # No faster than this machine handles them.
            if sum(held_messages().values()) < MOST_HELD:
                sent.append(str(len(sent)))
                send(url, sent[-1])

    service.start()
    sender = Thread(target=flow, daemon=True)
    sender.start()
    for word in ("two", "three"):
        before = len(sent)
        wait_until(
            lambda before=before: len(sent) >= before + 15, "messages flow", progress=lambda: len(sent)
        )
        client.update_function_code(FunctionName="worker", ZipFile=handling(word))
    wait_until(
        lambda: "three" in {version for _, version, _ in handled(service)},
        "the third version handles messages",
    )
    enough.set()
    ended(sender)
    service.drain()
    seen = handled(service)
    assert Counter(body for body, *_ in seen) == Counter(sent)
    assert {version for _, version, _ in seen} == {"one", "two", "three"}
    assert "half of one version" not in service.logs("worker")


def test_moto_itself_reads_no_queue(service, mapped):
    url = mapped()
    send(url, "a")
    assert held_messages() == {"work": 1}
