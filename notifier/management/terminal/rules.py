"""``notify rules``: the messages that are sent, by when, template and audience, one subscription a line."""

import json

from django.core.management.base import CommandError
from django.utils import timezone

from ...channels import registry
from ...explaining import gone
from ...models import Pause, Subscription, Trigger
from ...operations import counts, rule_counts
from ...rules import signals
from .objects import USAGE
from .tables import table

HELP = "List signal → trigger → template → channels → audiences."
EXAMPLES = """\
examples:
  notify rules
  notify rules --signal post_save --channel sms
  notify rules --json | jq '.[] | select(.state != "live") | .trigger'
"""
HEAD = ("SIGNAL", "WHEN", "TRIGGER", "TEMPLATE", "CHANNELS", "AUDIENCES", "STATE", "IN 30 DAYS")
DAYS_COUNTED = 30
SAVED = {"any": "", "created": " created", "updated": " changed"}


def add_arguments(parser):
    parser.add_argument("--signal", help="only those of this signal")
    parser.add_argument("--channel", help="only those that send by this channel")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")


def run(command, *, signal, channel, json: bool, **options):
    if signal and signals.get(signal) is None:
        raise CommandError(
            f"No signal is registered as “{signal}”. Known: {', '.join(signals.names())}.", returncode=USAGE
        )
    if channel and channel not in registry.channel_names():
        raise CommandError(
            f"There is no channel “{channel}”. There are: {', '.join(registry.channel_names())}.",
            returncode=USAGE,
        )
    triggers = list(gone.triggers_read())
    rows = [
        row
        for row in rule_rows(triggers)
        if signal in (None, row["signal"]) and (channel is None or channel in row["channels"])
    ]
    if json:
        command.stdout.write(_as_json(rows))
    elif rows:
        command.stdout.write(table(HEAD, [_cells(row) for row in rows]))
        for text in gone.find_all(triggers):
            command.stderr.write(f"Not there any more. {text}", command.style.WARNING)
    else:
        command.stdout.write("There are no such rules." if signal or channel else "There are no rules yet.")


def rule_rows(triggers):
    """One dict a subscription, or a trigger that has none, in the order of the triggers."""
    paused = set(Pause.objects.values_list("scope", flat=True))
    done = rule_counts.by("subscription_id", timezone.now() - DAYS_COUNTED * 24 * counts.HOUR)
    return [
        _row(trigger, each, paused) | {"in_30_days": _counted(each, done)}
        for trigger in triggers
        for each in [*trigger.subscriptions.all()] or [None]
    ]


def _row(trigger, subscription, paused):
    return {
        "signal": trigger.verb,
        "when": _when(trigger),
        "condition": trigger.condition,
        "trigger": trigger.name,
        "template": subscription.template.name if subscription else "",
        "channels": sorted(subscription.channels) if subscription else [],
        "audiences": sorted(audience.name for audience in subscription.audiences.all())
        if subscription
        else [],
        "state": _state(trigger, subscription, paused),
        "declared": trigger.declared,
    }


def _counted(subscription, done):
    found = done.get(subscription.pk, {}) if subscription else {}
    return {kind: found.get(kind, 0) for kind in counts.KINDS}


def _when(trigger):
    found = f"{trigger.model} {trigger.object_pk}".strip() + (SAVED[trigger.on] if trigger.model else "")
    if trigger.actor_model:
        found += f" by {trigger.actor_model} {trigger.actor_pk}".rstrip()
    return found + (f" for {trigger.target}" if trigger.target else "")


def _state(trigger, subscription: Subscription | None, paused):
    if trigger.is_retired:
        return "no longer in code"
    if not trigger.enabled or subscription and not subscription.enabled:
        return "off"
    if subscription is None:
        return "sends nothing"
    if signals.get(trigger.verb) is None:
        return "unknown signal"
    if paused & {"everything", f"trigger:{trigger.pk}"}:
        return "paused"
    if held := [name for name in subscription.channels if f"channel:{name}" in paused]:
        return f"{', '.join(sorted(held))} paused"
    return "shadow" if trigger.shadow else "live"


def _cells(row):
    when = f"{row['when']} if {row['condition']}" if row["condition"] else row["when"]
    listed = [", ".join(row[name]) for name in ("channels", "audiences")]
    done = ", ".join(f"{number:,} {kind}" for kind, number in row["in_30_days"].items() if number)
    name = f"{row['trigger']} (in code)" if row["declared"] == Trigger.Kept.CODE else row["trigger"]
    return (row["signal"], " ".join(when.split()), name, row["template"], *listed, row["state"], done)


def _as_json(rows):
    return json.dumps(rows, indent=2, ensure_ascii=False)
