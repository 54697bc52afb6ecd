"""The stand-in for SES's event destinations refuses what SES refuses."""

from importlib import import_module

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.mail import EmailMessage

from notifier.local.pump import Pump
from notifier.models import Suppression
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke

SET = "event-destinations"


@pytest.fixture
def ses(cloud):
    client = boto3.client("sesv2")
    client.create_configuration_set(ConfigurationSetName=SET)
    yield client
    client.delete_configuration_set(ConfigurationSetName=SET)


def described(topic_arn):
    destination = {
        "Enabled": True,
        "MatchingEventTypes": ["BOUNCE"],
        "SnsDestination": {"TopicArn": topic_arn},
    }
    return {"ConfigurationSetName": SET, "EventDestinationName": "feedback", "EventDestination": destination}


# mailbox of the simulator → what stands on the delivery, and why its address is suppressed
MAILBOXES = [
    ("success", "", []),
    ("bounce+label", "bounced", ["bounced"]),
    ("complaint", "complained", ["complained"]),
    ("ooto", "", []),  # an automatic reply to what did arrive
    ("suppressionlist", "bounced", ["bounced"]),
    ("somebody", "", []),
]


@pytest.mark.django_db(transaction=True)
def test_what_the_mailbox_simulator_says_comes_back_through_topic_queue_and_function(cloud, settings):
    settings.ANYMAIL = {"AMAZON_SES_CONFIGURATION_SET_NAME": cloud.configuration_set}
    rows = [make_delivery(address=f"{name}@simulator.amazonses.com") for name, *_ in MAILBOXES]
    invoke("email", *bodies_for("email", [row.pk for row in rows]))
    Pump(cloud.queues, {"feedback": import_module("lambdas.feedback").handler}).drain()
    found = []
    for (name, *_), row in zip(MAILBOXES, rows, strict=True):
        row.refresh_from_db()
        reasons = Suppression.objects.filter(address=row.address).values_list("reason", flat=True)
        found.append((name, row.returned, list(reasons)))
    assert found == MAILBOXES
    assert {row.status for row in rows} == {"sent"}


@pytest.fixture
def feedback_arn(cloud):
    """The topic that SES may publish to, of the local cloud's own stack."""
    return f"{cloud.topic_arn}-feedback"


def test_a_destination_is_kept_changed_and_deleted(ses, feedback_arn):
    ses.create_configuration_set_event_destination(**described(feedback_arn))
    ses.update_configuration_set_event_destination(**described(feedback_arn))

    (found,) = ses.get_configuration_set_event_destinations(ConfigurationSetName=SET)["EventDestinations"]
    assert (found["Name"], found["MatchingEventTypes"]) == ("feedback", ["BOUNCE"])

    ses.delete_configuration_set_event_destination(ConfigurationSetName=SET, EventDestinationName="feedback")
    assert ses.get_configuration_set_event_destinations(ConfigurationSetName=SET)["EventDestinations"] == []


@pytest.mark.parametrize(
    ("operation", "changed", "code"),
    [
        # No such set.
        ("get_configuration_set", {"ConfigurationSetName": "none"}, "NotFoundException"),
        ("get_configuration_set_event_destinations", {"ConfigurationSetName": "none"}, "NotFoundException"),
        # No such destination.
        ("delete_configuration_set_event_destination", {"EventDestinationName": "none"}, "NotFoundException"),
        # Twice.
        ("create_configuration_set_event_destination", {}, "AlreadyExistsException"),
        # A topic that SES may not publish to.
        ("update_configuration_set_event_destination", {"topic": ""}, "BadRequestException"),
    ],
)
def test_what_ses_refuses_is_refused(ses, cloud, feedback_arn, operation, changed, code):
    ses.create_configuration_set_event_destination(**described(feedback_arn))
    arguments = described(cloud.topic_arn if "topic" in changed else feedback_arn)
    arguments |= {key: value for key, value in changed.items() if key in arguments}
    taken = ses.meta.service_model.operation_model(
        ses.meta.method_to_api_mapping[operation]
    ).input_shape.members
    with pytest.raises(ClientError) as refused:
        getattr(ses, operation)(**{key: value for key, value in arguments.items() if key in taken})
    assert refused.value.response["Error"]["Code"] == code


def test_the_quota_counts_each_recipient_of_a_mail_once(cloud):
    ses = boto3.client("sesv2")
    before = ses.get_account()["SendQuota"]["SentLast24Hours"]
    EmailMessage("Hi", "Hi", to=["ada@example.com", "bob@example.com"]).send()
    destination = {"ToAddresses": ["ada@example.com"], "CcAddresses": ["bob@example.com"]}
    words = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hi"}}}
    ses.send_email(
        FromEmailAddress="notifier@example.com", Destination=destination, Content={"Simple": words}
    )
    assert ses.get_account()["SendQuota"]["SentLast24Hours"] == before + 4
