"""Queues, and the functions behind them."""

from datetime import UTC, datetime

import boto3
import pytest

from notifier.deploy.doctor.findings import Severity
from tests.deploy.doctor.conftest import a_role, deploy, only

FAILED, FETCHING, VISIBILITY = "failed messages", "fetching from the queues", "visibility timeouts"
EMAIL = "shop-production-email"


def queue(name, **attributes):
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


@pytest.fixture
def email(account):
    """URL and ARN of the queue of the function that mails, which is deployed."""
    deploy(account.function("production_email"), a_role())
    return queue(EMAIL, VisibilityTimeout="360")


def test_messages_that_failed_for_good_are_an_error_until_they_are_moved_back(account, visit):
    sqs = boto3.client("sqs")
    url, arn = queue(f"{EMAIL}-dlq")
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    age = {
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": f"{EMAIL}-dlq"}],
        "Value": 7300,
        "Timestamp": datetime.now(UTC),
    }
    boto3.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[age])

    finding = only(visit(FAILED))
    assert finding.severity is Severity.ERROR
    assert f"3 messages of {EMAIL} failed for good, the oldest 2 hours ago" in finding.what
    assert finding.remedy.startswith("zappa tail production_email")
    assert finding.remedy.endswith(f"aws sqs start-message-move-task --source-arn {arn}")

    # moto has no StartMessageMoveTask; from the dead-letter queue it takes everything, as this does.
    sqs.purge_queue(QueueUrl=url)
    assert visit(FAILED) == []


def test_one_message_is_one_also_when_somebody_is_reading_it_and_its_age_is_not_known(account, visit):
    sqs = boto3.client("sqs")
    url, _ = queue(f"{EMAIL}-dlq", VisibilityTimeout="60")
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.receive_message(QueueUrl=url)

    assert f"1 message of {EMAIL} failed for good: in the queue" in only(visit(FAILED)).what


def test_a_function_that_does_not_fetch_is_an_error_until_its_mapping_is_enabled(email, visit):
    client = boto3.client("lambda")
    mapping = client.create_event_source_mapping(FunctionName=EMAIL, EventSourceArn=email[1], Enabled=True)[
        "UUID"
    ]
    assert visit(FETCHING) == []
    client.update_event_source_mapping(UUID=mapping, Enabled=False)

    finding = only(visit(FETCHING))
    assert finding.severity is Severity.ERROR
    assert EMAIL in finding.what
    assert finding.remedy == f"aws lambda update-event-source-mapping --uuid {mapping} --enabled"

    client.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert visit(FETCHING) == []


def test_a_message_that_is_hidden_too_briefly_is_an_error_until_its_queue_hides_it_longer(email, visit):
    assert visit(VISIBILITY) == []
    boto3.client("lambda").update_function_configuration(FunctionName=EMAIL, Timeout=61)

    finding = only(visit(VISIBILITY))
    assert finding.severity is Severity.ERROR
    assert "360 s" in finding.what
    assert (
        finding.remedy
        == f"aws sqs set-queue-attributes --queue-url {email[0]} --attributes VisibilityTimeout=366"
    )

    boto3.client("sqs").set_queue_attributes(QueueUrl=email[0], Attributes={"VisibilityTimeout": "366"})
    assert visit(VISIBILITY) == []


def test_without_queue_or_function_there_is_nothing_to_compare(account, visit):
    assert visit(FAILED) == visit(FETCHING) == visit(VISIBILITY) == []
