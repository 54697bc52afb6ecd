"""``notify emit``: say that something happened, as ``notifier.emit`` does."""

import datetime as dt
import json
import uuid
from contextlib import suppress
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import models

from ... import emit
from ...models import Trigger
from ...rules import signals
from ...templating import readable
from .objects import USAGE, find_object

HELP = "Say that something happened. What its triggers send is sent, to everybody."
EXAMPLES = """\
examples:
  notify emit post_save --instance demo.flashsale:1 --created
  notify emit order_placed --arg order=shop.order:7 --arg total=120 --key order-7
  notify emit notify_audiences --arg movie=demo.movie:3 --actor auth.user:1

An argument is what the signal is registered with: an object by its key, a date, a text. Else it is an object
where it reads as one (app_label.model:key), else JSON (12, true, [1, 2], "text"), else plain text.
"""


def add_arguments(parser):
    parser.add_argument("verb", help="the registered name of the signal")
    parser.add_argument("--instance", metavar="MODEL:KEY", help="what it happened to: app_label.model:key")
    parser.add_argument("--actor", metavar="MODEL:KEY", help="who did it")
    parser.add_argument("--target", metavar="MODEL:KEY", help="what it was done for: an object, or a text")
    parser.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the signal; may be repeated",
    )
    parser.add_argument("--key", help="the same key again makes no second event")
    saved = parser.add_mutually_exclusive_group()
    saved.add_argument("--created", action="store_const", const=True, dest="created", help="the save made it")
    saved.add_argument(
        "--updated", action="store_const", const=False, dest="created", help="the save changed it"
    )


def run(command, *, verb, instance, actor, target, arg, key, created, **options):
    events = emit(
        verb,
        instance=instance and find_object(instance),
        actor=actor and find_object(actor),
        target=target and _value(target),
        created=created,
        key=key,
        **dict(_argument(verb, each) for each in arg),
    )
    names = dict(
        Trigger.objects.filter(pk__in=[event.trigger_id for event in events]).values_list("pk", "name")
    )
    for event in events:
        reason = f" ({event.reason})" if event.reason else ""
        command.stdout.write(
            f"Event {event.pk}: {names.get(event.trigger_id, 'a trigger')}, "
            f"{event.get_status_display()}{reason}."
        )
    if not events:
        again = ", or the key was used before" if key else ""
        command.stdout.write(
            f"No event: no live trigger of {verb} matches{again}. `notify rules` lists them."
        )


# What reads a text as a type.
FIELDS = {
    str: models.CharField,
    bool: models.BooleanField,
    int: models.IntegerField,
    float: models.FloatField,
    Decimal: models.DecimalField,
    dt.datetime: models.DateTimeField,
    dt.date: models.DateField,
    dt.time: models.TimeField,
    dt.timedelta: models.DurationField,
    uuid.UUID: models.UUIDField,
}
RESERVED = {"instance", "sender", "actor", "target", "created", "key", "using", "verb"}


def _argument(verb, text):
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise CommandError(f"--arg {text}: write name=value.", returncode=USAGE)
    if name in RESERVED:
        raise CommandError(
            f"--arg {name}: this has an option of its own, or is none of the signal's arguments.",
            returncode=USAGE,
        )
    return name, _typed(verb, name, value)


def _typed(verb, name, text):
    """``text`` as the type that the signal is registered with; what is none of it, ``emit`` refuses."""
    registered = signals.get(verb)
    wanted = registered and registered.types.get(registered.read_name(name))
    if wanted and wanted.model and ":" not in text:
        return find_object(f"{wanted.model._meta.label_lower}:{text}")
    if wanted and wanted.plain in FIELDS:
        with suppress(ValidationError):
            return FIELDS[wanted.plain]().to_python(text)
    return _value(text)


def _value(text):
    label, colon, _key = text.partition(":")
    if colon and readable.find_model(label):
        return find_object(text)
    try:
        return json.loads(text)
    except ValueError:
        return text
