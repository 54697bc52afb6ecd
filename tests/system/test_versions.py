"""The versions that the requirements allow are those that the tests run with, and no older ones."""

import sys
import tomllib
from pathlib import Path

import django
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

HOUSE = Path(__file__).parents[2]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LINES = (HOUSE / "requirements.in").read_text(encoding="utf-8").splitlines()
(DJANGO,) = [Requirement(line) for line in LINES if line.startswith("Django")]
PYTHON = SpecifierSet(tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["requires-python"])


def test_what_the_tests_run_with_is_allowed():
    assert DJANGO.specifier.contains(django.__version__)
    assert PYTHON.contains(".".join(map(str, sys.version_info[:3])))


@pytest.mark.parametrize("version", ["5.2", "5.2.19", "6.0.10", "6.1.3"])
def test_a_django_that_is_tested_is_allowed(version):
    assert DJANGO.specifier.contains(version)


@pytest.mark.parametrize("version", ["1.8", "3.2.25", "4.2.20", "5.0.14", "5.1.15", "6.2", "7.0"])
def test_a_django_that_no_test_has_seen_is_not(version):
    assert not DJANGO.specifier.contains(version)


@pytest.mark.parametrize("version", ["2.7.18", "3.8.20", "3.10.19"])
def test_a_python_that_is_too_old_is_not(version):
    assert not PYTHON.contains(version)


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_is_given_one_version_of_each_package(python):
    """Of one lock, which markers divide; what is packed for Lambda is of it, too."""
    assert PYTHON.contains(python)
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pinned = [
        Requirement(line.rstrip(" \\"))
        for line in (HOUSE / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith(" ")
    ]
    found = [each for each in pinned if each.marker is None or each.marker.evaluate(environment)]
    assert len({each.name for each in found}) == len(found) > 50
    (django_line,) = [str(each.specifier) for each in found if each.name == "django"]
    assert DJANGO.specifier.contains(django_line.removeprefix("=="))
    assert django_line.startswith("==5.2." if python == "3.11" else "==6.1.")
