"""Finds the link of topic → queue → function that is broken, asked of AWS from the outside. Called by
``after``.
"""

import time
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .engine import plan

VISIBLE, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
MADE_AT = "CreatedTimestamp"
# So long SNS may take to follow a filter, and drops what it would have let through:
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
YOUNG_SECONDS = 15 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Where a message was lost, in a sentence.

    ``is_young``: nothing has come by a subscription that SNS may not follow yet.
    """

    text: str
    is_young: bool = False


def find_loss(stack, route, session=None, *, stage, fresh=False):
    """A Loss at the first link, from the topic on, that keeps messages from the function behind ``route``.

    None when they move, and only others are before them. ``stage`` is the environment's, for the command that
    mends it. ``fresh``: the subscription was made or changed a moment ago; else it is as old as its queue.
    """
    session = session or boto3.session.Session()
    name = f"{stack.name}-{route}"
    try:
        sqs = session.client("sqs", region_name=stack.region)
        return _differing(stack, name, session, stage) or _stuck(sqs, name, f"{stage}_{route}", fresh)
    except (BotoCoreError, ClientError) as error:
        return Loss(text=f"where it was lost could not be found out: {error}")


def _differing(stack, name, session, stage):
    changes = [change for change in plan(stack, session) if change.resource.split()[-1] in (stack.name, name)]
    if not changes:
        return None
    text = "; ".join(map(str, changes))
    return Loss(text=f"{text}. Put it right with: python manage.py stack apply {stage}")


def _stuck(sqs, name, stage, fresh):
    waiting, taken, made_at = _read(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])
    if waiting and taken:
        return None
    if waiting:
        return Loss(
            text=f"{waiting} messages wait in queue {name} and nobody takes them: is its event source "
            "mapping enabled?"
        )
    if taken:
        return Loss(
            text=f"function {name} takes messages ({taken} under way) and does not get done with them. "
            f"See: zappa tail {stage} --since 15m"
        )
    return Loss(
        text=f"nothing has come to queue {name}. Either the fan-out before it has not passed it on, or the "
        "subscription is new: SNS takes up to 15 minutes to follow a new filter.",
        is_young=fresh or time.time() - made_at < YOUNG_SECONDS,
    )


def _read(sqs, url):
    asked = [VISIBLE, IN_FLIGHT, MADE_AT]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    return [int(float(found[name])) for name in asked]
