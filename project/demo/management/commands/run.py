"""``manage.py run``: the whole system on this machine, until Ctrl-C."""

import os
import socket

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from notifier.local.report import report, table
from notifier.local.system import local_system, serving
from notifier.models import Event
from project.demo import rules, scenario

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = (
        "Starts the local cloud, loads the demo, sends one flash sale, and serves the admin and the outbox."
    )

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="The port of the admin (default: 8000).")

    def handle(self, *, port, **options):
        refuse_taken(port)
        call_command("migrate", verbosity=0, interactive=False)
        rules.load_demo()
        before = Event.objects.aggregate(last=Max("pk"))["last"] or 0
        with local_system() as (cloud, pump):
            scenario.create_flash_sale()
            pump.drain()
            self.stdout.write(f"\n{table(report(before, cloud.outbox()))}\n")
            self.stdout.write(
                f"\n  Admin    http://{HOST}:{port}/admin/   ({rules.ADMIN} / {rules.PASSWORD})"
            )
            self.stdout.write(f"  Outbox   http://{HOST}:{port}/outbox/")
            self.stdout.write("  Ctrl-C stops everything.\n\n")
            self.stdout.flush()
            # Django warns that its server is none for production; this command is none either.
            os.environ.setdefault("DJANGO_RUNSERVER_HIDE_WARNING", "true")
            with serving(pump):
                # `insecure`: static files are served although DEBUG is off, as it is when deployed.
                call_command(
                    "runserver", f"{HOST}:{port}", use_reloader=False, skip_checks=True, insecure_serving=True
                )


def refuse_taken(port):
    """Raise CommandError if ``port`` is not free."""
    with socket.socket() as probe:
        # As the server itself will: a port that a closed connection still names is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: make run PORT={port + 1}"
            ) from error
