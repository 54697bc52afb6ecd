"""Keys and tokens that providers know us by. Channels and the doctor read them here, and nowhere else.

Note [what a store adds]: a file ends with a line break, a form adds a blank, a Windows editor a mark at the
beginning. No key begins or ends so, and one that is sent with it is refused with each message.
"""

import os
import re
from collections.abc import Iterable, Mapping

# The marks that editors leave, beside white space of any kind.
MARKS = "\ufeff\u200b\x00"
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
QUOTES = "\"'`"


def cleaned(value: str) -> str:
    """``value`` without what a store or an editor has added at its ends."""
    while (shorter := value.strip().strip(MARKS)) != value:
        value = shorter
    return value


def read(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value of a variable, ``cleaned``; blank where it is not set."""
    return cleaned(environ.get(name) or "")


def fault_in(value: str) -> str:
    """What no provider's key is like, in words that do not quote it; blank where it may be one."""
    if CONTROL.search(value):
        return "it holds a line break or another control character"
    if not value.isascii():
        return "it holds a character that is not ASCII"
    if value and (value[0] in QUOTES or value[-1] in QUOTES):
        return "it stands in quotation marks"
    return "it holds a blank" if " " in value else ""


def missing(names: Iterable[str], environ: Mapping[str, str] = os.environ) -> str:
    """A sentence about those of ``names`` that are not set; blank where all are."""
    unset = [name for name in names if not read(name, environ)]
    return f"Set {', '.join(unset)}." if unset else ""


def unusable(names: Iterable[str], environ: Mapping[str, str] = os.environ) -> str:
    """A sentence about each of ``names`` that is set to what can be no key; blank where none is."""
    faults = {name: fault_in(read(name, environ)) for name in names}
    return " ".join(f"{name} cannot be used: {fault}." for name, fault in faults.items() if fault)
