"""The versions that the requirements allow are those that the tests run with, and no older ones."""

import sys
import tomllib
from pathlib import Path

import django
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

HOUSE = Path(__file__).parents[2]
LINES = (HOUSE / "requirements.in").read_text(encoding="utf-8").splitlines()
(DJANGO,) = [Requirement(line) for line in LINES if line.startswith("Django")]
PYTHON = SpecifierSet(tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["requires-python"])


def test_what_the_tests_run_with_is_allowed():
    assert DJANGO.specifier.contains(django.__version__)
    assert PYTHON.contains(".".join(map(str, sys.version_info[:3])))


@pytest.mark.parametrize("version", ["1.8", "3.2.25", "4.2.20", "5.0.14", "5.1.15", "7.0"])
def test_a_django_that_no_test_has_seen_is_not(version):
    assert not DJANGO.specifier.contains(version)


@pytest.mark.parametrize("version", ["2.7.18", "3.8.20", "3.10.19"])
def test_a_python_that_is_too_old_is_not(version):
    assert not PYTHON.contains(version)


def test_what_is_packed_is_what_is_allowed():
    (pinned,) = [
        line.partition("==")[2].split()[0]
        for line in (HOUSE / "requirements.txt").read_text(encoding="utf-8").lower().splitlines()
        if line.startswith("django==")
    ]
    assert DJANGO.specifier.contains(pinned)
