"""A person at a terminal with a copy of the project and an account: runs the real ``zappa`` and
``manage.py``.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.support.patience import PATIENCE_SECONDS
from tests.support.pins import HOUSE

from .runtimes import suit_this_machine

# A deployment is a dozen functions, each with a package to build. This ends one that hangs.
LONGEST_COMMAND_SECONDS = 4 * PATIENCE_SECONDS
ADMINISTRATOR, PASSWORD = "admin", "linen-and-wool-48"


class Deployer:
    """``folder`` receives the project, or stays empty without ``copy``; ``url`` is the account's endpoint.

    ``suited``: for a runtime and a processor of this machine, whatever the stages name.
    """

    def __init__(self, folder, url, *, copy=True, suited=True):
        self.folder = folder
        if copy:
            copy_project(folder)
            if suited:
                suit_this_machine(folder)
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "deployer",
            "AWS_SECRET_ACCESS_KEY": "deployer",
            "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", ""),
            "NO_PROXY": "127.0.0.1",
            "DJANGO_SUPERUSER_USERNAME": ADMINISTRATOR,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # What installs for Lambda finds packages where the person's own pip does, and does not fetch them
            # twice.
            "UV_SYSTEM_CERTS": "1",
            "UV_CACHE_DIR": str(Path.home() / ".cache" / "uv"),
            **{name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_"))},
        }

    def set_variable(self, stage, name, value):
        """Write an environment variable of a stage into ``zappa_settings.json``."""
        path = self.folder / "zappa_settings.json"
        stages = json.loads(path.read_text())
        stages[stage].setdefault("aws_environment_variables", {})[name] = value
        path.write_text(json.dumps(stages, indent=4))

    def zappa(self, *arguments):
        """Run the command; returns what it printed. Fails, with that, when it does not succeed."""
        return self.run("zappa", *arguments)

    def manage(self, *arguments, fails=False):
        return self.run("python", "manage.py", *arguments, fails=fails)

    def shell(self, script):
        return self.run("sh", "-c", script)

    def start(self, *arguments):
        """The same as ``zappa``, in the background: a Popen whose output is read by ``communicate``."""
        return subprocess.Popen(
            ["zappa", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command, fails=False):
        """Run a command of the virtual environment, or of the machine; see :meth:`zappa`."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_COMMAND_SECONDS,
        )
        printed = done.stdout + done.stderr
        assert bool(done.returncode) == fails, printed
        return printed


def new_database(name):
    """The URL of another database on the tests' server, for a deployment of its own."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


def copy_project(folder):
    """Copy the project as a checkout has it: not the virtual environment, nor what else lies about."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.sqlite3*", "staticfiles", "*.zip")
    shutil.copytree(HOUSE, folder, ignore=left_out, dirs_exist_ok=True)
