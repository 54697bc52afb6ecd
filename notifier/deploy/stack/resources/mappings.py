"""The mapping from each queue to its function: small batches, so many at a time, and only what failed comes
back.
"""

from functools import cached_property

from ..patience import wait_until
from .concurrency import room_of
from .kind import Kind, unless

MISSING = ("ResourceNotFoundException",)
MOST_LISTED = 100
# Zappa's SNAPSTART_LAMBDA_ALIAS, which it moves to each new version once that has its snapshot.
ALIAS = "snapstart"
# Lambda refuses changes meanwhile.
ON_THE_WAY = {"Creating": "Enabled", "Enabling": "Enabled", "Updating": "Enabled", "Disabling": "Disabled"}


class Mappings(Kind):
    """Named like their queue, which is named like its function.
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    label = "event source mapping"

    def __init__(self, account):
        super().__init__(account)
        self._ids = {}

    def wanted(self):
        functions = {function.module: function for function in self.stack.functions}
        return {
            f"{self.stack.name}-{route}": {
                "State": "Enabled",
                "FunctionArn": self.account.arn("lambda", f"function:{_target(functions[route])}"),
                "BatchSize": settings.batch_size,
                "MaximumBatchingWindowInSeconds": 0,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": self._given[route]},
            }
            for route, settings in self.stack.routes.items()
            if route in functions
        }

    @cached_property
    def _given(self):
        return room_of(self.account).given

    def needed(self, name):
        return self.wanted()[name]["FunctionArn"].partition(":function:")[2]

    def found(self):
        ours = self._listed()
        self._ids = {name: each["UUID"] for name, each in ours.items()}
        return {name: _attributes(each) for name, each in ours.items()}

    def settle(self):
        """Wait until none is on its way any more: Lambda answers before one takes messages."""
        wait_until(lambda: not any(each["State"] in ON_THE_WAY for each in self._listed().values()))

    def _listed(self):
        prefix = self.account.arn("sqs", f"{self.stack.name}-")
        pages = self.account.client("lambda").get_paginator("list_event_source_mappings")
        listed = [
            each
            for page in pages.paginate(PaginationConfig={"PageSize": MOST_LISTED})
            for each in page["EventSourceMappings"]
        ]
        return {
            each["EventSourceArn"].rpartition(":")[2]: each
            for each in listed
            if each.get("EventSourceArn", "").startswith(prefix) and each["State"] != "Deleting"
        }

    def is_ours(self, name):
        if name in self.wanted():
            return True
        arn = self.account.arn("lambda", f"event-source-mapping:{self._ids[name]}")
        answer = unless(MISSING, self.account.client("lambda").list_tags, Resource=arn) or {}
        return self.account.is_tagged(answer.get("Tags", {}))

    def create(self, name, attributes):
        self.account.client("lambda").create_event_source_mapping(
            EventSourceArn=self.account.arn("sqs", name), Tags=self.account.tags, **_arguments(attributes)
        )

    def change(self, name, attributes):
        self.account.client("lambda").update_event_source_mapping(
            UUID=self._ids[name], **_arguments(attributes)
        )

    def delete(self, name):
        unless(MISSING, self.account.client("lambda").delete_event_source_mapping, UUID=self._ids[name])


def _target(function):
    """Its name, and where it has snapshots Zappa's alias for the version that has one; ``$LATEST`` has none.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
    """
    has_snapshots = function.config.get("snap_start", "None") != "None"
    return f"{function.name}:{ALIAS}" if has_snapshots else function.name


def _attributes(mapping):
    return mapping | {
        "State": ON_THE_WAY.get(mapping["State"], mapping["State"]),
        "MaximumBatchingWindowInSeconds": mapping.get("MaximumBatchingWindowInSeconds", 0),
    }


def _arguments(attributes):
    arguments = {key: value for key, value in attributes.items() if key not in ("State", "FunctionArn")}
    if "FunctionArn" in attributes:
        arguments["FunctionName"] = attributes["FunctionArn"]
    if "State" in attributes:
        arguments["Enabled"] = attributes["State"] == "Enabled"
    return arguments
