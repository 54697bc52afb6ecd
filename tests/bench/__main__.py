"""``make bench``: what a save costs its caller and how fast mails go, as ratios to something in the same run.

Prints a table in Markdown, as docs/performance.md has it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from notifier.local.postgres import find_programs, temporary_cluster

from . import table

# What runs in a process of its own, on a database of its own.
PARTS = ("measures", "crowd", "pages")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="100,000 mails as well: some minutes more.")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        json.dump(run_part(arguments.part, is_long=arguments.long), sys.stdout)
        return
    found, pages = {}, None
    for name, database in databases().items():
        with database() as url:
            found[name] = run_child(url, name, "measures")
        # It is long, and no other with a disk that is waited for.
        if "fsync on" not in name:
            with database() as url:
                found[name] |= run_child(url, name, "crowd", is_long=arguments.long)
    if programs := find_programs():
        with temporary_cluster(programs) as url:
            pages = run_child(url, "PostgreSQL", "pages")
    sys.stdout.write(table.of_measures(found) + (table.of_pages(pages) if pages else ""))


def databases():
    """Name → a context manager that yields the URL of an empty one."""
    programs = find_programs()
    if programs is None:
        say("PostgreSQL: SKIPPED, its programs are not on this machine.")
        return {"SQLite": sqlite}
    return {
        "SQLite": sqlite,
        "PostgreSQL, fsync off": lambda: temporary_cluster(programs),
        "PostgreSQL, fsync on": lambda: temporary_cluster(programs, durable=True),
    }


@contextmanager
def sqlite():
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.sqlite3"


def run_child(url, name, part, *, is_long=False):
    say(f"{name} …")
    command = [sys.executable, "-m", "tests.bench", "--part", part, *["--long"] * is_long]
    environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, cwd=Path.cwd())
    return json.loads(done.stdout)


def run_part(part, *, is_long):
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from django.core.management import call_command

    from tests.support.wire import Wire

    from . import crowd, measures, paging

    if part == "pages":
        return paging.compare()
    call_command("migrate", verbosity=0, interactive=False)
    with Wire() as wire:
        if part == "crowd":
            return crowd.measure(wire, few=1_000, crowd=100_000, is_long=is_long, say=_say_inside)
        return measures.measure(wire, measures.Sizes(), say=_say_inside)


def _say_inside(text):
    say(f"  {text}")


def say(text):
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
