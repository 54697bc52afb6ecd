"""Whether work grows faster than its text: measured at each doubling, in the process's own time."""

from itertools import pairwise
from time import process_time

ROUNDS = 3
# As many times the time for twice the text, twice in a row; of a quadratic one it is four times.
RATIO = 2.8
# What is done sooner than this is not looked at again. A search that begins anew at each of so many
# characters takes ten times as long.
SECONDS, CHARACTERS = 0.004, 12_000
SMALLEST, FEW, LARGEST = 16, 128, 64_000


def worse_than_linear(function, make_text, *, least=SECONDS, characters=CHARACTERS):
    """The seconds at each doubling, where ``function(make_text(length))`` takes clearly more than twice the
    time for twice the length; else None, as where so many characters take less than ``least`` seconds.
    """
    length = SMALLEST
    # From little up, and slowly: some take as long as the universe for forty characters.
    while seconds(function, make_text(length), rounds=1) < least:
        if length >= characters:
            return None
        length = min(length * 5 // 4 if length < FEW else 2 * length, characters)
    if length < FEW:
        taken = seconds(function, make_text(length), rounds=ROUNDS)
        return [taken] if taken >= least else None
    # What grows takes as much longer at once for four times the text: most is known not to by a single look.
    least = seconds(function, make_text(length), rounds=ROUNDS)
    if seconds(function, make_text(4 * length), rounds=1) <= RATIO**2 * least:
        return None
    times = []
    while length <= LARGEST and len(times) < (4 if sum(times) < 0.3 else 3):
        times.append(seconds(function, make_text(length), rounds=ROUNDS if sum(times) < 0.2 else 1))
        length *= 2
        if len(times) > 2 and not grows(times):
            return None
    return times if grows(times) else None


def grows(times):
    """Whether each of the last doublings cost clearly more than twice."""
    return len(times) > 2 and all(after > RATIO * before for before, after in list(pairwise(times))[-2:])


def seconds(function, text, *, rounds):
    """The best of some rounds, which another process's work disturbs least."""
    best = float("inf")
    for _ in range(rounds):
        started = process_time()
        function(text)
        best = min(best, process_time() - started)
    return best
