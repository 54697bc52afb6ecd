"""How large the tests of size are: as large as what is promised with SLOW=1, which CI sets; else a part of
it, so that a run is short.
"""

import os

IS_SLOW = os.environ.get("SLOW", "") not in ("", "0")


def full_or(part, *, full):
    """``full`` with SLOW=1, else ``part``."""
    return full if IS_SLOW else part
