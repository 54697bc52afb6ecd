"""Finds the link of topic → queue → function that is broken, asked of AWS from the outside. Called by
``after``.
"""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .engine import plan

VISIBLE, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


def broken_link(stack, route, session=None, *, stage):
    """One sentence about the first link, from the topic on, that keeps messages from the function behind
    ``route``.

    None when they move, and only others are before them. ``stage`` is the environment's, for the command that
    mends it.
    """
    session = session or boto3.session.Session()
    name = f"{stack.name}-{route}"
    try:
        sqs = session.client("sqs", region_name=stack.region)
        return _differing(stack, name, session, stage) or _stuck(sqs, name, f"{stage}_{route}")
    except (BotoCoreError, ClientError) as error:
        return f"where it was lost could not be found out: {error}"


def _differing(stack, name, session, stage):
    changes = [change for change in plan(stack, session) if change.resource.split()[-1] in (stack.name, name)]
    if changes:
        return "; ".join(map(str, changes)) + f". Put it right with: python manage.py stack apply {stage}"
    return None


def _stuck(sqs, name, stage):
    waiting, taken = _depths(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])
    if waiting and taken:
        return None
    if waiting:
        return (
            f"{waiting} messages wait in queue {name} and nobody takes them: is its event source "
            "mapping enabled?"
        )
    if taken:
        return (
            f"function {name} takes messages ({taken} under way) and does not get done with them. "
            f"See: zappa tail {stage} --since 15m"
        )
    return (
        f"nothing has come to queue {name}. Either the fan-out before it has not passed it on, "
        "or the subscription is new: SNS takes up "
        "to 15 minutes to follow a new filter."
    )


def _depths(sqs, url):
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[VISIBLE, IN_FLIGHT])["Attributes"]
    return int(found[VISIBLE]), int(found[IN_FLIGHT])
