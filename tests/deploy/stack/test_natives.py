"""Packages with native code, installed by uv for another machine: as wheels, or not at all."""

import hashlib
import io
import subprocess
import sys
import tarfile

import pytest

from notifier.deploy.stack import package
from notifier.deploy.stack.pythons import find_python
from notifier.deploy.stack.targets import NEWEST_MANYLINUX
from notifier.exceptions import ConfigurationError
from tests.support.pins import pinned

# A source distribution that builds itself, without a compiler: what matters is the name of what it makes.
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = r"""
from pathlib import Path
from zipfile import ZipFile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, about = "shop-1.0-{tag}.whl", "shop-1.0.dist-info"
    with ZipFile(Path(folder, name), "w") as wheel:
        wheel.writestr("shop.py", "")
        wheel.writestr(f"{{about}}/METADATA", "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
        wheel.writestr(f"{{about}}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{{about}}/RECORD", f"shop.py,,\n{{about}}/METADATA,,\n{{about}}/WHEEL,,\n")
    return name
"""
VERSIONS = [each.removeprefix("python") for each in NEWEST_MANYLINUX]
# Wheels that hold an extension, for all of Lambda's machines.
NATIVE = "markupsafe"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package.compiler_for.cache_clear()
    yield tmp_path
    package.compiler_for.cache_clear()


def add_source_distribution(folder, tag):
    """Name a source distribution, whose wheel will have ``tag``, in the requirements."""
    files = {
        "pyproject.toml": PROJECT,
        "backend.py": BACKEND.format(tag=tag),
        "PKG-INFO": "Name: shop\nVersion: 1.0",
    }
    archive = folder / "shop-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"shop-1.0/{name}")
            entry.size = len(text)
            opened.addfile(entry, io.BytesIO(text.encode()))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"shop @ {archive.as_uri()} --hash=sha256:{digest}\n")


def test_a_source_distribution_of_python_alone_is_built_here(project):
    add_source_distribution(project, "py3-none-any")
    environment = package.build_environment(runtime="python3.13", architecture="arm64")
    assert list(environment.rglob("shop.py"))


def test_one_with_native_code_is_refused_as_it_would_be_this_machines(project):
    version = "".join(map(str, sys.version_info[:2]))
    add_source_distribution(project, f"cp{version}-cp{version}-linux_x86_64")
    with pytest.raises(ConfigurationError, match=r"shop.*x86_64"):
        package.build_environment(runtime=f"python3.{sys.version_info[1]}", architecture="x86_64")
    assert not list((project / ".cache").rglob("shop.py"))


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", 183), ("x86_64", 62)])
def test_wheels_are_those_of_the_stages_processor(project, architecture, machine):
    (project / "requirements.txt").write_text(pinned(NATIVE))
    environment = package.build_environment(runtime="python3.13", architecture=architecture)
    (library,) = environment.rglob("*.so")
    assert library.read_bytes()[:4] == b"\x7fELF"
    assert int.from_bytes(library.read_bytes()[18:20], "little") == machine
    assert ".cpython-313-" in library.name


def compiled(environment):
    """The bytecode's versions, as each Python marks its own."""
    return {each.read_bytes()[:4].hex() for each in environment.rglob("*.pyc")}


def magic_of(python):
    said = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    return subprocess.run([python, "-c", said], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("version", [each for each in VERSIONS if find_python(each)])
def test_bytecode_is_that_of_the_runtimes_python(project, capsys, version):
    (project / "requirements.txt").write_text(pinned("iniconfig"))
    environment = package.build_environment(runtime=f"python{version}", architecture="x86_64")
    assert compiled(environment) == {magic_of(find_python(version))}
    assert capsys.readouterr().out == ""


def test_where_that_python_is_missing_it_is_said_once_and_nothing_wrong_is_compiled(
    project, monkeypatch, capsys
):
    (project / "requirements.txt").write_text(pinned("iniconfig"))
    monkeypatch.setenv("PATH", str(project))
    monkeypatch.setenv("PYENV_ROOT", str(project))
    version = next(each for each in VERSIONS if not find_python(each))
    for _ in range(2):
        environment = package.build_environment(runtime=f"python{version}", architecture="x86_64")
    assert compiled(environment) == set()
    assert capsys.readouterr().out.count(f"There is no python{version} on this machine") == 1


def test_a_name_on_the_path_that_runs_nothing_is_passed_over_and_the_newest_of_pyenvs_taken(
    project, monkeypatch
):
    monkeypatch.setenv("PATH", str(project))
    monkeypatch.setenv("PYENV_ROOT", str(project))
    put_script(project / "python3.99", "echo pyenv: command not found >&2; exit 127")
    for number in ("3.99.9", "3.99.10", "3.99.10t", "3.98.11"):
        put_script(project / "versions" / number / "bin" / "python", f"echo {number.rpartition('.')[0]}")
    assert find_python("3.99") == str(project / "versions" / "3.99.10" / "bin" / "python")
    assert find_python("3.97") is None


def put_script(path, line):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
