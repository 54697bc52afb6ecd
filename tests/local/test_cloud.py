"""The local cloud can fail and come back, starts clean and leaves no trace in the environment."""

import subprocess
import sys

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from tests.support.patience import PATIENCE_SECONDS


def test_an_outage_refuses_whoever_comes_and_loses_nothing(cloud):
    sqs = boto3.client("sqs", config=Config(retries={"total_max_attempts": 1}))
    queue = cloud.queues["email"]
    sqs.send_message(QueueUrl=queue.url, MessageBody="before")

    cloud.stop()
    try:
        with pytest.raises(EndpointConnectionError):
            sqs.send_message(QueueUrl=queue.url, MessageBody="during")
    finally:
        cloud.restart()

    found = sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in found] == ["before"]


# moto's state is the process's: what starts a second cloud, or looks at the environment after one, needs its
# own.
SCRIPT = """
import os, django
django.setup()
os.environ["AWS_PROFILE"] = "the-persons-own"
os.environ["AWS_ENDPOINT_URL_SQS"] = "https://sqs.example.com"
before = dict(os.environ)
import boto3
from notifier.local.cloud import LocalCloud
from notifier.exceptions import ConfigurationError
"""
CLEAN = """
with LocalCloud() as cloud:
    first = cloud.queues["email"].url.split("/", 3)[3]
    boto3.client("sqs").send_message(QueueUrl=cloud.queues["email"].url, MessageBody="old")
    boto3.client("sns").publish(PhoneNumber="+12065550123", Message="old")
    assert len(cloud.outbox()) == 1
assert dict(os.environ) == before, "the environment was not put back"
with LocalCloud() as cloud:
    assert cloud.outbox() == []
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=cloud.queues["email"].url)
"""
TAKEN = """
with LocalCloud() as cloud:
    port = int(cloud.url.rpartition(":")[2])
    inside = dict(os.environ)
    for ports in ({"port": port}, {"x_port": port}):
        try:
            LocalCloud(**ports).__enter__()
        except ConfigurationError as error:
            assert f"127.0.0.1:{port}" in str(error)
        else:
            raise AssertionError("the port was taken twice")
    assert dict(os.environ) == inside
    assert boto3.client("sns").list_topics()["Topics"], "the one that runs was harmed"
"""


@pytest.mark.parametrize(
    "body",
    [
        CLEAN,  # the second of a process starts clean, and the environment is put back
        TAKEN,  # a taken port is named, and whoever has it is not harmed
    ],
)
def test_in_a_process_of_its_own(body):
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT + body], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )

    assert finished.returncode == 0, finished.stderr
