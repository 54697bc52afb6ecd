"""The bucket through which Zappa uploads packages.

Zappa deletes each afterwards; what an interrupted deploy leaves goes by itself.
"""

import zlib
from contextlib import contextmanager

from botocore.exceptions import ClientError

from notifier.exceptions import ConfigurationError

from .kind import Kind, unless

MISSING = ("NoSuchBucket", "404")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
SOMEBODY_ELSES = ("403", "AccessDenied", "BucketAlreadyExists", "AllAccessDisabled")
OURS = ("BucketAlreadyOwnedByYou",)
DAYS = 1
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
MOST_CHARACTERS = 63
# Where S3 began, which must not be named:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
FIRST_REGION = "us-east-1"


class Bucket(Kind):
    label = "bucket"

    @staticmethod
    def name_in(account):
        """Names of buckets are the world's, so the account is part of it; what is too long is cut and told
        apart by a sum.
        """
        rest = f"-packages-{account.id}-{account.region}"
        name = account.stack.name
        if len(name) + len(rest) > MOST_CHARACTERS:
            name = f"{name[: MOST_CHARACTERS - len(rest) - 9]}-{zlib.crc32(name.encode()):08x}"
        return name + rest

    def wanted(self):
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        rule = {
            "ID": "packages",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": DAYS},
        }
        return {
            self.name_in(self.account): {
                "PublicAccessBlock": dict.fromkeys(closed, True),
                "Lifecycle": [rule],
            }
        }

    def found(self):
        s3, name = self.account.client("s3"), self.name_in(self.account)
        with self._sentence(name):
            if unless(MISSING, s3.head_bucket, Bucket=name) is None:
                return {}
        block = (
            unless(("NoSuchPublicAccessBlockConfiguration",), s3.get_public_access_block, Bucket=name) or {}
        )
        rules = (
            unless(("NoSuchLifecycleConfiguration",), s3.get_bucket_lifecycle_configuration, Bucket=name)
            or {}
        )
        return {
            name: {
                "PublicAccessBlock": block.get("PublicAccessBlockConfiguration"),
                "Lifecycle": rules.get("Rules"),
            }
        }

    def create(self, name, attributes):
        region = self.account.region
        place = (
            {} if region == FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        with self._sentence(name):
            unless(OURS, self.account.client("s3").create_bucket, Bucket=name, **place)
        self.change(name, attributes)

    def change(self, name, attributes):
        s3 = self.account.client("s3")
        if block := attributes.get("PublicAccessBlock"):
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if rules := attributes.get("Lifecycle"):
            s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})

    def delete(self, name):
        s3 = self.account.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            objects = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if objects:
                keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in objects]
                s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
        unless(MISSING, s3.delete_bucket, Bucket=name)

    @contextmanager
    def _sentence(self, name):
        """What AWS's bare 403 means, and what to do."""
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] not in SOMEBODY_ELSES:
                raise
            account = self.account.id
            raise ConfigurationError(
                f"The bucket {name}, through which packages go, is not open to account {account}: either "
                "another account has taken its name, and could put its own code into the functions, or you "
                "lack s3:ListBucket on it. Nothing was uploaded. Ask as an administrator: aws s3api "
                f"head-bucket --bucket {name} --expected-bucket-owner {account}. If that answers 403 too, "
                "choose another project_name in zappa_settings.json, which the name follows."
            ) from None
