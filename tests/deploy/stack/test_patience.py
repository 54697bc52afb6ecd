"""What AWS does later than it says so is waited for: names just deleted, roles just made, one change at a
time.
"""

import io
import json

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from notifier.deploy.stack import deployment, patience
from notifier.deploy.stack.engine import ROLE_SECONDS
from notifier.local.lambda_account import QUOTA
from tests.deploy.stack.conftest import apply, deploy, destroy, plan
from tests.support.virtual_time import pass_at_once

ROLE = "arn:aws:iam::123456789012:role/shop"
NOT_SPREAD = [
    "The role defined for the function cannot be assumed by Lambda.",
    "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
    "CreateGrant. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid principal",
]


@pytest.fixture
def clock(monkeypatch):
    """The time that the stack waits by, which passes at once."""
    return pass_at_once(monkeypatch, patience)


def refusing(clock, service, operation, code, *, seconds, message="Not yet."):
    """A session whose calls of ``operation`` AWS refuses until then, in the form of that service."""
    session = boto3.session.Session()

    def refuse(**_event):
        if clock.now >= seconds:
            return None
        answer = AWSResponse("http://localhost", 400, {"x-amzn-query-error": f"{code};Sender"}, io.BytesIO())
        xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        answer._content = {
            "s3": xml,
            **dict.fromkeys(("iam", "sns"), f"<ErrorResponse>{xml}</ErrorResponse>"),
        }.get(service, json.dumps({"__type": code.rpartition(".")[2], "message": message})).encode()
        return answer

    session.events.register(f"before-send.{service}.{operation}", refuse)
    return session


# What a deploy that follows a destroy at once may be told, by each service that can say so.
SOON = [
    ("sqs", "CreateQueue", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ("iam", "CreateRole", "ConcurrentModification"),
    ("iam", "PutRolePolicy", "NoSuchEntity"),  # the role is not everywhere yet
    ("sns", "CreateTopic", "ConcurrentAccess"),
    ("sns", "CreateTopic", "StaleTag"),
    ("logs", "CreateLogGroup", "OperationAbortedException"),
    ("events", "PutRule", "ConcurrentModificationException"),
    ("sesv2", "CreateConfigurationSet", "ConcurrentModificationException"),
    ("s3", "CreateBucket", "OperationAborted"),
    ("s3", "PutPublicAccessBlock", "OperationAborted"),  # the bucket is ours by then
    ("lambda", "CreateEventSourceMapping", "ResourceConflictException"),  # the old one is being deleted
    ("lambda", "AddPermission", "ResourceConflictException"),  # the function is being updated
    ("lambda", "PutFunctionEventInvokeConfig", "ResourceConflictException"),
]


@pytest.mark.parametrize(("service", "operation", "code"), SOON)
def test_destroyed_and_deployed_again_at_once_it_waits(make_stack, clock, service, operation, code):
    stack = make_stack(channels=())
    deploy(stack, apply(stack))
    destroy(stack)
    apply(stack, refusing(clock, service, operation, code, seconds=61))
    assert 61 <= clock.now < patience.SECONDS
    assert plan(stack) == []


@pytest.mark.parametrize(
    ("operation", "act"), [("UpdateEventSourceMapping", apply), ("DeleteEventSourceMapping", destroy)]
)
def test_a_mapping_that_is_still_being_made_is_changed_or_deleted_when_it_is(
    deployed, clock, monkeypatch, operation, act
):
    monkeypatch.setenv(QUOTA, "10")  # so that there is something to change
    act(deployed, refusing(clock, "lambda", operation, "ResourceInUseException", seconds=40))
    assert clock.now >= 40


def test_what_is_too_early_for_ever_is_an_error_in_aws_own_words(stack, clock):
    code, words = "AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds"
    session = refusing(clock, "sqs", "CreateQueue", code, seconds=9999, message=words)
    with pytest.raises(ClientError, match=words):
        apply(stack, session)
    assert patience.SECONDS <= clock.now < patience.SECONDS + 10


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sqs", "CreateQueue", "AWS.SimpleQueueService.QueueNameExists"),
        ("iam", "CreateRole", "LimitExceeded"),
        ("sns", "CreateTopic", "AuthorizationError"),
        ("s3", "CreateBucket", "TooManyBuckets"),
        ("logs", "CreateLogGroup", "LimitExceededException"),
    ],
)
def test_what_no_time_mends_is_an_error_at_once(stack, clock, service, operation, code):
    with pytest.raises(ClientError, match=code.rpartition(".")[2]):
        apply(stack, refusing(clock, service, operation, code, seconds=9999))
    assert clock.now == 0


def test_it_is_said_once_what_is_waited_for(stack, clock, caplog):
    session = refusing(clock, "sqs", "CreateQueue", "QueueDeletedRecently", seconds=50, message="Wait 60 s.")
    apply(stack, session)
    assert [each.message for each in caplog.records if "Wait 60 s." in each.message] == [
        "Waiting for AWS: An error occurred (QueueDeletedRecently) when calling the CreateQueue operation: "
        "Wait 60 s."
    ]


# Roles


@pytest.mark.parametrize("words", NOT_SPREAD)
@pytest.mark.parametrize("operation", ["create_function", "update_function_configuration"])
def test_zappas_own_call_is_asked_again_until_lambda_knows_the_role(clock, operation, words):
    calls = []

    def call(**asked):
        calls.append(asked)
        if clock.now < 15:
            error = {"Code": "InvalidParameterValueException", "Message": words}
            raise ClientError({"Error": error}, operation)
        return "there"

    assert deployment._once_it_has_its_role(call)(FunctionName="shop", Role=ROLE) == "there"
    assert len(calls) > 1
    assert {json.dumps(each) for each in calls} == {json.dumps({"FunctionName": "shop", "Role": ROLE})}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes"),
        ("ResourceConflictException", "Function already exist: shop"),
        ("AccessDeniedException", "is not authorized to perform: iam:PassRole"),
    ],
)
def test_another_refusal_of_lambda_stops_the_deploy_at_once(clock, code, words):
    def call(**_asked):
        raise ClientError({"Error": {"Code": code, "Message": words}}, "CreateFunction")

    with pytest.raises(ClientError, match=code):
        deployment._once_it_has_its_role(call)(FunctionName="shop")
    assert clock.now == 0


class SessionWithAws(boto3.session.Session):
    """A session of whose IAM the stack believes that it is AWS's, where roles take time to spread."""

    def client(self, service, **options):
        made = super().client(service, **options)
        if service == "iam":
            made.meta._endpoint_url = "https://iam.amazonaws.com"
        return made


@pytest.mark.parametrize(
    ("edited", "waits"), [("nothing", 0), ("a policy", ROLE_SECONDS), ("a role", ROLE_SECONDS)]
)
def test_roles_that_were_made_or_changed_are_given_time_to_spread(stack, clock, edited, waits):
    apply(stack)
    iam, role = boto3.client("iam"), {"RoleName": f"{stack.name}-email"}
    if edited != "nothing":
        iam.delete_role_policy(**role, PolicyName="function")
    if edited == "a role":
        iam.delete_role(**role)
    apply(stack, SessionWithAws())
    assert clock.now == waits
