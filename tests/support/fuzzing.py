"""Templates and events by the thousand, in a process of their own:
``python -m tests.support.fuzzing templates --seed 0 --runs 1000``.

At the end one line of JSON is printed: how many ended how, and the most of time and memory that one took. A
run past a bound, and an error that no run may raise, ends it, with the seed to repeat it.
"""

import argparse
import faulthandler
import json
import sys
from collections import Counter
from time import process_time

from tests.support.memory import peak_kilobytes

# What a run may take, in seconds of a machine as fast as the yardstick's; see `tests.support.effort`.
MOST_SECONDS = 10
# What a run may add to the process: a function of 512 MB has about 350 left.
MOST_MEGABYTES = 300
MEGABYTE = 1024 * 1024


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("kind")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--runs", type=int, default=100)
    asked = asked.parse_args()

    import django

    django.setup()
    from tests.support import fuzzed
    from tests.support.effort import slowness

    run, bound = getattr(fuzzed, asked.kind), MOST_SECONDS * slowness()
    ends, slowest, largest = Counter(), (0.0, -1), (0, -1)
    before = _peak_megabytes()
    for seed in range(asked.seed, asked.seed + asked.runs):
        # Also out of a regular expression, which no signal interrupts. A run that waits for the processor is
        # given more than its own time.
        faulthandler.dump_traceback_later(6 * bound, exit=True)
        sys.stderr.write(f"{seed}\n")
        started = process_time()
        end = run(seed)
        taken = process_time() - started
        ends[end] += 1
        slowest = max(slowest, (taken, seed))
        if (now := _peak_megabytes()) > before:
            largest, before = max(largest, (now - before, seed)), now
        if taken > bound or largest[0] > MOST_MEGABYTES:
            sys.exit(f"The run of seed {seed} took {taken:.1f} s, and {largest[0]} MB.")
    faulthandler.cancel_dump_traceback_later()
    json.dump({"ends": ends, "slowest": slowest, "largest": largest, "bound": bound}, sys.stdout)


def _peak_megabytes():
    return peak_kilobytes() // 1024


if __name__ == "__main__":
    main()
