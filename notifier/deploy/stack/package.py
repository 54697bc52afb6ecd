"""The package for Lambda: the project's own packages, and an environment of what its requirements name.

Zappa zips both.

Zappa packs the virtual environment that is active, with the test tools that happen to be in it. So it is
shown another one, built here and kept under ``.cache/`` until the requirements change. All functions share
``requirements.txt`` and one environment, but for a module with a ``requirements-<module>.txt`` of its own:
that one's has these too, and its cold start alone pays for them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import click

from notifier.exceptions import ConfigurationError

from . import sbom, targets
from .pythons import find_python

REQUIREMENTS = "requirements.txt"
CACHE = Path(".cache/lambda")

# What installers say is short: https://docs.astral.sh/uv/reference/cli/#uv-pip-install--require-hashes
NO_HASHES = (
    "\nOnly files whose hashes are known go to Lambda. Pin them with: "
    "uv pip compile --generate-hashes requirements.in -o requirements.txt"
)

# Zappa's command line needs these, its handler none of them.
TOOLS = (
    ".lock",
    "pip",
    "setuptools",
    "_distutils_hack",
    "pkg_resources",
    "wheel",
    "troposphere",
    "cfn_*",
    "placebo",
    "tqdm",
    "argcomplete",
    "bin",
)
# What only a compiler or a translator reads.
SOURCES = ("*.po", "*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.c", "*.h")
# Of botocore's four hundred services those that a Django project may call; all of them would be a third of
# the package. Add the name of another here: without it boto3 raises UnknownServiceError.
AWS_SERVICES = frozenset(
    [
        "bedrock-runtime",
        "cloudwatch",
        "cognito-idp",
        "dynamodb",
        "events",
        "firehose",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "pinpoint-sms-voice-v2",
    ]
    + ["s3", "scheduler", "secretsmanager", "ses", "sesv2", "sns", "sqs", "ssm", "stepfunctions", "sts"]
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
    compiler = find_python(target.python) or _say_uncompiled(target.python)
    ours = (module.__file__ for module in (sbom, targets))
    wanted = [Path(each).read_bytes() for each in (*requirements, __file__, *ours)]
    wanted.append(f"{target} {compiler} {sys.version}".encode())
    # What else the project's functions may have is kept beside it: they are deployed one after the other.
    family = f"{runtime}-{architecture}-{module if len(requirements) > 1 else 'all'}"
    environment = CACHE.absolute() / f"{family}-{hashlib.sha256(b''.join(wanted)).hexdigest()[:12]}"
    if not environment.exists():
        for earlier in CACHE.glob(f"{family}-*"):
            _remove(earlier)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
            # Zappa looks in the folder of the Python that it runs under, whichever the function's is.
            packages = Path(
                unfinished, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages"
            )
            _install(requirements, packages, target)
            _slim(packages)
            targets.check_fit(packages, target)
            if compiler:
                _compile(packages, compiler)
            sbom.write_sbom(packages)
            Path(unfinished).rename(environment)
            Path(unfinished).mkdir()  # for its own removal
    return environment


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


def _slim(packages):
    for pattern in TOOLS:
        for found in packages.glob(pattern):
            _remove(found)
    for pattern in SOURCES:
        for found in list(packages.rglob(pattern)):
            _remove(found)
    for service in (packages / "botocore" / "data").glob("*"):
        if service.is_dir() and service.name not in AWS_SERVICES:
            _remove(service)
    # Browsers get what `collectstatic` took out of the person's own environment.
    for folder in list(packages.rglob("static")):
        if folder.is_dir() and not (folder / "__init__.py").exists():
            _remove(folder)


def _remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compile(packages, python):
    """Write bytecode beside the source: the function's folder is read-only, and each cold start would compile
    everything again.

    By the source's hash and unchecked, because files in a zip have no time that could be compared.
    """
    # What does not compile is left as it is: some packages bring files for other Pythons.
    subprocess.run(
        [
            python,
            "-m",
            "compileall",
            "-qq",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            packages,
            packages,
        ],
        check=False,
    )


@cache
def _say_uncompiled(version):
    """Once a command, not once a stage."""
    click.secho(
        f"  There is no python{version} on this machine, so the libraries go uncompiled, and each cold start "
        "compiles what it needs. With that Python on the PATH or in pyenv it is done here.",
        fg="yellow",
    )
    return ""


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
