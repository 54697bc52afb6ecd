"""How much work something is, in seconds of a machine on which the yardstick takes YARDSTICK_SECONDS.

It is the process's own time, whoever else is busy. A slower machine has as much more of it as its yardstick
takes.
"""

import re
from contextlib import contextmanager
from time import process_time

# Measured where the bounds of the tests were.
YARDSTICK_SECONDS = 0.02
ROUNDS = 3


@contextmanager
def at_most(seconds):
    """The block takes no longer than ``seconds`` of such a machine."""
    started = process_time()
    yield
    taken = process_time() - started
    if taken > seconds:
        taken /= slowness()
    assert taken <= seconds, f"{taken:.3g} s of work where {seconds} s are allowed"


def takes_at_most(function, *, seconds):
    """Whether a call takes no longer than ``seconds`` of such a machine.

    One that does is made again: others may have been busy.
    """
    for _ in range(ROUNDS):
        started = process_time()
        function()
        taken = process_time() - started
        if taken <= seconds or taken / slowness() <= seconds:
            return True
    return False


def slowness():
    """How many times as long as it should this machine takes for the yardstick; 1 for one that is faster."""
    return max(1, min(_measure_yardstick() for _ in range(ROUNDS)) / YARDSTICK_SECONDS)


def _measure_yardstick():
    started = process_time()
    words = [f"word{number} " for number in range(20_000)]
    text = "".join(sorted(words))
    assert len({found[0]: found for found in re.finditer(r"\w+", text)}) == len(words)
    return process_time() - started
