"""A PostgreSQL of one's own for one command: ``python -m notifier.local.postgres [--required] --
COMMAND``.
"""

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

# Fast and forgetful: the cluster is thrown away.
FORGETFUL = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
# Debian keeps the server's programs off the PATH, by version.
DEBIAN = Path("/usr/lib/postgresql")


def find_programs():
    """The folder with ``initdb`` and ``pg_ctl``, or None. The newest of Debian's comes first."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True)
    on_path = shutil.which("initdb")
    found = [*versions, *([Path(on_path)] if on_path else [])]
    return found[0].parent if found else None


@contextmanager
def temporary_cluster(programs, *, durable=False):
    """Start a cluster in a temporary folder, on a socket of its own; yield its DATABASE_URL; remove it.

    ``durable``: a commit waits for the disk, as a server's does.
    """
    # PostgreSQL refuses to run as root.
    account = ordinary_account() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="notifier-pg-") as folder:
        if account:
            os.chown(folder, pwd.getpwnam(account).pw_uid, -1)

        def call(program, *arguments):
            command = [str(programs / program), *arguments]
            subprocess.run(
                command,
                user=account,
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
                extra_groups=account and [],
            )

        data = f"{folder}/data"
        options = [f"unix_socket_directories={folder}", "listen_addresses=", *([] if durable else FORGETFUL)]
        call("initdb", "-D", data, "-U", "notifier", "-A", "trust", "-E", "UTF8", "--no-sync")
        started = " ".join(f"-c {option}" for option in options)
        call("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", started, "start")
        try:
            call("createdb", "-h", folder, "-U", "notifier", "notifier")
            yield f"postgres://notifier@{quote(folder, safe='')}/notifier"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")


def ordinary_account():
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def main():
    parser = argparse.ArgumentParser(
        description="Run a command with DATABASE_URL set to a temporary PostgreSQL."
    )
    parser.add_argument(
        "--required", action="store_true", help="Fail, instead of skipping, where there is no PostgreSQL."
    )
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    programs = find_programs()
    if programs is None:
        sys.stderr.write(
            "\n*** SKIPPED: nothing was run on PostgreSQL, its programs (initdb, pg_ctl) are "
            "not on this machine. ***\n\n"
        )
        return int(arguments.required)
    with temporary_cluster(programs) as url:
        return subprocess.run(
            arguments.command, env=os.environ | {"DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
