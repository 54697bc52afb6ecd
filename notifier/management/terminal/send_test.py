"""``notify send-test``: a template to one person's own address, marked as a test. Calls
``explaining.preview``.
"""

from django.core.management.base import CommandError

from ...explaining import preview
from .objects import find_content, find_user
from .render import add_subject, previewed

HELP = "Send a template to one person alone, at their own address, marked as a test."
EXAMPLES = """\
examples:
  notify send-test flash_sale --channel email --to ada
  notify send-test flash_sale --channel sms --to ada --event 12
"""


def add_arguments(parser):
    parser.add_argument("template", help="its name")
    parser.add_argument("--channel", required=True)
    parser.add_argument("--to", required=True, metavar="USER", help="a user name")
    parser.add_argument("--language", default="", help="such as de; by default the site's")
    add_subject(parser)


def run(command, *, template, channel, to, language, event, instance, **options):
    user, content = find_user(to), find_content(template, channel, language)
    found = previewed(content, event=event, instance=instance, person=user)
    if found.examination.is_public:
        raise CommandError(
            f"What {channel} sends is public, so it is not tested on people. See `notify render`.",
            returncode=1,
        )
    if refused := [each for each in found.examination.problems if each.is_error]:
        raise CommandError(f"{channel} would refuse it: {refused[0].text}", returncode=1)
    address = preview.own_address(user, channel)
    if not address:
        raise CommandError(f"{to} has no address on {channel} that can be used.", returncode=1)
    delivery = preview.send_to(user, content, found, address)
    command.stdout.write(f"On its way to {address}: delivery {delivery.pk}.")
