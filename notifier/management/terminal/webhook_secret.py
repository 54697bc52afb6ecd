"""``notify webhook-secret``: the secret by which the receiver at a URL checks our signatures."""

from django.core.management.base import CommandError

from ...channels.storable import is_storable
from ...channels.webhook_secrets import secrets_of

HELP = "Show the secret that the receiver at a URL checks our webhooks with. Give it to nobody else."
EXAMPLES = """\
examples:
  WEBHOOK_SIGNING_KEYS=… notify webhook-secret https://shop.example.com/hooks

While signing keys are changed there is a secret for each, the newest first; a receiver may use any of them.
"""


def add_arguments(parser):
    parser.add_argument("url", help="exactly as the audience or the contact point has it")


def run(command, *, url, **options):
    if not url.strip().lower().startswith("https://") or not is_storable(url):
        raise CommandError(
            "Write the whole URL, from https:// on, as the audience or the contact point has it.",
            returncode=2,
        )
    command.stdout.write("\n".join(secrets_of(url)))
