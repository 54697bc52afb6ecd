"""A log group per function, made here because one that Lambda makes by itself keeps its lines for ever."""

from .kind import Kind, unless

MISSING = ("ResourceNotFoundException",)
RETENTION_DAYS = 30


class LogGroups(Kind):
    label = "log group"

    def wanted(self):
        return {
            f"/aws/lambda/{function.name}": {"retentionInDays": RETENTION_DAYS}
            for function in self.stack.functions
        }

    def found(self):
        pages = self.account.client("logs").get_paginator("describe_log_groups")
        listed = pages.paginate(logGroupNamePrefix=f"/aws/lambda/{self.stack.name}")
        return {each["logGroupName"]: each for page in listed for each in page["logGroups"]}

    def is_ours(self, name):
        if name in self.wanted():
            return True
        arn = self.account.arn("logs", f"log-group:{name}")
        answer = unless(MISSING, self.account.client("logs").list_tags_for_resource, resourceArn=arn) or {}
        return self.account.is_tagged(answer.get("tags", {}))

    def create(self, name, attributes):
        # A function that ran just before may have made it.
        unless(
            ("ResourceAlreadyExistsException",),
            self.account.client("logs").create_log_group,
            logGroupName=name,
            tags=self.account.tags,
        )
        self.change(name, attributes)

    def change(self, name, attributes):
        self.account.client("logs").put_retention_policy(logGroupName=name, **attributes)

    def delete(self, name):
        unless(MISSING, self.account.client("logs").delete_log_group, logGroupName=name)
