"""``manage.py console``: prints what is for the channel ``console``, as it comes. Calls
``console.printing``.
"""

import time

from django.core.management.base import BaseCommand

from notifier.console.printing import print_waiting

EVERY_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Prints the notifications of the channel “console”, those that wait and those that come, "
        "until Ctrl-C."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Print those that wait, and end.")

    def handle(self, *, once, **options):
        if once:
            print_waiting(self.stdout.write)
            return
        self.stdout.write("Waiting for notifications; Ctrl-C ends it.")
        try:
            while True:
                print_waiting(self.stdout.write)
                self.stdout.flush()
                time.sleep(EVERY_SECONDS)
        except KeyboardInterrupt:
            self.stdout.write("")
