"""Small functions for the tests of the service, deployed as anybody deploys: a role, a package,
CreateFunction.
"""

import io
import json
import zipfile
from textwrap import dedent

import boto3

from .runtimes import RUNTIME

# So long that no function's time is up, and no batch comes back, because a machine is slow; Lambda's longest.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
PATIENT_SECONDS = 900
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
LOGGING = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}
POLLING = {
    "Effect": "Allow",
    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "Resource": "*",
}
ECHO = """
    import os
    def handler(event, context):
        print("handling", event)
        return {"event": event, "name": context.function_name, "word": os.environ.get("WORD")}
"""
PROCESS = """
    import os
    started = []
    def handler(event, context):
        started.append(event)
        return {"pid": os.getpid(), "events": len(started), "word": os.environ.get("WORD")}
"""
# Two of them end only when both run: each waits for the other's file.
MEETING = """
    import os, pathlib, time
    def handler(event, context):
        pathlib.Path(event["folder"], event["me"]).touch()
        while not pathlib.Path(event["folder"], event["other"]).exists():
            time.sleep(0.01)
        return os.getpid()
"""
# Says by a file that it runs, and goes on when another one appears.
GATED = """
    import pathlib, time
    import word
    def handler(event, context):
        for each in event.get("Records", [event]):
            folder = pathlib.Path(each.get("folder") or each["body"])
            (folder / "running").touch()
            while not (folder / "go").exists():
                time.sleep(0.01)
        import late
        return [word.WORD, late.WORD]
"""
# A call of its own without an SDK, as small as a signed request can be: publishes to SNS.
CALLER = """
    import os, urllib.error, urllib.parse, urllib.request
    def handler(event, context):
        said = {"Action": "Publish", "TopicArn": event["topic"], "Message": "plum"}
        form = urllib.parse.urlencode(said).encode()
        scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_REGION']}/sns/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"
        try:
            asked = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], form, {"Authorization": signed})
            with urllib.request.urlopen(asked) as answer:
                return [answer.status, answer.read().decode()]
        except urllib.error.HTTPError as error:
            return [error.code, error.read().decode()]
"""


def package(source, *, mode=0o644, **others):
    """A zip, as bytes, with ``source`` as toy.py; ``others`` are further modules, name → source."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in {"toy": source, **others}.items():
            entry = zipfile.ZipInfo(f"{name}.py")
            entry.external_attr = mode << 16
            archive.writestr(entry, dedent(text))
    return held.getvalue()


def make_role(name, *statements):
    """A role that Lambda may take on, with ``statements`` for its one inline policy. Returns its ARN."""
    iam = boto3.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    if statements:  # a policy without a statement is none
        document = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(RoleName=name, PolicyName="toy", PolicyDocument=json.dumps(document))
    return arn


def deploy(
    name,
    source,
    *,
    statements=(LOGGING, POLLING),
    timeout_seconds=PATIENT_SECONDS,
    variables=None,
    handler="toy.handler",
    role=None,
):
    """A function that runs ``source``'s ``handler``, with a role of its own unless there is one.

    Returns its ARN.
    """
    return boto3.client("lambda").create_function(
        FunctionName=name,
        Role=role or make_role(name, *statements),
        Runtime=RUNTIME,
        Handler=handler,
        Timeout=timeout_seconds,
        Code={"ZipFile": package(source)},
        Environment={"Variables": variables or {}},
    )["FunctionArn"]


def make_queue(name, *, visibility_timeout_seconds=PATIENT_SECONDS, **attributes):
    """``(url, arn)`` of a new queue."""
    sqs = boto3.client("sqs")
    attributes = {"VisibilityTimeout": str(visibility_timeout_seconds), **attributes}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def send(url, *bodies):
    """Put messages into a queue, ten a call."""
    sqs = boto3.client("sqs")
    for first in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[first : first + 10])]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
