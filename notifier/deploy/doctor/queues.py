"""The queues before the functions: messages that were given up, and functions that do not fetch."""

from datetime import UTC, datetime, timedelta

from .findings import error

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
# CloudWatch has SQS's figures a few minutes late.
LOOK_BACK = timedelta(minutes=15)


def check_failed_messages(context, function):
    """Messages in a dead-letter queue wait for a person; they are deleted two weeks after they were sent."""
    if not (dlq := _attributes(context, f"{function.name}-dlq")):
        return
    if count := sum(int(dlq[name]) for name in COUNTS):
        yield error(
            f"{count} message{'s' if count > 1 else ''} of {function.name} failed for "
            f"good{_age(context, function)}: "
            f"in the queue {function.name}-dlq.",
            f"zappa tail {function.stage}   and once the cause is gone: "
            f"aws sqs start-message-move-task --source-arn {dlq['QueueArn']}",
        )


def check_fetching(context, function):
    """The event source mapping: without it, or while it is off, messages pile up in the queue."""
    if context.configuration(function) is None:
        return
    for mapping in context.mappings(function):
        if mapping["State"] in ("Disabled", "Disabling"):
            yield error(
                f"{function.name} does not fetch from its queue: the event source mapping is off.",
                f"aws lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled",
            )


def check_visibility(context, function):
    """A message must stay hidden while its function may still be at it, or it is handled twice.

    Six times the function's timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    configuration, queue = context.configuration(function), _attributes(context, function.name)
    if not configuration or not queue:
        return
    timeout, hidden = configuration["Timeout"], int(queue["VisibilityTimeout"])
    if hidden < 6 * timeout:
        yield error(
            f"The queue {function.name} hides a message for {hidden} s, but its function may "
            f"run {timeout} s; it takes {6 * timeout} s.",
            f"aws sqs set-queue-attributes --queue-url {queue['QueueUrl']} --attributes "
            f"VisibilityTimeout={6 * timeout}",
        )


def _attributes(context, name):
    """Attributes and URL of the queue ``name``; None where there is none, which the stack's plan tells."""
    sqs = context.client("sqs")
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    return {"QueueUrl": url, **sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]}


def _age(context, function):
    """`, the oldest 3 hours ago`, as far as CloudWatch tells: the age counts from the first sending."""
    now = datetime.now(UTC)
    found = context.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": f"{function.name}-dlq"}],
        StartTime=now - LOOK_BACK,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    seconds = max((point["Maximum"] for point in found["Datapoints"]), default=0)
    return f", the oldest {_in_words(seconds)} ago" if seconds else ""


def _in_words(seconds):
    for unit, length in ("day", 86400), ("hour", 3600), ("minute", 60):
        if count := int(seconds // length):
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"
