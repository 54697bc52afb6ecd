"""How long something takes, beside what it is compared to."""

import time
from typing import NamedTuple


class Took(NamedTuple):
    """Seconds of an item: by the clock, and of this process's own work."""

    wall: float
    work: float


def best(actions, *, rounds, before=None):
    """Name → Took of ``actions``, name → ``(function, items)``.

    The machine is shared and noisy, so it is the best of ``rounds`` in which all take turns. ``before``: name
    → what prepares it, and is not timed.
    """
    times = {name: [] for name in actions}
    for _ in range(rounds):
        for name, (action, items) in actions.items():
            (before or {}).get(name, _nothing)()
            wall, work = time.perf_counter(), time.process_time()
            action()
            times[name].append(((time.perf_counter() - wall) / items, (time.process_time() - work) / items))
    return {name: Took(*map(min, zip(*found, strict=True))) for name, found in times.items()}


def _nothing():
    pass
