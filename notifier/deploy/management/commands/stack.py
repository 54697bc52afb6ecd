"""``manage.py stack plan | apply | diff | destroy``: the resources around the functions of one deployment."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.core.management import BaseCommand, CommandError

from notifier.deploy.stack import Stack, apply, destroy, plan
from notifier.deploy.stack.account import Account, sentence
from notifier.deploy.stack.resources.alarms import set_off
from notifier.deploy.stack.resources.concurrency import advice_on
from notifier.deploy.stack.stages import read_deployment
from notifier.exceptions import ConfigurationError


class Command(BaseCommand):
    help = "Show, make, compare or delete the AWS resources around the functions of a deployment."
    # It talks to AWS alone.
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "action",
            choices=["plan", "apply", "diff", "destroy", "test-alarm"],
            help=(
                "plan: what apply would do. diff: the same, exit code 1 when something differs. "
                "destroy: delete everything. test-alarm: let an alarm tell those on duty, though nothing "
                "is wrong."
            ),
        )
        parser.add_argument(
            "stage",
            nargs="?",
            default="production",
            help="a stage of zappa_settings.json (default: production)",
        )
        parser.add_argument("--yes", action="store_true", help="destroy without asking")

    def handle(self, *, action, stage, yes, **options):
        try:
            deployment = read_deployment(stage)
            session = boto3.session.Session(profile_name=deployment.web.config.get("profile_name"))
            stack = Stack.of(deployment)
            if action == "destroy":
                self._destroy(stack, session, yes)
            elif action == "test-alarm":
                name = set_off(Account(stack, session))
                self.stdout.write(
                    f"{name} was set off. Whoever is on duty has a mail of it within some minutes. If none "
                    f"comes: manage.py doctor {stage}"
                )
            else:
                changes = apply(stack, session).changes if action == "apply" else plan(stack, session)
                self._show(changes, otherwise=f"{stack.name} is as it should be.")
                if text := advice_on(Account(stack, session)):
                    self.stdout.write(text)
        except (ConfigurationError, BotoCoreError, ClientError) as error:
            raise CommandError(sentence(error)) from None
        if action == "diff" and any(change.action != "wait" for change in changes):
            raise CommandError(f"{stack.name} differs. Put it right with: manage.py stack apply {stage}")

    def _destroy(self, stack, session, yes):
        doomed = destroy(stack, session, dry_run=True)
        self._show(doomed, otherwise=f"Nothing is left of {stack.name}.")
        if not doomed:
            return
        if (
            not yes
            and input(f'This cannot be undone. Type "{stack.name}" to delete all of it: ') != stack.name
        ):
            raise CommandError("Nothing was deleted.")
        destroy(stack, session)
        self.stdout.write(
            "Deleted. Its functions go with zappa undeploy, and its secrets stay under "
            f"/{stack.name} in Parameter Store."
        )

    def _show(self, changes, *, otherwise):
        for change in changes:
            self.stdout.write(str(change))
        if not changes:
            self.stdout.write(otherwise)
