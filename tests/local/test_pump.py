"""The pump calls a handler as Lambda would, deletes what it should and keeps the rest."""

import hashlib
import json
import logging
import threading

import boto3
import pytest

from notifier.deploy.stack import RouteSettings, Stack, apply
from notifier.local.invocation import failed_ids
from notifier.local.pump import Pump
from tests.support.patience import PATIENCE_SECONDS


@pytest.fixture
def queues(cloud, request):
    """Two routes of this test's own. A message that failed twice is put aside."""
    settings = RouteSettings(batch_size=3, max_receive_count=2)
    name = f"pump-{abs(hash(request.node.name))}"
    applied = apply(Stack(name=name, routes={"fanout": settings, "email": settings}))
    yield applied.queues
    for queue in applied.queues.values():
        boto3.client("sqs").purge_queue(QueueUrl=queue.url)


def put(queue, *bodies, **attributes):
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    for body in bodies:
        boto3.client("sqs").send_message(QueueUrl=queue.url, MessageBody=body, MessageAttributes=attributes)


def bodies_in(url):
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in found.get("Messages", []))


class Recorder:
    """A handler that keeps its batches; what ``answer`` says of an event is its answer."""

    def __init__(self, answer=lambda event: None):
        self.events, self.contexts, self._answer = [], [], answer

    def __call__(self, event, context):
        self.events.append(event)
        self.contexts.append(context)
        return self._answer(event)

    @property
    def batches(self):
        return [sorted(record["body"] for record in event["Records"]) for event in self.events]


def failing(*bodies):
    """An answer that reports the messages with these bodies."""

    def answer(event):
        failed = [record["messageId"] for record in event["Records"] if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    return answer


def test_a_record_looks_as_lambda_makes_it(queues):
    handler = Recorder()
    put(queues["email"], '{"v": 1}', route="email")

    Pump(queues, {"email": handler}).drain()

    ((record,),) = [event["Records"] for event in handler.events]
    assert record["body"] == '{"v": 1}'
    assert record["messageAttributes"] == {
        "route": {
            "stringValue": "email",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"].isdigit()
    assert record["md5OfBody"] == hashlib.md5(b'{"v": 1}').hexdigest()
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == queues["email"].arn
    assert {"messageId", "receiptHandle"} <= record.keys()


def test_the_context_counts_down_from_the_functions_timeout(queues):
    handler = Recorder()
    put(queues["email"], "a")

    Pump(queues, {"email": handler}, function_timeout_seconds=9).drain()

    (context,) = handler.contexts
    assert context.function_name == "email"
    assert context.aws_request_id
    assert 0 <= context.get_remaining_time_in_millis() < 9000


def test_batches_are_no_larger_than_the_route_says(queues):
    handler = Recorder()
    put(queues["email"], *"abcdefg")

    received = Pump(queues, {"email": handler}).drain()

    assert received == 7
    assert max(map(len, handler.batches)) == 3
    assert sorted(sum(handler.batches, [])) == list("abcdefg")


def test_what_a_handler_sends_on_is_handled_too(queues):
    def fan_out(event, context):
        put(queues["email"], *(f"{record['body']}{n}" for record in event["Records"] for n in range(2)))

    handler = Recorder()
    put(queues["fanout"], "a", "b")

    Pump(queues, {"fanout": fan_out, "email": handler}).drain()

    assert sorted(sum(handler.batches, [])) == ["a0", "a1", "b0", "b1"]


def test_a_reported_message_comes_again_alone(queues):
    answers = iter([failing("b"), failing()])
    handler = Recorder(lambda event: next(answers)(event))
    put(queues["email"], "a", "b", "c")

    Pump(queues, {"email": handler}).drain()

    assert handler.batches == [["a", "b", "c"], ["b"]]
    assert handler.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def raise_error(event):
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    "answer",
    [
        raise_error,  # the function failed
        # An id of no message here
        lambda event: {"batchItemFailures": [{"itemIdentifier": "no-such-message"}]},
        lambda event: {"batchItemFailures": [{"itemIdentifier": None}]},  # no id
        lambda event: {"batchItemFailures": [{"itemIdentifier": ""}]},  # an empty one
        lambda event: {"batchItemFailures": [{"id": event["Records"][0]["messageId"]}]},  # under a wrong key
        lambda event: {"batchItemFailures": [], "seen": object()},  # not JSON
        lambda event: "done",  # not an object
    ],
)
def test_the_whole_batch_stays_and_ends_in_the_dead_letter_queue(queues, answer):
    handler = Recorder(answer)
    put(queues["email"], "a", "b")

    Pump(queues, {"email": handler}).drain()

    assert handler.batches == [["a", "b"], ["a", "b"]]
    assert bodies_in(queues["email"].dlq_url) == ["a", "b"]


@pytest.mark.parametrize(
    "answer",
    [
        None,  # a function without an answer
        {},  # an empty one
        {"batchItemFailures": []},  # none failed
        {"batchItemFailures": None},  # none failed, in other words
        {"statusCode": 200},  # an answer about something else
    ],
)
def test_an_answer_without_failures_is_a_success(answer):
    assert failed_ids(answer, {"a", "b"}) == set()


def test_one_wrong_id_among_good_ones_keeps_the_whole_batch():
    failures = [{"itemIdentifier": "a"}, {"itemIdentifier": "z"}]

    assert failed_ids({"batchItemFailures": failures}, {"a", "b"}) is None


def test_a_queue_without_a_handler_is_left_alone(queues):
    put(queues["fanout"], "a")

    assert Pump(queues, {"email": Recorder()}).drain() == 0
    assert bodies_in(queues["fanout"].url) == ["a"]


def test_a_handler_without_a_queue_is_an_error(queues):
    with pytest.raises(KeyError, match="fax"):
        Pump(queues, {"fax": Recorder()})


def test_draining_says_what_is_left_when_nothing_comes_any_more(queues):
    boto3.client("sqs").send_message(QueueUrl=queues["email"].url, MessageBody="a", DelaySeconds=900)

    with pytest.raises(TimeoutError, match="email"):
        Pump(queues, {"email": Recorder()}).drain(patience_seconds=0)


def test_in_the_background_each_queue_is_served_until_the_pump_stops(queues):
    seen, both = [], threading.Event()

    def handler(event, context):
        seen.append((context.function_name, threading.current_thread().name))
        if len(seen) == 2:
            both.set()

    pump = Pump(queues, {"email": handler, "fanout": handler})
    pump.start()
    put(queues["email"], "a")
    put(queues["fanout"], "b")
    assert both.wait(PATIENCE_SECONDS)
    pump.stop()
    put(queues["email"], "after")

    assert sorted(seen) == [("email", "pump-email"), ("fanout", "pump-fanout")]
    assert bodies_in(queues["email"].url) == ["after"]


def test_the_background_outlives_an_outage(cloud, queues, monkeypatch):
    seen, noticed = threading.Event(), threading.Event()
    monkeypatch.setattr(logging.getLogger("notifier.local.pump"), "warning", lambda *args: noticed.set())
    pump = Pump(queues, {"email": lambda event, context: seen.set()})
    pump.start()
    cloud.stop()
    assert noticed.wait(PATIENCE_SECONDS)
    cloud.restart()
    put(queues["email"], json.dumps({}))
    assert seen.wait(PATIENCE_SECONDS)
    pump.stop()
