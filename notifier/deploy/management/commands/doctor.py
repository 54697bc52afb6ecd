"""``manage.py doctor [STAGE]``: what is wrong, and what to do about it."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError

from notifier.exceptions import ConfigurationError

THIS = "This process and its account"


class Command(BaseCommand):
    help = (
        "Looks at this process and the account that its credentials reach, or at what is "
        "deployed under a stage's name. "
        "Exits with 1 if something is wrong, with 0 if there are only warnings."
    )
    # It is the one that tells what is wrong: it must not stop at the first system check.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "stage",
            nargs="?",
            default="",
            help="A deployment's name in zappa_settings.json, such as production.",
        )
        parser.add_argument("--json", action="store_true", help="For machines.")
        parser.add_argument(
            "--here",
            action="store_true",
            help="Only this process: its settings and its database, nothing of AWS.",
        )
        parser.add_argument(
            "--settings-file", default="zappa_settings.json", help="Default: zappa_settings.json."
        )

    def handle(self, *, stage, here, settings_file, **options):
        report = look_here() if here else look(stage, settings_file)
        if options["json"]:
            self.stdout.write(json.dumps({"stage": stage, **report.as_json()}, indent=None if here else 2))
        else:
            from notifier.deploy.doctor.page import render

            self.stdout.write(render(report, of=stage or THIS))
        # On Lambda an exit would be taken for a crash, and the command be tried again.
        if report.failed and not here:
            sys.exit(1)


def look_here():
    from notifier.deploy.doctor import here
    from notifier.deploy.doctor.findings import Report

    checked, findings, _ = here.look()
    return Report(checked=checked, findings=findings)


def look(stage, settings_file):
    """The Report of a visit. Raises CommandError where the stage is not in the settings file."""
    # Not at the top: on Lambda only --here is run, and needs neither boto3 nor tweepy.
    from notifier.deploy.doctor.checks import examine
    from notifier.deploy.doctor.context import Context

    try:
        context = Context(stage, settings_file=settings_file)
    except ConfigurationError as error:
        raise CommandError(str(error)) from error
    return examine(context)
