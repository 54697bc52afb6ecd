"""Each function's module is the first thing that its process imports: nobody has set up Django before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FUNCTIONS = sorted(path.stem for path in (HOUSE / "lambdas").glob("[a-z]*.py"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_in_a_process_of_its_own(function):
    code = f"from lambdas.{function} import handler; assert callable(handler)"
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOUSE, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_each_function_is_there():
    assert {"email", "fanout", "sweep"} <= set(FUNCTIONS)
