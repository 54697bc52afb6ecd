"""``manage.py notify``: what the admin shows and does, in a terminal.

Calls a module of ``management.terminal`` for each subcommand.
"""

from argparse import RawDescriptionHelpFormatter
from importlib import import_module

from django.core.management.base import BaseCommand, CommandError

from notifier.exceptions import NotifierError

SUBCOMMANDS = (
    "emit",
    "erase-person",
    "explain",
    "export-person",
    "purge",
    "render",
    "rules",
    "send-test",
    "webhook-secret",
)
EXAMPLES = """\
examples:
  manage.py notify rules                                          what is sent when, by what, to whom
  manage.py notify emit post_save --instance demo.post:7 --created
  manage.py notify render flash_sale --channel email --user ada   as ada would get it, from made-up data
  manage.py notify send-test flash_sale --channel sms --to ada    to ada’s own address, marked as a test
  manage.py notify explain ada 12                                 why ada got, or did not get, event 12
  manage.py notify purge --dry-run                                what is old enough to go
  manage.py notify export-person ada                              what is kept of ada; see erase-person

`manage.py notify emit --help` and so on say more.
"""


class Command(BaseCommand):
    help = f"Notifications in a terminal: {', '.join(SUBCOMMANDS)}."

    def add_arguments(self, parser):
        parser.formatter_class, parser.epilog = RawDescriptionHelpFormatter, EXAMPLES
        actions = parser.add_subparsers(dest="action", required=True, metavar=" | ".join(SUBCOMMANDS))
        for name in SUBCOMMANDS:
            module = _module(name)
            action = actions.add_parser(
                name, help=module.HELP, description=module.HELP, epilog=module.EXAMPLES,
                formatter_class=RawDescriptionHelpFormatter,
            )  # fmt: skip
            module.add_arguments(action)

    def handle(self, *, action, **options):
        try:
            _module(action).run(self, **options)
        except NotifierError as error:
            raise CommandError(str(error), returncode=2) from error


def _module(name):
    return import_module(f"notifier.management.terminal.{name.replace('-', '_')}")
