"""What the lock files pin."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def pinned(*names):
    """Requirements with their hashes, as ``make lock`` has written them."""
    entries = re.split(r"^(?=\S)", (HOUSE / "requirements-dev.txt").read_text(), flags=re.MULTILINE)
    return "".join(each for each in entries if each.partition("==")[0] in names)
