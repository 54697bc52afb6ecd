"""Rings at SNS, after the commit. A ring that is lost costs a minute: the sweep rings again."""

import logging
import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.db import connections, transaction

from .. import conf
from ..exceptions import ConfigurationError
from .ring import FANOUT, Ring

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
        self.ids = []
        self.published = False

    def publish(self):
        if not self.published:
            self.published = True
            publish([Ring(route=FANOUT, ids=(pk,)) for pk in self.ids])


def ring_on_commit(event_ids, *, using):
    """Publish these events when the transaction commits, together with its others."""
    if not event_ids:
        return
    chunks = [_open_chunk(connections[using])]
    for pk in event_ids:
        if len(chunks[-1].ids) == MAX_BATCH_ENTRIES:
            chunks.append(_Chunk())
        chunks[-1].ids.append(pk)
    connections[using].notifier_chunk = chunks[-1]
    for chunk in chunks:
        # A hook a call: a savepoint that is rolled back takes its own hooks along and leaves the others'.
        transaction.on_commit(chunk.publish, using=using)


def _open_chunk(connection):
    chunk = getattr(connection, "notifier_chunk", None)
    if chunk is None or chunk.published or len(chunk.ids) == MAX_BATCH_ENTRIES:
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
    """Publish ``rings`` in batches of ten; return those that failed.

    Never raises for what SNS does: the rows are the truth. Without a topic there is nobody to ring, which
    ``manage.py check --deploy`` says and no log.
    """
    failed = []
    if _diverted.get():
        return failed
    if not conf.get("TOPIC_ARN"):
        return list(rings)
    for start in range(0, len(rings), MAX_BATCH_ENTRIES):
        failed += _publish_batch(rings[start : start + MAX_BATCH_ENTRIES])
    return failed


def _publish_batch(rings):
    entries = [
        {
            "Id": str(position),
            "Message": ring.body(),
            "MessageAttributes": {"route": {"DataType": "String", "StringValue": ring.route}},
        }
        for position, ring in enumerate(rings)
    ]
    try:
        sns = client()
    except Exception as error:
        _say_once(f"There is no client of SNS, the sweep will ring again: {error}")
        return rings
    try:
        answer = sns.publish_batch(TopicArn=conf.get("TOPIC_ARN"), PublishBatchRequestEntries=entries)
    except Exception as error:
        # Boto's errors have no common base, and none of them may reach who saves, fans out or sweeps.
        logger.warning("SNS took none of %d messages, the sweep will ring again: %s", len(rings), error)
        return rings
    # An answer of 200 can hold entries that failed.
    failed = [rings[int(entry["Id"])] for entry in answer.get("Failed", ())]
    if failed:
        logger.warning("SNS refused %d of %d messages, the sweep will ring again.", len(failed), len(rings))
    return failed


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
    """The client for SNS: one request a call, and little patience."""
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
    )
    # A session of its own: boto3's default one must not be used by two threads at once.
    return boto3.session.Session().client("sns", endpoint_url=endpoint_url, config=limits)
