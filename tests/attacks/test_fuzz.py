"""Templates and events by the thousand, drawn from the grammar and from the models: none hangs, fills the
memory or ends the process, and no save fails for a rule.

``python -m tests.support.fuzzing templates --seed 10000 --runs 100000`` goes on where this ends; a red run
says which seed repeats it.
"""

import json
import os
import subprocess
import sys

import pytest

from notifier.templating.filters import LIBRARY
from tests.support.fuzzing import MOST_MEGABYTES
from tests.support.grammar import TAGS, Grammar
from tests.support.sizes import full_or

# Of each: 10,000 runs at full size, by parts that run side by side.
PARTS = [
    *(("templates", part * 2000) for part in range(4)),
    *(("events", part * 500) for part in range(4)),
]
RUNS = {"templates": full_or(100, full=2000), "events": full_or(25, full=500)}


@pytest.mark.parametrize(("kind", "first"), PARTS)
def test_no_run_hangs_fills_the_memory_or_ends_the_process(kind, first):
    command = [sys.executable, "-m", "tests.support.fuzzing", kind, f"--seed={first}", f"--runs={RUNS[kind]}"]
    # With a database of its own, not the tests'.
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"Exit {ended.returncode}: {ended.stderr[-3000:]}"
    found = json.loads(ended.stdout)
    assert sum(found["ends"].values()) == RUNS[kind]
    assert found["slowest"][0] < found["bound"]
    assert found["largest"][0] <= MOST_MEGABYTES
    # A draw that is nearly always refused would show nothing.
    well = found["ends"].get("rendered", 0) + found["ends"].get("recorded", 0)
    assert well > RUNS[kind] / 4, found["ends"]


def test_each_tag_and_filter_of_the_language_is_drawn():
    sources = "".join(part for seed in range(300) for part in Grammar(seed).parts().values())
    assert set(TAGS) == set(LIBRARY.tags)
    assert {name for name in LIBRARY.filters if f"|{name}" not in sources} == set()
    assert {name for name in TAGS if f"{{% {name}" not in sources} == set()
