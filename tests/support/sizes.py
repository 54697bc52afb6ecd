"""How large the tests of size are: with SLOW=1, which CI sets, as large as is promised; else a part of it.

With EVERY=1 what is tried in several forms of one kind is tried in all of them: by hand, as it takes long.
"""

import os

IS_SLOW = os.environ.get("SLOW", "") not in ("", "0")


def full_or(part, *, full):
    """``full`` with SLOW=1, else ``part``."""
    return full if IS_SLOW else part


def every_or(some, *, every):
    """``every`` with EVERY=1, else ``some``: one of each kind."""
    return every if os.environ.get("EVERY", "") not in ("", "0") else some
