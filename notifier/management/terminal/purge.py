"""``notify purge``: removes what is too old, as the sweep does by itself. Calls ``operations.retention``."""

from ... import conf
from ...operations import retention
from .progress import Progress

HELP = "Remove what is too old: what was said and where it went, later the rows. The sweep does so by itself."
EXAMPLES = """\
examples:
  notify purge --dry-run      says what would go
  notify purge                the ages are NOTIFIER["KEEP_CONTENTS_DAYS"] and ["KEEP_RECORDS_DAYS"]
"""


def add_arguments(parser):
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be removed, and remove nothing"
    )


def run(command, *, dry_run, **options):
    ages = {name: conf.get(name) for name in ("KEEP_CONTENTS_DAYS", "KEEP_RECORDS_DAYS")}
    command.stdout.write(", ".join(f"{name}: {days or 'for ever'}" for name, days in ages.items()))
    expected = retention.foresee()
    if dry_run:
        command.stdout.write(_sentence("Would be", expected))
        return
    progress = Progress(command.stderr, "Events")
    total = expected.emptied + expected.removed
    purged = retention.purge(tell=lambda found: progress(found.emptied + found.removed, total))
    progress.end()
    command.stdout.write(_sentence("Were", purged))


def _sentence(begin, found):
    return (
        f"{begin} emptied: {found.emptied} events; removed: {found.removed} events with their "
        f"deliveries, {found.items} inbox items."
    )
