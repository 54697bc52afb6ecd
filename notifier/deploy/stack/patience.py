"""Waiting for AWS, which does some things later than it says so."""

import logging
import time

from botocore.exceptions import ClientError

logger = logging.getLogger(__name__)

# All that this package waits by. A test puts another time in their place.
monotonic, sleep = time.monotonic, time.sleep

# A name is blocked for a minute after its queue was deleted, and IAM states no bound at all; what has not
# come by then, does not.
SECONDS, PAUSE_SECONDS = 120, 3
# What was asked of AWS just before is not done yet, or not everywhere. The last part of an error's code:
NOT_YET = frozenset(
    {
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
        "QueueDeletedRecently",
        # Of a mapping that is still being deleted or changed, of a function that is being updated.
        # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
        # https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html
        *("ResourceConflictException", "ResourceInUseException"),
        # A role that is gone, or there, and not everywhere yet.
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
        *("ConcurrentModification", "NoSuchEntity"),
        # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
        *("ConcurrentAccess", "StaleTag"),
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
        # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html
        "ConcurrentModificationException",
        # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
        "OperationAbortedException",
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        "OperationAborted",
    }
)
# Lambda's words for a role, or a policy of it, that IAM has not spread yet.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
ROLE_NOT_YET = (
    "cannot be assumed by Lambda",
    "execution role does not have permissions",
    "KMS key is invalid for CreateGrant",
)


def lacks_its_role(error):
    """Whether Lambda refuses what names a role that IAM has not spread yet."""
    code, message = (error.response["Error"].get(key, "") for key in ("Code", "Message"))
    return code == "InvalidParameterValueException" and any(words in message for words in ROLE_NOT_YET)


def is_early(error):
    """Whether AWS may take the same in a moment."""
    return error.response["Error"]["Code"].rpartition(".")[2] in NOT_YET or lacks_its_role(error)


def patiently(call, *, early=is_early, **arguments):
    """The answer of ``call(**arguments)``, which is asked again while AWS says that it is too early.

    Raises ClientError: any other at once, that one after SECONDS.
    """
    deadline, told = monotonic() + SECONDS, False
    while True:
        try:
            return call(**arguments)
        except ClientError as error:
            if not early(error) or monotonic() >= deadline:
                raise
            if not told:
                logger.warning("Waiting for AWS: %s", error)
        told = True
        sleep(PAUSE_SECONDS)


def wait_until(is_so):
    """Ask until it is so; whether that came within SECONDS."""
    deadline = monotonic() + SECONDS
    while not (found := is_so()) and monotonic() < deadline:
        sleep(PAUSE_SECONDS)
    return found
