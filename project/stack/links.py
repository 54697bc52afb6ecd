"""Which link of topic → queue → function is broken, asked of AWS from the outside."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .engine import plan

VISIBLE, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


def broken_link(stack, route, session=None):
    """One sentence about the first link, from the topic on, that keeps messages from the function behind ``route``."""
    session = session or boto3.session.Session()
    name = f"{stack.name}-{route}"
    try:
        return _differing(stack, name, session) or _stuck(session.client("sqs", region_name=stack.region), name)
    except (BotoCoreError, ClientError) as error:
        return f"where it was lost could not be found out: {error}"


def _differing(stack, name, session):
    changes = [change for change in plan(stack, session) if change.resource.split()[-1] in (stack.name, name)]
    if changes:
        return "; ".join(map(str, changes)) + ". Put it right with: python manage.py stack apply"
    return None


def _stuck(sqs, name):
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    dead = sqs.get_queue_url(QueueName=f"{name}-dlq")["QueueUrl"]
    waiting, taken = _depths(sqs, url)
    buried, _ = _depths(sqs, dead)
    if waiting:
        return f"{waiting} messages wait in queue {name} and nobody takes them: is its event source mapping enabled?"
    if taken or buried:
        return f"function {name} takes messages and fails ({taken} under way, {buried} in {name}-dlq). Its log says why."
    return f"nothing has come to queue {name}: the topic's subscription or the fan-out before it has not passed it on."


def _depths(sqs, url):
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[VISIBLE, IN_FLIGHT])["Attributes"]
    return int(found[VISIBLE]), int(found[IN_FLIGHT])
