"""EventBridge's schedules: what each rule with a schedule would call now.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from moto.core import DEFAULT_ACCOUNT_ID
from moto.events.models import events_backends

from notifier.local.cloud import REGION

from .definitions import find_function, plain_name
from .policies import matches


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """One target of one rule.

    ``outcome`` is None when the function's policy does not let the rule call it.
    """

    rule: str
    function: str
    outcome: object


def tick_schedules(functions):
    """Let every enabled rule with a schedule call its functions once, one after the other.

    Returns a list of Tick.
    """
    return [
        _call(functions, rule, target)
        for rule in _scheduled_rules()
        for target in rule.targets
        if ":lambda:" in target["Arn"]
    ]


def _scheduled_rules():
    buses = events_backends[DEFAULT_ACCOUNT_ID][REGION].event_buses
    rules = [rule for bus in list(buses.values()) for rule in list(bus.rules.values())]
    return [rule for rule in rules if rule.scheduled_expression and rule.state == "ENABLED"]


def _call(functions, rule, target):
    name = plain_name(target["Arn"])[0]
    if not _may_invoke(find_function(name), rule.arn):
        return Tick(rule=rule.name, function=name, outcome=None)
    event = target.get("Input") or json.dumps(_event(rule))
    return Tick(rule=rule.name, function=name, outcome=functions.invoke(target["Arn"], event.encode()))


def _may_invoke(function, rule_arn):
    return any(
        statement["Principal"] == {"Service": "events.amazonaws.com"}
        and statement["Action"] == "lambda:InvokeFunction"
        and matches(statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "*"), rule_arn)
        for statement in function.policy.statements
    )


def _event(rule):
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": DEFAULT_ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [rule.arn],
        "detail": {},
    }
