"""``notify export-person``: all that is kept of somebody. Calls ``operations.privacy``."""

import json

from django.core.serializers.json import DjangoJSONEncoder

from ... import explaining
from ...operations import privacy

HELP = "Write all that is kept of one person, as JSON."
EXAMPLES = """\
examples:
  notify export-person ada > ada.json
  notify export-person address:ops@example.com
"""


def add_arguments(parser):
    parser.add_argument("person", help="a user name, or an address")


def run(command, *, person, **options):
    found = privacy.export_person(explaining.find_person(person))
    command.stdout.write(json.dumps(found, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder))
