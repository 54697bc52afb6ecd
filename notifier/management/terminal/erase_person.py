"""``notify erase-person``: removes what is kept of somebody. Calls ``operations.privacy``."""

from django.core.management.base import CommandError

from ... import explaining
from ...operations import privacy

HELP = "Remove what is kept of one person. That something was sent stays on record, without an address."
EXAMPLES = """\
examples:
  notify erase-person ada            asks first
  notify erase-person ada --yes
  notify export-person ada > ada.json && notify erase-person ada --yes

The user's own row is the project's: delete it afterwards, if it is to go. Suppressed addresses and opt-outs
stay, so that nobody writes to them again.
"""


def add_arguments(parser):
    parser.add_argument("person", help="a user name, or an address")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(command, *, person, yes, **options):
    found = explaining.find_person(person)
    if (
        not yes
        and input(f"Remove what is kept of {found.name} ({found.key})? It cannot be undone. [y/N] ")
        .strip()
        .lower()
        != "y"
    ):
        raise CommandError("Nothing was removed.", returncode=1)
    erased = privacy.erase_person(found)
    command.stdout.write(
        f"Removed: {erased.rows} rows (addresses, choices, inbox); the address from "
        f"{erased.deliveries} deliveries; what "
        f"{erased.events} events said; {erased.mentions} mentions in other rows (audiences, others' "
        f"inboxes, the admin's log, sign-ins). Cancelled: {erased.cancelled} deliveries."
    )
    for name in erased.in_code:
        command.stderr.write(
            f"The audience “{name}” is declared in code, which has this person's address: take it out there, "
            "or the next migration brings it back.",
            command.style.WARNING,
        )
    if erased.under_way:
        command.stderr.write(
            f"{erased.under_way} deliveries are being sent right now. Run this again in a minute.",
            command.style.WARNING,
        )
    if erased.waiting:
        command.stderr.write(
            f"{erased.waiting} events about this person wait to be told to others (a digest, "
            "quiet hours, a pause) and keep what they "
            "say until then. Run this again when they were sent, or cancel them in the admin first.",
            command.style.WARNING,
        )
