"""The bucket of the packages: its name can be told in advance, so whoever has it first must not get the code,
nor give it.
"""

from itertools import product
from types import SimpleNamespace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto.core import DEFAULT_ACCOUNT_ID
from zappa.core import Zappa

from notifier.deploy.stack import Stack, apply, deployment, destroy, plan
from notifier.deploy.stack.account import Account
from notifier.deploy.stack.resources import Bucket
from notifier.exceptions import ConfigurationError
from tests.deploy.stack.conftest import deploy, make_stack, stack

__all__ = ["make_stack", "stack"]

OWNER = "x-amz-expected-bucket-owner"
# They are about no bucket that is there yet.
WITHOUT_OWNER = {"CreateBucket", "ListBuckets"}


class Watched:
    """A session; ``calls`` are S3's, by name, with the owner that each has named."""

    def __init__(self):
        self.session, self.calls = boto3.session.Session(), []
        self.session.events.register("before-call.s3", self._note)

    def _note(self, model, params, **_event):
        self.calls.append((model.name, params["headers"].get(OWNER)))

    @property
    def wrong(self):
        return [
            name for name, owner in self.calls if owner != DEFAULT_ACCOUNT_ID and name not in WITHOUT_OWNER
        ]


def refuse(session, operation, *, status, code):
    """AWS's answer where the bucket is another account's; moto gives none."""

    def answer(request, **_event):
        body = f"<Error><Code>{code}</Code><Message>Access Denied</Message></Error>".encode()
        body = b"" if operation == "HeadBucket" else body
        return AWSResponse(
            request.url, status, {}, SimpleNamespace(stream=lambda: iter([body]), read=lambda: body)
        )

    session.events.register(f"before-send.s3.{operation}", answer)


def test_every_call_of_the_stack_names_the_owner(stack):
    watched = Watched()
    deploy(stack, apply(stack, watched.session))
    plan(stack, watched.session)
    name = Bucket.name_in(Account(stack, watched.session))
    boto3.client("s3").put_object(Bucket=name, Key="package.zip", Body=b"left")
    boto3.client("s3").delete_bucket_lifecycle(Bucket=name)
    apply(stack, watched.session)
    destroy(stack, watched.session)
    assert watched.wrong == []
    assert {name for name, _ in watched.calls} == {
        *("HeadBucket", "GetPublicAccessBlock", "GetBucketLifecycleConfiguration", "CreateBucket"),
        *("PutPublicAccessBlock", "PutBucketLifecycleConfiguration"),
        *("ListObjectVersions", "DeleteObjects", "DeleteBucket"),
    }


def test_every_call_of_zappa_names_the_owner(stack, tmp_path, monkeypatch):
    applied = apply(stack)
    watched = Watched()
    zappa = Zappa(boto_session=watched.session, aws_region="us-east-1")
    Account(stack, watched.session).ask_only_ours(zappa.s3_client)
    # More than one part, too: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    for size in (10, 9 * 1024 * 1024):
        package = tmp_path / f"package{size}.zip"
        package.write_bytes(b"x" * size)
        assert zappa.upload_to_s3(str(package), applied.bucket, disable_progress=True)
        assert zappa.copy_on_s3(package.name, "current.zip", applied.bucket)
        assert zappa.remove_from_s3(package.name, applied.bucket)
    assert watched.wrong == []
    assert {
        "HeadBucket",
        "PutObject",
        "UploadPart",
        "CompleteMultipartUpload",
        "CopyObject",
        "DeleteObject",
    } <= {name for name, _ in watched.calls}
    destroy(stack)


def test_zappas_client_is_bound_before_anything_is_uploaded(stack, monkeypatch):
    watched = Watched()
    functions = {each.stage: each for each in stack.functions}
    zappa = Zappa(boto_session=watched.session, aws_region="us-east-1")
    cli = SimpleNamespace(
        api_stage="production", lambda_name=stack.functions[0].name, django_settings="project.settings",
        architecture="x86_64", stage_config={}, zappa=zappa,
    )  # fmt: skip
    monkeypatch.setattr(
        deployment,
        "read_deployment",
        lambda stage: SimpleNamespace(
            name="production", stack_name=stack.name, web=stack.functions[0], functions=stack.functions,
            function=functions.__getitem__,
        ),
    )  # fmt: skip
    deployment._prepare_account(cli)
    cli.zappa.s3_client.head_bucket(Bucket=cli.s3_bucket_name)
    assert watched.calls[-1] == ("HeadBucket", DEFAULT_ACCOUNT_ID)
    destroy(stack)


TAKEN = {
    "before the first deploy": ("HeadBucket", 403, "403"),
    "between the look and the making": ("CreateBucket", 409, "BucketAlreadyExists"),
    "and its owner lets nobody make it": ("CreateBucket", 403, "AccessDenied"),
}


@pytest.mark.parametrize(("operation", "status", "code"), TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("command", [plan, apply, destroy])
def test_a_name_that_another_account_has_stops_everything_with_a_sentence(
    stack, operation, status, code, command
):
    watched = Watched()
    refuse(watched.session, operation, status=status, code=code)
    if operation == "CreateBucket" and command is not apply:
        command(stack, watched.session)  # they make nothing
        return
    with pytest.raises(ConfigurationError) as caught:
        command(stack, watched.session)
    said = str(caught.value)
    name = Bucket.name_in(Account(stack, watched.session))
    for part in (
        name,
        DEFAULT_ACCOUNT_ID,
        "another account has taken its name",
        "s3:ListBucket",
        "project_name",
    ):
        assert part in said
    assert {name for name, _ in watched.calls} <= {"HeadBucket", "CreateBucket"}


@pytest.mark.parametrize("operation", ["PutPublicAccessBlock", "PutBucketLifecycleConfiguration"])
def test_nothing_is_put_into_one_that_changes_hands_meanwhile(stack, operation):
    watched = Watched()
    refuse(watched.session, operation, status=403, code="AccessDenied")
    with pytest.raises(Exception, match="AccessDenied"):
        apply(stack, watched.session)
    assert not {"PutObject"} & {name for name, _ in watched.calls}
    destroy(stack)


def test_another_region_and_another_account_are_another_name():
    names = {
        Bucket.name_in(SimpleNamespace(id=id, region=region, stack=Stack(name=name)))
        for id, region, name in product(["1" * 12, "2" * 12], ["eu-west-1", "us-east-1"], ["a", "b" * 60])
    }
    assert len(names) == 8
