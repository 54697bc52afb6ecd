"""``notify render``: a message as somebody would get it. Calls ``explaining.preview``, as the admin does."""

import json

from django.core.management.base import CommandError

from ...explaining import preview
from .objects import find_content, find_event, find_object, find_user
from .samples import event_of

HELP = "Render a template as somebody would get it. Nothing is sent."
EXAMPLES = """\
examples:
  notify render flash_sale --channel sms                             for somebody made up, from made-up data
  notify render flash_sale --channel email --event 12 --user ada     what ada gets of event 12
  notify render flash_sale --channel email --instance demo.flashsale:1 --html > sale.html
  notify render flash_sale --channel sms --json
"""


def add_arguments(parser):
    parser.add_argument("template", help="its name")
    parser.add_argument("--channel", required=True)
    parser.add_argument("--language", default="", help="of the person, such as de; by default the site's")
    add_subject(parser)
    parser.add_argument("--user", help="for this person: a user name; by default for somebody made up")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--html", action="store_true", help="the HTML alone")
    shown.add_argument("--text", action="store_true", help="the text alone")
    shown.add_argument("--json", action="store_true", help="everything, for a program")


def add_subject(parser):
    """Arguments that say where the data comes from."""
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("--event", type=int, metavar="NUMBER", help="with the data of this event")
    subject.add_argument(
        "--instance", metavar="MODEL:KEY", help="about this object as it is now: app_label.model:key"
    )


def run(command, *, template, channel, language, event, instance, user, **options):
    content = find_content(template, channel, language)
    found = previewed(content, event=event, instance=instance, person=user and find_user(user))
    if options["json"]:
        command.stdout.write(json.dumps(as_data(content, found), indent=2, ensure_ascii=False))
    elif options["html"] or options["text"]:
        part = found.parts["html" if options["html"] else "text"]
        if not part:
            raise CommandError(f"“{template}” has no HTML on {channel}.", returncode=2)
        command.stdout.write(part)
    else:
        command.stdout.write("\n".join(as_lines(found)))
        for line in remarks(found):
            command.stderr.write(line, command.style.NOTICE)


def previewed(content, *, event, instance, person):
    """The Preview, without errors; CommandError lists them."""
    if instance:
        event = event_of(content, find_object(instance))
    elif event is not None:
        event = find_event(event)
    found = preview.preview(content, event=event, person=person)
    if found.errors:
        problems = "\n".join(f"  {_place(each)}: {each.text}" for each in found.errors)
        raise CommandError(f"{content} cannot be rendered.\n{problems}", returncode=1)
    return found


def _place(problem):
    line = getattr(problem, "line", None)
    return f"{problem.part}, line {line}" if line else problem.part


def as_lines(found):
    if found.parts["subject"]:
        yield f"Subject: {found.parts['subject']}"
        yield ""
    yield found.parts["text"]


def remarks(found):
    """Remarks beside the message."""
    examined = found.examination
    if found.made_up:
        yield f"Made up, as the event does not hold it: {', '.join(found.made_up)}."
    if examined.length:
        limit = f" of {examined.limit}" if examined.limit else ""
        pieces = f", {len(examined.pieces)} parts" if len(examined.pieces) > 1 else ""
        yield f"Length: {examined.length}{limit} {examined.unit}{pieces}."
    for problem in examined.problems:
        yield f"{'Error' if problem.is_error else 'Warning'}, {problem.part}: {problem.text}"


def as_data(content, found):
    examined = found.examination
    return {
        "template": content.template.name,
        "channel": content.channel,
        "language": content.language,
        "version": content.version.number if content.version else None,
        **found.parts,
        "made_up": list(found.made_up),
        "length": examined.length,
        "limit": examined.limit,
        "unit": str(examined.unit),
        "pieces": list(examined.pieces),
        "problems": [
            {"part": each.part, "text": str(each.text), "error": each.is_error} for each in examined.problems
        ],
    }
