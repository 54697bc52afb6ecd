"""The minute's tick of the sweep, that only this rule may call its function, and that it is called once."""

import json

from .kind import Kind, statement, unless

MISSING = ("ResourceNotFoundException",)
SWEEP = "sweep"
RATE = "rate(1 minute)"
# A tick that was missed is made up for by the next one. EventBridge is told so for its handing over, and
# Lambda for the time from then on:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
ONCE = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}


class Scheduled(Kind):
    """A resource of the functions that a schedule calls; it is named like the function."""

    @property
    def names(self):
        return [function.name for function in self.stack.functions if function.module == SWEEP]

    def needed(self, name):
        return name

    def function_arn(self, name):
        return self.account.arn("lambda", f"function:{name}")

    def rule_arn(self, name):
        return self.account.arn("events", f"rule/{name}")


class Schedules(Scheduled):
    """An EventBridge rule with its one target."""

    label = "schedule"

    def wanted(self):
        return {
            name: {"ScheduleExpression": RATE, "State": "ENABLED", "Targets": [self._target(name)]}
            for name in self.names
        }

    def found(self):
        events, rules, more = self.account.client("events"), {}, {}
        while True:
            answer = events.list_rules(NamePrefix=f"{self.stack.name}-", **more)
            rules |= {each["Name"]: each for each in answer["Rules"]}
            if not answer.get("NextToken"):
                break
            more = {"NextToken": answer["NextToken"]}
        for name in self.names:
            if name in rules:
                rules[name] = rules[name] | {"Targets": events.list_targets_by_rule(Rule=name)["Targets"]}
        return rules

    def is_ours(self, name):
        if name in self.names:
            return True
        tags = self.account.client("events").list_tags_for_resource(ResourceARN=self.rule_arn(name))["Tags"]
        return self.account.is_tagged(tags)

    def create(self, name, attributes):
        events = self.account.client("events")
        events.put_rule(Name=name, ScheduleExpression=RATE, State="ENABLED", Tags=self.account.tag_list)
        events.put_targets(Rule=name, Targets=[self._target(name)])

    def change(self, name, attributes):
        events = self.account.client("events")
        if attributes.keys() - {"Targets"}:
            events.put_rule(Name=name, ScheduleExpression=RATE, State="ENABLED")
        if "Targets" in attributes:
            found = events.list_targets_by_rule(Rule=name)["Targets"]
            if others := [each["Id"] for each in found if each["Id"] != SWEEP]:
                events.remove_targets(Rule=name, Ids=others)
            events.put_targets(Rule=name, Targets=[self._target(name)])

    def delete(self, name):
        events = self.account.client("events")
        targets = (unless(MISSING, events.list_targets_by_rule, Rule=name) or {}).get("Targets", ())
        if targets:
            events.remove_targets(Rule=name, Ids=[each["Id"] for each in targets])
        unless(MISSING, events.delete_rule, Name=name)

    def _target(self, name):
        return {"Id": SWEEP, "Arn": self.function_arn(name), "RetryPolicy": ONCE}


class Permissions(Scheduled):
    """The statement in the function's policy that lets the rule call it. Its fixed id keeps it one."""

    label = "permission to call"
    statement_id = "schedule"

    def wanted(self):
        return {
            name: statement(
                sid=self.statement_id,
                service="events",
                action="lambda:InvokeFunction",
                resource=self.function_arn(name),
                ArnLike={"AWS:SourceArn": self.rule_arn(name)},
            )
            for name in self.names
        }

    def found(self):
        found = {}
        for name in self.names:
            if answer := unless(MISSING, self.account.client("lambda").get_policy, FunctionName=name):
                statements = json.loads(answer["Policy"])["Statement"]
                by_id = {each["Sid"]: each for each in statements}
                if self.statement_id in by_id:
                    found[name] = by_id[self.statement_id]
        return found

    def create(self, name, attributes):
        self.account.client("lambda").add_permission(
            FunctionName=name,
            StatementId=self.statement_id,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=self.rule_arn(name),
        )

    def change(self, name, attributes):
        self.delete(name)
        self.create(name, attributes)

    def delete(self, name):
        unless(
            MISSING,
            self.account.client("lambda").remove_permission,
            FunctionName=name,
            StatementId=self.statement_id,
        )


class AsyncCalls(Scheduled):
    """How often, and how late, Lambda itself calls the function for a tick that it has taken; without this
    twice more after an error, and for six hours while there is no room.
    """

    label = "asynchronous calls of"

    def wanted(self):
        return {name: dict(ONCE) for name in self.names}

    def found(self):
        ask = self.account.client("lambda").get_function_event_invoke_config
        answers = {name: unless(MISSING, ask, FunctionName=name) for name in self.names}
        return {name: answer for name, answer in answers.items() if answer}

    def create(self, name, attributes):
        self.account.client("lambda").put_function_event_invoke_config(FunctionName=name, **ONCE)

    def change(self, name, attributes):
        self.create(name, attributes)

    def delete(self, name):
        unless(MISSING, self.account.client("lambda").delete_function_event_invoke_config, FunctionName=name)
