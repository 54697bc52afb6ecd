"""docs/security.md names each file of this folder beside what it holds, and no other."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "security.md"


def test_the_page_names_each_file_of_attacks_and_no_other():
    rows = re.findall(r"^\|.*\|$", PAGE.read_text(encoding="utf-8"), flags=re.M)
    named = [name for row in rows for name in re.findall(r"`attacks/(test_\w+\.py)(?:::\w+)?`", row)]
    there = {path.name for path in HERE.glob("test_*.py")}
    assert set(named) == there
