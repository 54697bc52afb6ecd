"""mypy only warns of a contract that is there no more, and then checks nothing of it."""

import tomllib
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_module_whose_types_are_held_exists():
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    (contracts,) = [each["module"] for each in mypy["overrides"] if each.get("disallow_untyped_defs")]
    assert [name for name in contracts if find_spec(name) is None] == []
    # And is among what mypy looks at.
    paths = [name.replace(".", "/") for name in contracts]
    looked_at = tuple(each.removesuffix(".py") for each in mypy["files"])
    assert [path for path in paths if not path.startswith(looked_at)] == []
