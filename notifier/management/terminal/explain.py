"""``notify explain``: why somebody did, or did not, get something. Calls ``explaining``."""

import datetime as dt
import json

from django.core.management.base import CommandError
from django.utils import timezone

from ... import explaining
from ...channels import registry
from ...templating.times import read_moment
from .objects import USAGE

HELP = "Say why somebody did, or did not, get something: each step up to the one that decided."
EXAMPLES = """\
examples:
  notify explain ada 12                     event 12
  notify explain ada demo.flashsale:1       would ada get it, if it happened now?
  notify explain ada --since 2026-11-01     all events since then; without, of the last 7 days
  notify explain +447400123401 12 --channel sms

Exits with 0 whatever the answer is.
"""
RECENTLY = dt.timedelta(days=7)
MARKS = {"ok": "✓", "decided": "•", "open": " "}


def add_arguments(parser):
    parser.add_argument("person", help="a user name, or an address")
    parser.add_argument("subject", nargs="?", help="an event's number, or an object as app_label.model:key")
    parser.add_argument("--channel", default="", help="only this one")
    parser.add_argument("--since", help="without a subject: from this day or time on")
    parser.add_argument("--until", help="… up to this one")
    parser.add_argument("--json", action="store_true", help="a JSON list, for a program")


def run(command, *, person, subject, channel, since, until, **options):
    if channel and channel not in registry.channel_names():
        raise CommandError(
            f"There is no channel “{channel}”. There are: {', '.join(registry.channel_names())}.",
            returncode=USAGE,
        )
    if subject and (since or until):
        raise CommandError("Write a subject or a time (--since, --until), not both.", returncode=USAGE)
    person = explaining.find_person(person)
    more = False
    if subject:
        found = explaining.find_subject(subject)
        answers = [(found, explaining.explain(person, found, channel))]
    else:
        answers, more = explaining.explain_period(person, *_period(since, until), channel)
    if options["json"]:
        rows = [_as_data(about, answer) for about, each in answers for answer in each]
        command.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    command.stdout.write(
        "\n\n".join("\n".join(_lines(about, each)) for about, each in answers) or "No event in this time."
    )
    if more:
        command.stderr.write("There are older events. Ask for a shorter time.", command.style.NOTICE)


def _period(since, until):
    try:
        end = read_moment(until, end=True) or timezone.now()
        return read_moment(since) or end - RECENTLY, end
    except ValueError as error:
        raise CommandError(str(error), returncode=USAGE) from error


def _lines(about, answers):
    yield str(about)
    if not answers:
        yield "  No trigger is about it."
    for answer in answers:
        yield f"  {answer.sentence}"
        for step in answer.steps:
            if step.state != "open":
                yield f"    {MARKS[step.state]} {step.title}: {step.text}"


def _as_data(about, answer):
    return {
        "about": str(about),
        "trigger": answer.trigger.name if answer.trigger else None,
        "channel": answer.channel,
        "outcome": str(answer.outcome),
        "sentence": answer.sentence,
        "delivery": answer.delivery.pk if answer.delivery else None,
        "steps": [
            {"title": str(step.title), "state": step.state, "text": step.text} for step in answer.steps
        ],
    }
