"""The Pythons of this machine, found by their version."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def find_python(version):
    """The path of a Python ``version`` (``3.13``) that runs here, or None: this process's own, one on the
    PATH, the newest of pyenv's.

    One on the PATH is tried, as pyenv puts a name there for each version, whether it may be run or not.
    """
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    kept = [each for each in root.glob(f"versions/{version}.*") if re.fullmatch(r"[\d.]+", each.name)]
    newest_first = sorted(kept, key=lambda each: Version(each.name), reverse=True)
    found = [
        sys.executable,
        shutil.which(f"python{version}"),
        *(each / "bin/python" for each in newest_first),
    ]
    return next((str(each) for each in found if each and _is(each, version)), None)


def _is(path, version):
    try:
        said = subprocess.run([path, "-c", SAY_VERSION], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return said.strip() == version
