"""Waiting for what another process does, and seeing what state it is in."""

from pathlib import Path

from tests.support.patience import wait_until


def wait_for(path):
    """Return when there is such a file."""
    wait_until(path.exists, f"there is {path.name}")


def state_of(pid):
    """The letter that the kernel gives the process ("T" is stopped), None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None
