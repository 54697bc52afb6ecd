"""The package for Lambda: the project's own packages, and an environment of what its requirements name.

Zappa zips both.

Zappa packs the virtual environment that is active, with the test tools that happen to be in it. So it is
shown another one, built here and kept under ``.cache/`` until the requirements change. All functions share
``requirements.txt`` and one environment, but for a module with a ``requirements-<module>.txt`` of its own:
that one's has these too, and its cold start alone pays for them.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import click

from notifier.exceptions import ConfigurationError

from . import slimming, targets
from .pythons import find_python

REQUIREMENTS = "requirements.txt"
CACHE = Path(".cache/lambda")

# What installers say is short: https://docs.astral.sh/uv/reference/cli/#uv-pip-install--require-hashes
NO_HASHES = (
    "\nOnly files whose hashes are known go to Lambda. Pin them with: "
    "uv pip compile --generate-hashes requirements.in -o requirements.txt"
)

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_UNPACKED_BYTES = 250 * 1024 * 1024
# Folders of the project that hold no Python and are needed all the same.
DATA_FOLDERS = frozenset({"templates", "locale", "staticfiles"})


def build_environment(*, runtime, architecture="x86_64", module=""):
    """Path of an environment for Lambda's ``runtime`` (``python3.13``) on ``architecture`` (``arm64``), as
    Zappa expects one: packages under ``lib/pythonX.Y``.

    ``module`` is the file behind the function's handler, such as ``chat``; what others need besides is not in
    it.

    Raises ConfigurationError when the requirements cannot be installed, with the installer's words, or what
    was installed does not run there.
    """
    requirements, target = requirements_of(module), targets.target_of(runtime, architecture)
    compiler = compiler_for(runtime)
    ours = (each.__file__ for each in (slimming, targets))
    wanted = [Path(each).read_bytes() for each in (*requirements, __file__, *ours)]
    wanted.append(f"{target} {compiler} {sys.version}".encode())
    # What else the project's functions may have is kept beside it: they are deployed one after the other.
    family = f"{runtime}-{architecture}-{module if len(requirements) > 1 else 'all'}"
    environment = CACHE.absolute() / f"{family}-{hashlib.sha256(b''.join(wanted)).hexdigest()[:12]}"
    if not environment.exists():
        for earlier in CACHE.glob(f"{family}-*"):
            slimming.remove(earlier)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
            packages = folder_in(unfinished)
            _install(requirements, packages, target)
            slimming.slim(packages)
            targets.check_fit(packages, target)
            if compiler:
                compile_folder(packages, compiler)
            Path(unfinished).rename(environment)
            Path(unfinished).mkdir()  # for its own removal
    return environment


def folder_in(environment):
    """Where its packages are: Zappa looks in the folder of the Python that it runs under, whichever the
    function's is.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Path(environment, "lib", version, "site-packages")


def requirements_of(module):
    """The files that a function's packages come from."""
    own = f"requirements-{module}.txt"
    return [REQUIREMENTS, own] if module and Path(own).exists() else [REQUIREMENTS]


def _install(requirements, folder, target):
    try:
        from uv import find_uv_bin
    except ImportError:
        raise ConfigurationError(
            "Packaging needs uv, which installs for Lambda's Linux from any machine: pip install uv"
        ) from None
    command = [
        *(find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)),
        *("--python-version", target.python, "--python-platform", target.platform, "--require-hashes"),
    ]
    # What is built from its source is built by what the files name, too.
    files = [part for each in requirements for part in ("-r", each, "--build-constraints", each)]
    done = subprocess.run(
        [*command, *files],
        # The machine's own certificates, as pip is often told: in an office a proxy may stand between.
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip()
        raise ConfigurationError(
            f"{' and '.join(requirements)} cannot be installed for Lambda's {target}:\n{words}"
            f"{NO_HASHES if 'hash' in words else ''}"
        )


def compile_folder(folder, python):
    """Write bytecode beside each source that has none: the function's folder is read-only, and each cold
    start would compile everything again.

    By the source's hash and unchecked, because files in a zip have no time that could be compared.
    """
    # Zappa puts an empty file into each folder without a source, those with bytecode too.
    sources = [path for path in Path(folder).rglob("*.py") if path.stat().st_size and not _is_compiled(path)]
    command = [python, "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"]
    # What does not compile is left as it is: some packages bring files for other Pythons.
    subprocess.run(
        [*command, "-s", folder, "-i", "-"], input="\n".join(map(str, sources)), text=True, check=False
    )


def _is_compiled(source):
    return any((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"))


@cache
def compiler_for(runtime):
    """The path of the Python that makes the bytecode for ``runtime``, or None, which is said once a command,
    not once a stage.
    """
    if not (found := find_python(runtime.removeprefix("python"))):
        click.secho(
            f"  There is no {runtime} on this machine, so the package goes uncompiled, and each cold start "
            "compiles what it needs. With that Python on the PATH or in pyenv it is done here.",
            fg="yellow",
        )
    return found


def left_out(function_folders, root="."):
    """The parts of the project that do not go to Lambda, as Zappa's two settings: ``exclude`` (names, at any
    depth) and ``exclude_glob``.

    A top-level package or module goes, DATA_FOLDERS, and ``function_folders``, which need no ``__init__.py``;
    tests, documents, databases and hidden files stay.
    """
    named = DATA_FOLDERS | function_folders
    outside = [path for path in Path(root).iterdir() if not _goes(path, named)]
    # By name where the name cannot be one inside a package, so that Zappa does not copy gigabytes only to
    # remove them.
    hidden = [path.name for path in outside if path.name.startswith(".") or (path / "pyvenv.cfg").exists()]
    # Bytecode of the working tree is by the time of files, which a zip does not keep.
    stale = [
        f"{path.name}/**/__pycache__" for path in Path(root).iterdir() if path.is_dir() and _goes(path, named)
    ]
    return hidden, [*(path.name for path in outside if path.name not in hidden), "__pycache__", *stale]


def _goes(path, named):
    if path.name.startswith((".", "test")):
        return False
    if path.is_dir():
        return path.name in named or (path / "__init__.py").exists()
    return path.suffix == ".py"


def sizes(archive):
    """``(packed, unpacked)`` bytes of a zip."""
    with ZipFile(archive) as opened:
        return Path(archive).stat().st_size, sum(entry.file_size for entry in opened.infolist())
