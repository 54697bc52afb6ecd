"""``manage.py rules``: rules as a file, out, in, and what differs. Calls ``rulefiles``."""

import difflib
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from notifier import rulefiles
from notifier.exceptions import RulesFileRefused
from notifier.explaining import firing_cost
from notifier.management.terminal.progress import Progress
from notifier.rulefiles import declared, texts
from notifier.rulefiles.comparing import unified_diff
from notifier.rulefiles.reading import MAX_BYTES
from notifier.rulefiles.writing import FORMATS
from notifier.rules import inner_signals

EXAMPLES = """\
examples:
  manage.py rules export project/rules.yaml      all rules of the database, into a file to keep in Git
  manage.py rules diff project/rules.yaml        what an import would change; exits with 1 if anything
  manage.py rules import project/rules.yaml      in one transaction; what the file does not have stays
  manage.py rules import --prune rules.yaml      … is removed
  manage.py rules export - | less                “-” is the standard output, or input
  manage.py rules declared                       bring in what code declares, as `migrate` does

People of an audience, one by one, are not written: they are personal data. Groups are, by name.
"""

# With NUL in it, or what no encoding of names has.
NO_NAME = "The file's name holds a character that no file's name has."


class Command(BaseCommand):
    help = (
        "Triggers, templates, audiences and categories as a file: export, import, diff. The format "
        "is YAML, or JSON."
    )

    def add_arguments(self, parser):
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="export | import | diff | declared"
        )
        for name, text in (
            ("export", "Write all rules of the database into a file."),
            ("import", "Bring the database to what a file says."),
            ("diff", "Show what an import would change. Exits with 1 if anything."),
        ):
            action = actions.add_parser(name, help=text, description=text)
            action.add_argument("file", nargs="?", default="-", help="its path, or - (the default)")
            action.add_argument(
                "--format", choices=FORMATS, help="by default what the file's ending says, else yaml"
            )
        text = "Bring in the rules that code declares by notify_on, as `migrate` does."
        actions.add_parser("declared", help=text, description=text)
        actions.choices["import"].add_argument(
            "--prune", action="store_true", help="remove what the file does not have"
        )
        actions.choices["import"].add_argument(
            "--dry-run", action="store_true", help="check all, say all, save nothing"
        )

    def handle(self, *, action, file="-", format=None, **options):
        self.file = file
        file_format = format or ("json" if file.lower().endswith(".json") else "yaml")
        try:
            getattr(self, f"_{action}")(file_format, options)
        except RulesFileRefused as error:
            number = len(error.problems)
            problems = "\n".join(f"  {problem}" for problem in error.problems)
            raise CommandError(
                f"{self._name()}: {number} {'thing is' if number == 1 else 'things are'} "
                f"wrong. Nothing was changed.\n{problems}",
                returncode=2,
            ) from error

    def _name(self):
        return "standard input" if self.file == "-" else self.file

    def _export(self, file_format, options):
        text = texts.export_text(file_format)
        if self.file == "-":
            self.stdout.write(text, ending="")
        else:
            try:
                Path(self.file).write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(
                    f"{self.file} cannot be written: {error.strerror}.", returncode=2
                ) from error
            except ValueError as error:
                raise CommandError(NO_NAME, returncode=2) from error
        if people := rulefiles.unwritten_people():
            names = ", ".join(f"“{name}”" for name in people)
            self.stderr.write(f"Not written: the people chosen one by one in {names}.", self.style.NOTICE)
        if keys := declared.declared_keys():
            names = ", ".join(f"“{key}”" for key in keys)
            self.stderr.write(f"Not written: what code declares, {names}.", self.style.NOTICE)

    def _read(self, file_format):
        try:
            data = sys.stdin.buffer.read(MAX_BYTES + 1) if self.file == "-" else Path(self.file).read_bytes()
            return texts.read_document(data.decode(), file_format)
        except OSError as error:
            raise CommandError(f"{self.file} cannot be read: {error.strerror}.", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(
                f"{self._name()} is not UTF-8: byte {error.start} is no character.", returncode=2
            ) from error
        except ValueError as error:
            raise CommandError(NO_NAME, returncode=2) from error

    def _diff(self, file_format, options):
        document, places = self._read(file_format)
        lines = unified_diff(rulefiles.check_document(document, places), self._name())
        for line in lines:
            self.stdout.write(self._coloured(line))
        if lines:
            raise CommandError(f"{self._name()} and the database differ.", returncode=1)

    def _coloured(self, line):
        tone = {"+": self.style.SUCCESS, "-": self.style.ERROR, "@": self.style.HTTP_INFO}.get(line[:1])
        return tone(line) if tone else line

    def _import(self, file_format, options):
        document, places = self._read(file_format)
        rules = rulefiles.check_document(document, places)
        progress = Progress(self.stderr, "rules")
        changes = rulefiles.import_rules(
            rules, places=places, source="" if self.file == "-" else Path(self.file).name,
            prune=options["prune"], dry_run=options["dry_run"], progress=progress,
        )  # fmt: skip
        progress.end()
        self._list(changes)
        self._sum_up(changes, options["dry_run"])
        self._warn_of_costs(rules)

    def _list(self, changes):
        for change in changes:
            if change.action != "kept":
                self.stdout.write("\n".join(described(change)))

    def _warn_of_costs(self, rules):
        for name, trigger in rules["triggers"].items():
            if trigger["enabled"] and inner_signals.is_inner(trigger["signal"]):
                self.stderr.write(f"“{name}”: {firing_cost.describe(trigger['signal'])}", self.style.WARNING)

    def _declared(self, _file_format, _options):
        changes, problems = declared.keep_declared()
        self._list(changes)
        if not changes and not problems:
            self.stdout.write("Nothing to change.")
        if problems:
            texts = "\n".join(f"“{key}”: {text}" for key, text in problems.items())
            raise CommandError(f"Not kept:\n{texts}", returncode=2)

    def _sum_up(self, changes, is_dry_run):
        kept = [change.what for change in changes if change.action == "kept"]
        number = {
            action: sum(change.action == action for change in changes)
            for action in ("created", "changed", "removed")
        }
        said = ", ".join(f"{count} {action}" for action, count in number.items() if count)
        if not said:
            self.stdout.write("Nothing to change.")
        else:
            self.stdout.write(f"{said}. Nothing was saved: --dry-run." if is_dry_run else f"{said}.")
        if kept:
            self.stdout.write(f"Not in the file, and left alone (--prune removes them): {'; '.join(kept)}.")


def described(change):
    """A change as lines: what, and each field from the old to the new."""
    yield f"{change.action} {change.what}"
    for key, old, new in change.fields:
        is_long = isinstance(new, str) and "\n" in f"{old}{new}".strip("\n")
        yield (
            f"    {key}: {_lines_changed(old, new)}"
            if is_long
            else f"    {key}: {_short(old)} → {_short(new)}"
        )


def _lines_changed(old, new):
    lines = list(difflib.ndiff(old.split("\n"), new.split("\n")))
    more, less = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return f"+{more} −{less} lines (see rules diff)"


def _short(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if not value:
        return "(empty)"
    return value if len(value) <= 100 else f"{value[:99]}…"
