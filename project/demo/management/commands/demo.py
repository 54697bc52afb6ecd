"""``manage.py demo``: the demo's three cases once, on a local cloud, with what came of them."""

import json

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from notifier.local.report import report, table
from notifier.local.system import local_system
from notifier.models import Delivery, Event
from project.demo import rules, scenario


class Command(BaseCommand):
    help = (
        "Plays the demo once on a local cloud and prints every message. Exits with 1 if an "
        "expected one is missing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="Print a JSON list instead of a table.")

    def handle(self, *, json: bool, **options):
        call_command("migrate", verbosity=0, interactive=False)
        rules.load_demo()
        before = Event.objects.aggregate(last=Max("pk"))["last"] or 0
        with local_system() as (cloud, pump):
            scenario.play()
            pump.drain()
            rows = report(before, cloud.outbox())
        self.stdout.write(as_json(rows) if json else table(rows))
        sent = sorted(
            (row["channel"], row["recipient"]) for row in rows if row["status"] == Delivery.Status.SENT
        )
        if missing := _less(rules.expected_messages(), sent):
            raise CommandError(f"Missing: {'; '.join(' to '.join(pair) for pair in missing)}", returncode=1)


def as_json(rows):
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _less(wanted, found):
    """The ones of ``wanted`` that are not in ``found``, each as often as it is missing."""
    found = list(found)
    return [pair for pair in wanted if pair not in found or found.remove(pair)]
