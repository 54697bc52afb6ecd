"""``manage.py run`` of this project: loads the demo and sends one flash sale, then goes on as everywhere."""

from django.core.management import call_command
from django.db.models import Max

from notifier.local.management.commands import run
from notifier.local.report import report, table
from notifier.models import Event
from project.demo import rules, scenario


class Command(run.Command):
    help = (
        "Starts the local cloud, loads the demo, sends one flash sale, and serves the admin and the outbox."
    )
    other_port = "make run PORT={port}"
    sign_in = f"({rules.ADMIN} / {rules.PASSWORD})"

    def prepare(self):
        call_command("migrate", verbosity=0, interactive=False)
        rules.load_demo()

    def begin(self, cloud, pump):
        before = Event.objects.aggregate(last=Max("pk"))["last"] or 0
        scenario.create_flash_sale()
        pump.drain()
        self.stdout.write(f"\n{table(report(before, cloud.outbox()))}\n")
