"""``notify explain PERSON EVENT|OBJECT``: why somebody did, or did not, get it. Calls ``explaining``."""

import datetime as dt

from django.core.management.base import CommandError
from django.utils.timezone import now

from ..channels.registry import channel_names
from ..exceptions import NotifierError
from ..explaining import MOST_EVENTS, explain, explain_period, find_person, find_subject
from ..templating.times import read_moment

MARKS = {"ok": "✓", "decided": "→"}


def add_arguments(parser):
    parser.add_argument("person", help="A user name, the number of a user, or an address.")
    parser.add_argument("subject", nargs="?", help="An event's number, or an object as in demo.flashsale:1.")
    parser.add_argument("--channel", default="", help="Only this channel.")
    parser.add_argument(
        "--since",
        help=(
            "Instead of a subject: everything from this day or time on, as in 2026-01-31 or 2026-01-31T08:00."
        ),
    )
    parser.add_argument("--until", help="Up to this day, which counts, or this time.")


def run(options, stdout):
    """Write the answers to ``stdout``. CommandError says what cannot be asked so."""
    channel = options["channel"]
    if channel and channel not in channel_names():
        raise CommandError(f"There is no channel “{channel}”. There are: {', '.join(channel_names())}.")
    since, until = options["since"], options["until"]
    if bool(options["subject"]) == bool(since or until):
        raise CommandError("Name an event or an object, or else a period by --since, --until or both.")
    try:
        person = find_person(options["person"])
        if options["subject"]:
            _write_all(explain(person, find_subject(options["subject"]), channel), stdout)
        else:
            _write_period(
                person,
                read_moment(since) or _EARLIEST,
                read_moment(until, end=True) or now(),
                channel,
                stdout,
            )
    except NotifierError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise CommandError(str(error)) from error


_EARLIEST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


def _write_period(person, start, end, channel, stdout):
    found, more = explain_period(person, start, end, channel)
    for event, answers in found:
        stdout.write(f"Event {event}, {event.created_at:%Y-%m-%d %H:%M:%S %Z}")
        for answer in answers:
            stdout.write(f"  {answer.sentence}")
    if not found:
        stdout.write(
            "There was no event in this time. What matches no trigger leaves none: ask about "
            "the object instead."
        )
    if more:
        stdout.write(f"These are the newest {MOST_EVENTS}. Ask for a shorter time to see older ones.")


def _write_all(answers, stdout):
    for answer in answers:
        stdout.write(answer.sentence)
        for step in answer.steps:
            if step.state != "open":
                stdout.write(f"  {MARKS[step.state]} {step.title}: {step.text}")
        if left := [step.title for step in answer.steps if step.state == "open"]:
            stdout.write(f"  Not reached: {', '.join(left)}")
    if not answers:
        stdout.write("No trigger is about this object.")
