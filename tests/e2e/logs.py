"""What the functions wrote, in CloudWatch Logs: each line is put there with the function's own
permissions.
"""

import time
from contextlib import suppress
from threading import Lock

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from notifier.local.cloud import REGION
from tests.support.patience import PATIENCE_SECONDS

from .variables import access_key

# The service's own calls must end when the test does.
CONFIG = Config(
    connect_timeout=PATIENCE_SECONDS,
    read_timeout=PATIENCE_SECONDS,
    retries={"total_max_attempts": 1},
    max_pool_connections=20,
)


def client_of(function_name, service, url):
    """A boto3 client with the credentials of a function's role, as the Lambda service itself uses them."""
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        region_name=REGION,
        config=CONFIG,
        aws_access_key_id=access_key(function_name),
        aws_secret_access_key="local",
        aws_session_token="local",
    )


class LogWriter:
    """Writes to the log groups of functions; where the role does not allow it the lines are lost, as on
    AWS.
    """

    def __init__(self, url):
        self._url, self._clients, self._streams, self._lock = url, {}, set(), Lock()

    def write(self, definition, stream, text):
        """Add ``text``, a line an event, to ``stream`` of the function's log group."""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in text.splitlines() if line]
        try:
            logs = self._client(definition.name)
            self._ensure_stream(logs, definition.log_group, stream)
            logs.put_log_events(logGroupName=definition.log_group, logStreamName=stream, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"AccessDeniedException", "ResourceNotFoundException"}:
                raise

    def _client(self, name):
        with self._lock:
            if name not in self._clients:
                self._clients[name] = client_of(name, "logs", self._url())
            return self._clients[name]

    def _ensure_stream(self, logs, group, stream):
        if stream in self._streams:
            return
        try:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except logs.exceptions.ResourceNotFoundException:
            # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html#monitoring-cloudwatchlogs-prereqs
            with suppress(logs.exceptions.ResourceAlreadyExistsException):  # another environment was quicker
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        self._streams.add(stream)


def read_log(group, url):
    """All lines of a log group, in the order in which they came, stream by stream; "" without the group."""
    logs = boto3.session.Session().client("logs", endpoint_url=url, region_name=REGION)
    try:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
        streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return "\n".join(line for stream in streams for line in _lines(logs, group, stream))


def _lines(logs, group, stream):
    token = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        yield from (event["message"] for event in page["events"])
        if not page["events"] or token == {"nextToken": page["nextForwardToken"]}:
            return
        token = {"nextToken": page["nextForwardToken"]}
