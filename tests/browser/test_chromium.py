"""Which browser looks at the admin, and what is said where there is none."""

import pytest

from notifier.exceptions import ConfigurationError
from tests.support.chromium import find_program

pytestmark = pytest.mark.one_database


def test_a_browser_on_the_path_comes_before_playwrights_own(tmp_path, monkeypatch):
    own, installed = tmp_path / "own", tmp_path / "chromium"
    for program in own, installed:
        program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert find_program(str(own)) == str(own)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program(str(own)) == str(installed)


def test_without_a_browser_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="apt install chromium"):
        find_program(str(tmp_path / "none"))
