"""Who may do what: the role of a function, its own policy, and what Lambda refuses to begin with."""

from functools import partial

import boto3
import pytest
from botocore.exceptions import ClientError

from .policies import allows
from .runtimes import RUNTIME
from .toys import CALLER, LOGGING, PATIENT_SECONDS, POLLING, deploy, make_queue, make_role, package

ALLOWED = "arn:aws:sns:us-east-1:123456789012:plums"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


def from_function(name):
    return {"Condition": {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION + name}}}


def publishing(resource, effect="Allow", **element):
    return {"Effect": effect, "Action": "sns:Publish", "Resource": resource} | element


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([publishing(ALLOWED)], 200),
        ([publishing("arn:aws:sns:*:*:pl?ms")], 200),
        ([publishing("arn:aws:sns:us-east-1:123456789012:figs")], 403),  # another topic
        ([publishing(ALLOWED, Action="sns:Subscribe")], 403),  # another action
        ([publishing(ALLOWED, Action=["SNS:publish"])], 200),  # actions know no case
        ([publishing("*"), publishing(ALLOWED, effect="Deny")], 403),  # a denial wins
        # Telephones only
        ([{"Effect": "Allow", "Action": "sns:Publish", "NotResource": "arn:aws:sns:*:*:*"}], 403),
        ([publishing("*"), publishing("*", effect="Deny", **from_function("caller"))], 403),
        ([publishing("*"), publishing("*", effect="Deny", **from_function("call??"))], 403),
        ([publishing("*"), publishing("*", effect="Deny", **from_function("other"))], 200),
        ([publishing("*", **from_function("caller"))], 200),
        ([], 403),
    ],
)
def test_a_function_may_do_what_its_role_allows_and_nothing_else(strict_service, statements, status):
    deploy("caller", CALLER, statements=[LOGGING, *statements])
    topic = boto3.client("sns").create_topic(Name="plums")["TopicArn"]
    answered, text = strict_service.invoke("caller", {"topic": topic}).json()
    assert answered == status
    [call] = [call for call in strict_service.calls_of("caller") if call.service == "sns"]
    assert call.denied == (status == 403)
    if status == 403:
        assert (
            f"assumed-role/caller/caller is not authorized to perform: sns:Publish on resource: {topic}"
            in text
        )


@pytest.mark.parametrize(
    ("operator", "wanted", "arn", "is_met"),
    [
        ("StringEquals", FUNCTION + "a", FUNCTION + "a", True),
        ("StringEquals", FUNCTION + "*", FUNCTION + "a", False),  # no wildcards
        ("ArnEquals", FUNCTION + "a", FUNCTION + "a", True),
        ("ArnEquals", FUNCTION + "a", FUNCTION + "A", False),  # case counts
        ("ArnEquals", FUNCTION + "a", FUNCTION + "a:1", False),
        ("ArnEquals", FUNCTION + "*", FUNCTION + "a:1", True),
        ("ArnEquals", [FUNCTION + "a", FUNCTION + "b"], FUNCTION + "b", True),  # one of them
        ("ArnEquals", "arn:aws:lambda:*:function:a", FUNCTION + "a", False),  # a wildcard is of one part
        ("ArnEquals", "*", FUNCTION + "a", False),
        ("ArnLike", "arn:*:lambda:*:*:function:?", FUNCTION + "a", True),
        ("ArnEquals", FUNCTION + "a", None, False),  # a call of Lambda's own, for the function
        ("ArnLike", "*", None, False),
    ],
)
def test_a_condition_is_met_as_iam_says(operator, wanted, arn, is_met):
    condition = {operator: {"lambda:SourceFunctionArn": wanted}}
    context = {"lambda:SourceFunctionArn": arn} if arn else {}
    for effect, expected in (("Allow", is_met), ("Deny", not is_met)):
        asked = {"Statement": [publishing(ALLOWED, effect=effect, Condition=condition)]}
        other = {"Statement": [publishing(ALLOWED)] if effect == "Deny" else []}
        assert allows([asked, other], "sns:Publish", ALLOWED, context) == expected


def test_a_condition_that_nobody_has_taught_it_is_no_condition_that_is_met():
    asked = {"Statement": [publishing(ALLOWED, Condition={"ArnNotLike": {"a": "b"}})]}
    with pytest.raises(NotImplementedError, match="ArnNotLike"):
        allows([asked], "sns:Publish", ALLOWED)


def test_the_deployer_may_do_everything(strict_service):
    boto3.client("sns").create_topic(Name="plums")


def test_without_permission_to_write_a_log_the_lines_are_lost_and_the_function_runs(strict_service):
    deploy("mute", "def handler(event, context):\n    print('plum')\n    return 1", statements=[])
    assert strict_service.invoke("mute").json() == 1
    assert strict_service.logs("mute") == ""


@pytest.mark.parametrize(
    ("service_name", "operation", "parameters", "code"),
    [
        ("sns", "publish", {"PhoneNumber": "+15550100", "Message": "a"}, "AuthorizationError"),
        ("sqs", "get_queue_url", {"QueueName": "a"}, "AccessDenied"),
        ("ssm", "get_parameters", {"Names": ["/a/B"]}, "AccessDeniedException"),
        ("logs", "create_log_group", {"logGroupName": "/a"}, "AccessDeniedException"),
        (
            "sesv2",
            "send_email",
            {"FromEmailAddress": "a@example.com", "Content": {"Raw": {"Data": b"a"}}},
            "AccessDeniedException",
        ),
    ],
)
def test_a_denial_is_what_boto3_knows_it_as(strict_service, service_name, operation, parameters, code):
    deploy("caller", CALLER, statements=[])
    client = boto3.client(service_name, aws_access_key_id="FUNCTION.caller", aws_secret_access_key="local")
    with pytest.raises(ClientError) as denied:
        getattr(client, operation)(**parameters)
    assert denied.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([("ses:SendEmail", "identity/example.com"), ("ses:SendRawEmail", "identity/example.com")], True),
        ([("ses:SendEmail", "identity/example.com")], False),  # the content is raw
        ([("ses:Send*", "identity/other.example")], False),
    ],
)
def test_mail_needs_the_identity_that_sends_it(strict_service, statements, allowed):
    found = [
        {"Effect": "Allow", "Action": a, "Resource": f"arn:aws:ses:us-east-1:123456789012:{r}"}
        for a, r in statements
    ]
    deploy("mailer", CALLER, statements=found)
    boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
    client = boto3.client("sesv2", aws_access_key_id="FUNCTION.mailer", aws_secret_access_key="local")
    raw = {"Raw": {"Data": b"From: Plum <plum@example.com>\nTo: a@example.org\nSubject: s\n\nb"}}
    send = partial(client.send_email, Content=raw, Destination={"ToAddresses": ["a@example.org"]})
    if allowed:
        send()
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            send()


def granting(*actions, resource="*", by=""):
    condition = {"Condition": {"StringEquals": {"aws:CalledViaLast": f"{by}.amazonaws.com"}}} if by else {}
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | condition


PHONE = {"phoneNumber": "+12065550123"}
TO_PHONE = {"PhoneNumber": "+12065550123", "Message": "a"}
SEND, WHO = "sms-voice:SendTextMessage", "sms-voice:DescribeOptedOutNumbers"
PUBLISH, ASK, DELETE = "sns:Publish", "sns:CheckIfPhoneNumberIsOptedOut", "sns:DeleteEndpoint"
ENDPOINTS = "arn:aws:sns:us-east-1:123456789012:endpoint/*"
DEVICE = {"EndpointArn": ENDPOINTS.replace("*", "GCM/shop/1")}
SUBSCRIPTION = {"SubscriptionArn": f"{ALLOWED}:0a1b2c3d"}
LEAVE = "sns:Unsubscribe"


@pytest.mark.parametrize(
    ("operation", "parameters", "statements", "missing"),
    [
        # SNS has another service send, and look up who has opted out.
        ("publish", TO_PHONE, [granting(PUBLISH)], f"{SEND} on resource: *"),
        ("publish", TO_PHONE, [granting(PUBLISH), granting(SEND, by="ses")], f"{SEND} on resource: *"),
        ("publish", TO_PHONE, [granting(PUBLISH), granting(SEND, by="sns")], ""),
        ("check_if_phone_number_is_opted_out", PHONE, [granting(ASK)], f"{WHO} on resource: arn:"),
        ("check_if_phone_number_is_opted_out", PHONE, [granting(ASK), granting(WHO, by="sns")], ""),
        # An endpoint is no resource, nor is a subscription.
        ("delete_endpoint", DEVICE, [granting(DELETE, resource=ENDPOINTS)], f"{DELETE} on resource: *"),
        ("delete_endpoint", DEVICE, [granting(DELETE)], ""),
        ("unsubscribe", SUBSCRIPTION, [granting(LEAVE, resource=f"{ALLOWED}:*")], f"resource: {ALLOWED}"),
        ("unsubscribe", SUBSCRIPTION, [granting(LEAVE, resource=ALLOWED)], ""),
    ],
)
def test_sns_compares_as_the_reference_says(strict_service, operation, parameters, statements, missing):
    deploy("caller", CALLER, statements=statements)
    client = boto3.client("sns", aws_access_key_id="FUNCTION.caller", aws_secret_access_key="local")
    try:
        getattr(client, operation)(**parameters)
        said = ""
    except ClientError as refused:
        said = str(refused) if refused.response["Error"]["Code"] == "AuthorizationError" else ""
    assert missing in said
    assert bool(missing) == bool(said)


OF_SMS = "arn:aws:sms-voice:us-east-1:123456789012:"


@pytest.mark.parametrize(
    ("sender", "resource", "is_allowed"),
    [
        ({"OriginationIdentity": "pool-1"}, OF_SMS + "pool/*", True),
        ({"OriginationIdentity": OF_SMS + "pool/pool-1"}, OF_SMS + "pool/*", True),
        ({"OriginationIdentity": "phone-1"}, OF_SMS + "pool/*", False),
        ({"OriginationIdentity": "+12065550100"}, OF_SMS + "phone-number/*", False),  # which is no ARN
        ({"OriginationIdentity": "+12065550100"}, "*", True),
        ({}, OF_SMS + "*", False),
        ({}, "*", True),
    ],
)
def test_a_text_is_compared_with_what_it_names(strict_service, sender, resource, is_allowed):
    deploy("texter", CALLER, statements=[granting(SEND, resource=resource)])
    client = boto3.client(
        "pinpoint-sms-voice-v2", aws_access_key_id="FUNCTION.texter", aws_secret_access_key="local"
    )
    send = partial(client.send_text_message, DestinationPhoneNumber="+12065550123", MessageBody="a")
    if is_allowed:
        assert send(**sender)["MessageId"]
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            send(**sender)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "AWS_REGION"),  # Lambda's own
        ({"Environment": {"Variables": {"WORD": "x" * 4096}}}, "4KB"),
        ({"Role": "arn:aws:iam::123456789012:role/nobody"}, "cannot be assumed"),
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip"),
    ],
)
def test_a_function_that_lambda_would_not_take_is_refused(service, change, words):
    sound = {
        "Role": make_role("toy"),
        "Code": {"ZipFile": package(CALLER)},
        "Handler": "toy.handler",
        "Runtime": RUNTIME,
    }
    with pytest.raises(ClientError, match="InvalidParameterValueException.*" + words):
        boto3.client("lambda").create_function(FunctionName="toy", **sound | change)


def test_a_role_that_lambda_is_not_trusted_with_is_refused(service):
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = boto3.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        boto3.client("lambda").create_function(
            FunctionName="toy",
            Role=role,
            Code={"ZipFile": package(CALLER)},
            Handler="toy.handler",
            Runtime=RUNTIME,
        )


@pytest.mark.parametrize(
    ("statements", "visible", "mapping", "words"),
    [
        ([LOGGING], PATIENT_SECONDS, {}, "does not have permissions to call ReceiveMessage on SQS"),
        ([POLLING], 5, {}, "Queue visibility timeout: 5 seconds is less than Function timeout: 900 seconds"),
        ([POLLING], PATIENT_SECONDS, {"BatchSize": 11}, "batch window"),
    ],
)
def test_a_mapping_that_could_not_work_is_refused(service, statements, visible, mapping, words):
    deploy("worker", CALLER, statements=statements)
    _, arn = make_queue("work", visibility_timeout_seconds=visible)
    with pytest.raises(ClientError, match=words):
        boto3.client("lambda").create_event_source_mapping(
            FunctionName="worker", EventSourceArn=arn, **mapping
        )


def test_a_second_mapping_statement_or_url_of_the_same_is_a_conflict(service):
    arn = deploy("worker", CALLER)
    _, queue = make_queue("work")
    client = boto3.client("lambda")
    statement = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    for make in (
        lambda name: client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue),
        lambda name: client.add_permission(FunctionName=name, **statement),
        lambda name: client.create_function_url_config(FunctionName=name, AuthType="NONE"),
    ):
        make("worker")
        with pytest.raises(ClientError, match="ResourceConflictException"):
            make(arn)


def test_a_function_is_known_by_its_name_and_by_its_arn(service):
    arn = deploy("worker", CALLER)
    _, queue = make_queue("work")
    client = boto3.client("lambda")
    client.create_event_source_mapping(FunctionName=arn, EventSourceArn=queue)
    for name in ("worker", arn, "123456789012:function:worker"):
        assert len(client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]) == 1
    assert client.list_event_source_mappings(FunctionName="work")["EventSourceMappings"] == []
