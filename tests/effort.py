"""How much work something is, on any machine: in seconds of a machine on which the yardstick takes
YARDSTICK_SECONDS.

It is the process's own time, whoever else is busy. A slower machine gets as much more of it as it takes for
the yardstick.
"""

import re
from contextlib import contextmanager
from time import process_time

# Measured where the bounds of the tests were.
YARDSTICK_SECONDS = 0.02
ROUNDS = 3


@contextmanager
def at_most(seconds):
    """The block takes no longer than ``seconds`` of such a machine.

    Yields a list that holds, after it, what it took.
    """
    taken, started = [], process_time()
    yield taken
    taken.append(process_time() - started)
    if taken[0] > seconds:
        taken[0] /= slowness()
    assert taken[0] <= seconds, f"{taken[0]:.3g} s of work where {seconds} s are allowed"


def slowness():
    """How many times as long as it should this machine takes for the yardstick; 1 for one that is faster."""
    return max(1, min(_measure_yardstick() for _ in range(ROUNDS)) / YARDSTICK_SECONDS)


def _measure_yardstick():
    started = process_time()
    words = [f"word{number} " for number in range(20_000)]
    text = "".join(sorted(words))
    assert len({found[0]: found for found in re.finditer(r"\w+", text)}) == len(words)
    return process_time() - started
