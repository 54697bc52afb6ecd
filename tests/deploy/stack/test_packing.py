"""One package for all stages whose files are the same."""

from itertools import count
from pathlib import Path

import pytest

from notifier.deploy.stack.packing import build_once


@pytest.fixture
def build(tmp_path, monkeypatch):
    """As Zappa's: makes a file in the current folder, a new one each time, and adds to the list that it
    gets.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    numbers = count(1)

    def create_lambda_zip(*, prefix, output, disable_progress, exclude, **options):
        name = output or f"{prefix}-0.zip"
        exclude.append(name)
        Path(name).write_text(f"package {next(numbers)}")
        return name

    return create_lambda_zip


def made(build, prefix, **options):
    """What is in the package; removed afterwards, as Zappa does when it is uploaded."""
    path = Path(build_once(build, prefix=prefix, **{"exclude": ["tests"], **options}))
    text = path.read_text()
    path.unlink()
    return text


def test_a_second_stage_with_the_same_files_gets_a_copy_under_its_own_name(build):
    assert made(build, "shop-fanout") == made(build, "shop-email") == "package 1"
    assert Path(build_once(build, prefix="shop-sms", output="sms.zip", exclude=["tests"])).name == "sms.zip"


@pytest.mark.parametrize(
    "different",
    [
        {"exclude": ["tests", "staticfiles"]},  # of the web function, which has pages
        {"exclude_glob": ["docs"]},
        {"handler_file": "other.py"},
    ],
)
def test_other_files_are_another_package(build, different):
    assert [made(build, "shop-fanout"), made(build, "shop-web", **different)] == ["package 1", "package 2"]


def test_an_environment_of_its_own_is_another_package(build, monkeypatch):
    first = made(build, "shop-fanout")
    monkeypatch.setenv("VIRTUAL_ENV", "/another")
    assert (first, made(build, "shop-chat")) == ("package 1", "package 2")


def test_what_a_stage_adds_to_its_package_is_not_in_the_next_one(build):
    with open(build_once(build, prefix="shop-fanout", exclude=[]), "a") as archive:
        archive.write(", settings of fanout")
    assert made(build, "shop-email", exclude=[]) == "package 1"
