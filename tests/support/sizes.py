"""How large the tests of size are: with SLOW=1, which CI sets, as large as is promised; else a part of it."""

import os

IS_SLOW = os.environ.get("SLOW", "") not in ("", "0")


def full_or(part, *, full):
    """``full`` with SLOW=1, else ``part``."""
    return full if IS_SLOW else part
