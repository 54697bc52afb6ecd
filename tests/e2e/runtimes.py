"""Lambda's Pythons, as far as this machine has them: the interpreter, and the runtime client that AWS adds to
a package.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from threading import Lock

from uv import find_uv_bin

from notifier.deploy.stack.pythons import find_python
from tests.support.pins import HOUSE, pinned

from . import bootstrap

# awslambdaric and what it requires; the product's own packages are not among them.
CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
WANTED = json.loads((HOUSE / "zappa_settings.json").read_text())["production"]["runtime"]
OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"
# What is deployed in the tests: the stage's runtime, or where nobody has installed it that of the tests.
RUNTIME = WANTED if find_python(WANTED.removeprefix("python")) else OWN
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
SAID = f"Functions ran on {RUNTIME}, {ARCHITECTURE}" + (
    "." if RUNTIME == WANTED else f": there is no {WANTED}, which the stages name, on this machine."
)


def suit_this_machine(folder):
    """Let the stages in ``folder`` be for a runtime that can be run here."""
    path = Path(folder, "zappa_settings.json")
    stages = json.loads(path.read_text())
    stages["production"] |= {"runtime": RUNTIME, "architecture": ARCHITECTURE}
    path.write_text(json.dumps(stages, indent=4))


@cache
def interpreter_of(runtime):
    """Not that of a virtual environment, which would find its packages.

    Raises LookupError where there is none.
    """
    found = find_python(runtime.removeprefix("python"))
    if not found:
        raise LookupError(f"there is no {runtime} on this machine")
    return os.path.realpath(found)


class RuntimeClients:
    """AWS's runtime client for each runtime, installed once, below ``root``."""

    def __init__(self, root):
        self._root, self._lock = Path(root), Lock()

    def folder(self, runtime):
        """The folder that holds it and nothing else of the virtual environment."""
        folder = self._root / runtime
        with self._lock:
            if not folder.exists():
                _install(runtime, folder)
        return folder


def _install(runtime, folder):
    pins = folder.with_suffix(".txt")
    pins.parent.mkdir(parents=True, exist_ok=True)
    pins.write_text(pinned(*CLIENT))
    subprocess.run(
        [
            *(
                find_uv_bin(),
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--compile-bytecode",
                "--require-hashes",
            ),
            *("--python", interpreter_of(runtime), "--target", str(folder), "-r", str(pins)),
        ],
        env={"UV_SYSTEM_CERTS": "1", **os.environ},
        check=True,
    )
    shutil.copy2(bootstrap.__file__, folder / "lambda_bootstrap.py")
