"""The place of a stack: the account, its region, and the names that both give to things."""

from functools import cached_property
from threading import Lock

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

# Ten tries with growing pauses: an account's limits on calls are shared with everything else that it runs.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 10}, connect_timeout=5, read_timeout=30)
TAG = "notifier:stack"
# Those of S3's calls that are about a bucket which is there.
OWNERS = frozenset({"ExpectedBucketOwner", "ExpectedSourceBucketOwner"})


class Account:
    """``session`` is a boto3 session, ``region`` None means its own.

    Raises NoRegionError when neither has one.
    """

    def __init__(self, stack, session=None):
        self.stack, self._session = stack, session or boto3.session.Session()
        self.region = stack.region or self._session.region_name
        if not self.region:
            raise NoRegionError
        self._clients, self._lock, self._deployed = {}, Lock(), {}

    def client(self, service):
        # Making clients is the one thing that a session's threads may not do at once.
        with self._lock:
            if service not in self._clients:
                made = self._session.client(service, region_name=self.region, config=PATIENT)
                if service == "s3":
                    self.ask_only_ours(made)
                self._clients[service] = made
            return self._clients[service]

    def ask_only_ours(self, s3):
        """Make every call of ``s3``, a client, one that AWS refuses where the bucket is another account's.

        Names of buckets are the world's, and that of the packages can be told in advance: who has it first
        would get the functions' code, and could put other code in its place.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """

        def name_the_owner(params, model, **_event):
            for name in OWNERS.intersection(model.input_shape.members if model.input_shape else ()):
                params[name] = self.id

        s3.meta.events.register("before-parameter-build.s3", name_the_owner)

    @cached_property
    def _identity(self):
        return self.client("sts").get_caller_identity()

    @cached_property
    def concurrency(self):
        """How many functions may run at once, all of the account's in this region together, as Lambda tells
        it.
        """
        return self.client("lambda").get_account_settings()["AccountLimit"]

    @property
    def id(self):
        return self._identity["Account"]

    @property
    def partition(self):
        return self._identity["Arn"].split(":")[1]

    def arn(self, service, resource):
        """The ARN of a thing of this region, there or not."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"

    def role_arn(self, function_name):
        """IAM knows no regions. The path keeps the roles of one stack together."""
        return f"arn:{self.partition}:iam::{self.id}:role/{self.stack.name}/{function_name}"

    @property
    def tags(self):
        return {TAG: self.stack.name}

    @property
    def tag_list(self):
        return [{"Key": TAG, "Value": self.stack.name}]

    def is_tagged(self, tags):
        """Whether what has these ``tags`` was made by this stack.

        Takes both of the forms that AWS gives them in.
        """
        if isinstance(tags, list):
            tags = {each["Key"]: each["Value"] for each in tags}
        return tags.get(TAG) == self.stack.name

    def is_offered(self, service):
        """Whether the region has the service, by the AWS library's own list."""
        return self.region in self._session.get_available_regions(service, partition_name=self.partition)

    def is_deployed(self, function_name):
        if function_name not in self._deployed:
            client = self.client("lambda")
            try:
                client.get_function_configuration(FunctionName=function_name)
            except client.exceptions.ResourceNotFoundException:
                self._deployed[function_name] = False
            else:
                self._deployed[function_name] = True
        return self._deployed[function_name]


def sentence(error):
    """botocore's own words name what is missing; what to do about it they leave out."""
    remedies = {
        "NoCredentialsError": "Log in with `aws configure` or `aws sso login`, or set AWS_PROFILE.",
        "NoRegionError": "Set AWS_DEFAULT_REGION, or aws_region in zappa_settings.json.",
        "ProfileNotFound": "Choose one of ~/.aws/config with AWS_PROFILE.",
    }
    return " ".join(filter(None, [str(error), remedies.get(type(error).__name__)]))
