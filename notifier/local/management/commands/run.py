"""``manage.py run``: the whole system on this machine, until Ctrl-C.

Another app's ``run`` may extend it: of two commands of one name Django takes that of the app that stands
first in INSTALLED_APPS.
"""

import os
import socket

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import NoReverseMatch, reverse

from notifier.local.server import HOST
from notifier.local.system import local_system, serving

# Each page that is shown here, and what urls.py says for it.
PAGES = {
    "admin:index": 'path("admin/", admin.site.urls)',
    "outbox": 'path("outbox/", include("notifier.local.urls"))',
}


class Command(BaseCommand):
    help = "Starts the local cloud, and serves the admin and the outbox until Ctrl-C."
    # What to write where the port is taken, and what stands behind the admin's address.
    other_port = "manage.py run --port {port}"
    sign_in = ""

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="The port of the admin (default: 8000).")

    def handle(self, *, port, **options):
        refuse_taken(port, self.other_port)
        admin, outbox = (f"http://{HOST}:{port}{path_of(name)}" for name in PAGES)
        self.prepare()
        with local_system() as (cloud, pump):
            self.begin(cloud, pump)
            self.stdout.write(f"\n  Admin    {admin}   {self.sign_in}".rstrip(" "))
            self.stdout.write(f"  Outbox   {outbox}")
            self.stdout.write("  Ctrl-C stops everything.\n\n")
            self.stdout.flush()
            # Django warns that its server is none for production; this command is none either.
            os.environ.setdefault("DJANGO_RUNSERVER_HIDE_WARNING", "true")
            with serving(pump):
                # `insecure`: static files are served although DEBUG is off, as it is when deployed.
                call_command(
                    "runserver", f"{HOST}:{port}", use_reloader=False, skip_checks=True, insecure_serving=True
                )

    def prepare(self):
        """Called before the local cloud starts."""

    def begin(self, cloud, pump):
        """Called once the local cloud is there, before anything is served."""


def refuse_taken(port, other_port):
    """Raise CommandError if ``port`` is not free; ``other_port`` says how to name another one."""
    with socket.socket() as probe:
        # As the server itself will: a port that a closed connection still names is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: "
                f"{other_port.format(port=port + 1)}"
            ) from error


def path_of(name):
    """The path of a page in PAGES. Raises CommandError where the project's urls.py does not have it."""
    try:
        return reverse(name)
    except NoReverseMatch as error:
        raise CommandError(f"What is served here needs a line in urls.py: {PAGES[name]}") from error
