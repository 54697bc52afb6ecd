"""PgBouncer in transaction mode before the tests' own PostgreSQL, as RDS Proxy and others are.

Each transaction goes by another connection than the one before it: whatever is kept in one is missed at once.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from notifier.local.postgres import ordinary_account
from tests.support.patience import wait_until

PORT = 6432
SETTINGS = """
[databases]
* = host={cluster} user={user}
[pgbouncer]
pool_mode = transaction
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
min_pool_size = 3
default_pool_size = 3
server_round_robin = 1
logfile = {folder}/log
"""


def find_program():
    """PgBouncer, which Debian keeps among the administrator's programs; None where there is none."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooled(folder):
    """Start it, with its files in ``folder``; yield the address of the tests' database behind it."""
    found, account = connection.settings_dict, ordinary_account() if os.geteuid() == 0 else None
    values = {"cluster": found["HOST"], "user": found["USER"], "folder": folder, "port": PORT}
    Path(folder, "settings.ini").write_text(SETTINGS.format(**values))
    Path(folder, "users").write_text(f'"{found["USER"]}" ""\n')
    if account:
        shutil.chown(folder, account)
    command = [find_program(), f"{folder}/settings.ini"]
    with subprocess.Popen(
        command, user=account, extra_groups=account and [], stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(Path(folder, f".s.PGSQL.{PORT}").exists, "the pooler listens")
            yield f"postgres://{found['USER']}@{quote(str(folder), safe='')}:{PORT}/{found['NAME']}"
        finally:
            process.terminate()
