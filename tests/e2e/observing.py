"""Waiting for what another process does, and seeing what state it is in."""

from pathlib import Path
from threading import Event
from time import monotonic

PATIENCE_SECONDS = 20
LOOK_SECONDS = 0.01


def wait_until(condition):
    """Return when ``condition()`` is true; raises AssertionError when it does not become so."""
    deadline, never = monotonic() + PATIENCE_SECONDS, Event()
    while not condition():
        assert monotonic() < deadline, "this did not happen"
        never.wait(LOOK_SECONDS)


def wait_for(path):
    """Return when there is such a file."""
    wait_until(path.exists)


def state_of(pid):
    """The letter that the kernel gives the process ("T" is stopped), None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None
