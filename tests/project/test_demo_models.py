"""What is notified about knows nothing of it: the demo's models import no word of Notifier."""

import ast
from pathlib import Path

import pytest

from project.demo import models


def imported(path):
    """The modules that a file imports, by their full names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


def test_the_demos_models_import_django_alone():
    assert {name.partition(".")[0] for name in imported(Path(models.__file__))} == {"django"}


@pytest.mark.parametrize("model", [models.FlashSale, models.Post, models.Movie, models.Profile])
def test_and_hold_nothing_of_it(model):
    assert {base.__module__.partition(".")[0] for base in model.__mro__} == {"project", "django", "builtins"}
    assert not [name for name in vars(model) if name.startswith("notifi")]
