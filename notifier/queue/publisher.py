"""Rings at SNS, after the commit. A ring that is lost costs a minute: the sweep rings again."""

import logging
import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.db import connections

from .. import conf
from ..exceptions import ConfigurationError

logger = logging.getLogger(__name__)

# Entries of one PublishBatch. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
MAX_BATCH_ENTRIES = 10
# The caller waits for this: better a minute late than a slow save.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 1, 3


class _Chunk:
    """Up to ten events of one transaction, published together by whichever of their commit hooks runs first.

    One without hooks is of a transaction that was rolled back, and done with. Ids of rolled-back savepoints
    can be in the others: a ring for a row that is not there does nothing, so nobody sorts them out.
    """

    def __init__(self):
        self.rings = []
        self.published = False

    def publish(self):
        if not self.published:
            self.published = True
            publish(self.rings)


def ring_on_commit(rings, *, using):
    """Publish these when the transaction commits, together with its others."""
    if not rings:
        return
    connection = connections[using]
    chunks = [_open_chunk(connection)]
    for ring in rings:
        if len(chunks[-1].rings) == MAX_BATCH_ENTRIES:
            chunks.append(_Chunk())
        chunks[-1].rings.append(ring)
    connection.notifier_chunk = chunks[-1]
    for chunk in chunks:
        # A hook a call: a savepoint that is rolled back takes its own hooks along and leaves the others'.
        connection.on_commit(chunk.publish)


def _open_chunk(connection):
    chunk = getattr(connection, "notifier_chunk", None)
    if chunk is None or chunk.published or len(chunk.rings) == MAX_BATCH_ENTRIES:
        return _Chunk()
    # Newest first: its hook is nearly always the last.
    return (
        chunk if any(hook == chunk.publish for _, hook, _ in reversed(connection.run_on_commit)) else _Chunk()
    )


_diverted = ContextVar("notifier_diverted", default=False)


@contextmanager
def diverted():
    """Inside it, this process rings nowhere: ``notifier.testing`` delivers by itself."""
    token = _diverted.set(True)
    try:
        yield
    finally:
        _diverted.reset(token)


def publish(rings):
    """Publish ``rings``, ten a call; return those that failed.

    Never raises for what SNS does: the rows are the truth. Without a topic there is nobody to ring, which
    ``manage.py check --deploy`` says and no log.
    """
    failed = []
    if _diverted.get():
        return failed
    if not (topic := conf.get("TOPIC_ARN")):
        return list(rings)
    for start in range(0, len(rings), MAX_BATCH_ENTRIES):
        failed += _publish_together(topic, rings[start : start + MAX_BATCH_ENTRIES])
    return failed


def _publish_together(topic, rings):
    try:
        sns = client()
    except Exception as error:
        _say_once(f"There is no client of SNS, the sweep will ring again: {error}")
        return rings
    messages = [_message(ring) for ring in rings]
    try:
        if len(messages) == 1:
            # A tenth less work than a batch of one.
            _ask(sns.publish, TopicArn=topic, **messages[0])
            return []
        entries = [{"Id": str(position), **message} for position, message in enumerate(messages)]
        answer = _ask(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)
    except Exception as error:
        # Boto's errors have no common base, and none of them may reach who saves, fans out or sweeps.
        logger.warning("SNS took none of %d messages, the sweep will ring again: %s", len(rings), error)
        return rings
    # An answer of 200 can hold entries that failed.
    failed = [rings[int(entry["Id"])] for entry in answer.get("Failed", ())]
    if failed:
        logger.warning("SNS refused %d of %d messages, the sweep will ring again.", len(failed), len(rings))
    return failed


def _ask(call, **asked):
    """The answer of ``call``, asked again on a new connection where the kept one turns out to be closed, as
    after a function has been frozen. So a message may come twice, which is harmless.
    """
    from botocore.exceptions import ConnectionClosedError

    try:
        return call(**asked)
    except ConnectionClosedError:
        return call(**asked)


def _message(ring):
    message = {
        "Message": ring.body(),
        "MessageAttributes": {"route": {"DataType": "String", "StringValue": ring.route}},
    }
    if ring.group:
        # Of a standard topic, SNS hands it on to the queues, which are then fair between groups: up to 128
        # letters, digits and signs. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
        message["MessageGroupId"] = ring.group
    return message


@lru_cache(maxsize=16)
def _say_once(problem):
    # No region, no boto3: as long as nobody mends it, each save would say the same.
    logger.warning(problem)


def topic_arn():
    """The topic that everything goes through. Raises ConfigurationError."""
    if not (arn := conf.get("TOPIC_ARN")):
        raise ConfigurationError('NOTIFIER["TOPIC_ARN"] is not set. Give it the ARN of the SNS topic.')
    return arn


def client():
    """The client for SNS: one request a call, with little patience; see :func:`_ask`."""
    # One a process, and another after the endpoint has changed (the local cloud chooses its port at start).
    return _client_for(os.environ.get("AWS_ENDPOINT_URL_SNS") or os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=4)
def _client_for(endpoint_url):
    import boto3
    from botocore.config import Config

    limits = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 1},
        # Who saves pays for each call: these two are three tenths of it. What is sent is made right here, and
        # boto's own name for itself is put together anew each time.
        parameter_validation=False,
        user_agent=f"Boto3/{boto3.__version__} Notifier",
    )
    # A session of its own: boto3's default one must not be used by two threads at once.
    return boto3.session.Session().client("sns", endpoint_url=endpoint_url, config=limits)
