"""What others have written and Lambda runs: by its hash, with its licence, and listed in the package."""

import json
import os
import re
import stat
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker

from notifier.deploy.stack import package
from notifier.deploy.stack.sbom import NAME, licences_of, write_sbom
from notifier.exceptions import ConfigurationError

HOUSE = Path(__file__).parents[2]
LOCKS = [*sorted(HOUSE.glob("requirements*.txt")), HOUSE / "tests" / "apps" / "requirements.txt"]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENTRY = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)( ; (?P<marker>[^\\\n]+))?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def entries(path):
    """By their names, those that this Python takes."""
    found = ENTRY.finditer(path.read_text())
    return {each["name"]: each for each in found if not each["marker"] or Marker(each["marker"]).evaluate()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Hashes.


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_line_of_what_is_pinned_is_a_version_and_its_hashes(path):
    rest = ENTRY.sub("", path.read_text())
    assert rest == "", "no line without a hash, no address of an index, no path, no option"


def test_all_that_runs_on_lambda_has_the_files_of_both_of_its_processors():
    """A wheel each, beside what is one for all: fewer hashes than that would be one machine's lock."""
    found = entries(HOUSE / "requirements.txt")
    for name in ("psycopg-binary", "lxml", "css-inline", "pyyaml", "markupsafe", "charset-normalizer"):
        assert found[name]["hashes"].count("sha256") >= 4, name


def test_one_package_is_one_file_in_all_locks():
    files = [
        {(each["name"], each["version"]): each for each in ENTRY.finditer(path.read_text())}
        for path in LOCKS[:3]
    ]
    for name, entry in files[0].items():
        for other in files[1:]:
            assert name not in other or other[name]["hashes"] == entry["hashes"]


def six(hashes=None):
    entry = entries(HOUSE / "requirements.txt")["six"]
    return f"six=={entry['version']} {hashes}\n" if hashes is not None else entry[0]


UNWANTED = {
    "a file that was exchanged at the index": six(hashes="--hash=sha256:" + "0" * 64),
    "no hash at all": six(hashes=""),
    "no version": "six\n",
    "a range of versions": "six>=1.16\n",
    "one without among others": six() + "toml==0.10.2\n",
    "what another needs and nobody named": "python-dateutil==2.9.0.post0 --hash=sha256:"
    "a8b2bc7bffae282281c8140a97d3aa9c14da0b136dfe83f850eea9a5f7470427\n",
    "an address instead of a version": "six @ https://files.example.com/six-1.17.0-py2.py3-none-any.whl\n",
    "a weak hash": six(hashes="--hash=md5:" + "0" * 32),
}


@pytest.mark.parametrize("requirements", UNWANTED.values(), ids=UNWANTED)
def test_what_has_no_hash_or_another_one_is_not_packed(folder, requirements):
    (folder / "requirements.txt").write_text(requirements)
    with pytest.raises(ConfigurationError) as caught:
        package.build_environment(runtime=RUNTIME)
    assert "requirements.txt cannot be installed for Lambda" in str(caught.value)
    assert not list(folder.rglob("six.py"))


def test_a_hash_that_is_missing_is_answered_with_the_command_that_writes_it(folder):
    (folder / "requirements.txt").write_text(UNWANTED["no hash at all"])
    with pytest.raises(ConfigurationError, match="uv pip compile --generate-hashes requirements.in"):
        package.build_environment(runtime=RUNTIME)


def test_what_one_function_adds_is_held_to_it_too(folder):
    (folder / "requirements.txt").write_text(six())
    (folder / "requirements-chat.txt").write_text("toml==0.10.2\n")
    with pytest.raises(ConfigurationError, match="hash"):
        package.build_environment(runtime=RUNTIME, module="chat")


def test_making_the_environments_asks_for_hashes_too():
    makefile = (HOUSE / "Makefile").read_text()
    installs = re.findall(r"pip install.*", makefile.replace("\\\n", ""))
    assert installs
    assert [line for line in installs if "--require-hashes" not in line] == []
    assert "--generate-hashes" in re.search(r"^LOCK = .*", makefile, re.MULTILINE)[0]


# The list in the package.


def test_the_package_lists_what_is_in_it_and_nothing_else(folder):
    """Pip is among the tools that are taken out."""
    wanted = [entries(HOUSE / "requirements.txt")[name][0] for name in ("six", "whitenoise", "pip")]
    (folder / "requirements.txt").write_text("".join(wanted))
    packed = package.folder_in(package.build_environment(runtime=RUNTIME))
    write_sbom(packed, installed=packed)
    bom = json.loads((packed / NAME).read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    listed = {each["name"]: each for each in bom["components"]}
    assert set(listed) == {"six", "whitenoise"}
    pinned = entries(HOUSE / "requirements.txt")
    for name, each in listed.items():
        assert each["version"] == pinned[name]["version"]
        assert each["purl"] == f"pkg:pypi/{name}@{each['version']}"
        assert "MIT" in json.dumps(each["licenses"])


# Licences that a service may be built on; none asks for the source of what only uses the library.
ALLOWED = {
    "0BSD", "Academic Free License (AFL)", "Apache-2.0", "Apache2", "MIT No Attribution License (MIT-0)",
    "Apache License 2.0", "Apache Software License", "Apache License, Version 2.0",
    "BSD License", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT License", "ISC", "PSF-2.0",
    "Python Software Foundation License", "Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0",
}  # fmt: skip
# Looked at one by one: what they ask for, a service that hands nobody the library does not touch.
BY_NAME = {
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "text-unidecode": "Artistic License",
}


def runs_on_lambda():
    names = {*entries(HOUSE / "requirements.txt"), *entries(HOUSE / "requirements-chat.txt")}
    return sorted(names)


@pytest.mark.parametrize("name", runs_on_lambda())
def test_what_runs_on_lambda_has_a_licence_that_is_known_and_allowed(name):
    named = licences_of(distribution(name))
    if name in BY_NAME:
        assert BY_NAME[name] in named
        return
    parts = {part for each in named for part in re.split(r" (?:AND|OR|WITH) ", each)}
    assert parts
    assert parts <= ALLOWED


# Known advisories.


def audit(folder, script):
    """The run of ``.ci/audit`` with ``script`` for pip-audit."""
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return subprocess.run(
        [HOUSE / ".ci" / "audit"], env={**os.environ, "PIP_AUDIT": str(program)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


# The first question is about pip alone, by which one sees whether anybody answers.
LATER = 'case "$*" in *probe*) exit 0;; esac; '
AUDITS = {
    # what pip-audit did → how the check ends, and what it says
    "nothing found": ("echo No known vulnerabilities found", 0, "requirements.txt: no known advisories"),
    "a finding": (LATER + "echo 'django 5.2.19 GHSA-1 5.2.20'; exit 1", 1, "GHSA-1"),
    "a finding in what is asked first": ("echo 'pip 26.3 GHSA-2 26.4'; exit 1", 1, "GHSA-2"),
    "no way to the index": ("echo 'ConnectionError: refused' >&2; exit 1", 0, "SKIPPED: nobody was asked"),
    "an index that is down": ("echo '503 Server Error: for url' >&2; exit 1", 0, "SKIPPED: nobody was asked"),
    "a mirror without advisories": (
        "echo 'pip: not found on PyPI' >&2; exit 1",
        0,
        "SKIPPED: nobody was asked",
    ),
    "a package that the index does not know": (LATER + "echo 'six: not found on PyPI' >&2; exit 1", 1, "six"),
    "an index that goes away": (LATER + "echo 'ConnectionError: refused' >&2; exit 1", 1, "ConnectionError"),
    "a tool that does not run": ("echo 'unrecognized arguments' >&2; exit 2", 1, "unrecognized"),
    "a tool that is killed": ("kill -9 $$", 1, "requirements.txt"),
}


@pytest.mark.parametrize(("script", "status", "said"), AUDITS.values(), ids=AUDITS)
def test_advisories_are_red_and_what_was_not_asked_is_said(tmp_path, script, status, said):
    done = audit(tmp_path, script)
    assert (done.returncode, said in done.stdout) == (status, True), done
    assert ("no known advisories" in done.stdout) == (script.startswith("echo No known"))


def test_each_lock_is_asked_about(tmp_path):
    said = audit(tmp_path, 'echo "$@" >> "$(dirname "$0")/asked"').stdout
    for path in LOCKS:
        assert str(path.relative_to(HOUSE)) in said
    asked = (tmp_path / "asked").read_text()
    assert asked.count("--strict --require-hashes --disable-pip") == len(LOCKS) + 1
