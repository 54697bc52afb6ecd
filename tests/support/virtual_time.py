"""Time that passes when everybody waits, for tests of who sends when: as exact on a busy machine as on an
idle one.
"""

import threading

from tests.support.patience import PATIENCE_SECONDS

# Far from 0, which stands for “never” in the table.
BEGINNING = 1_000_000.0


class VirtualTime:
    """What the workers' clocks and the database's show.

    It moves on, to whoever wakes next, once all ``workers`` sleep.
    """

    def __init__(self, workers):
        self.now, self._awake, self._sleeping = BEGINNING, workers, []
        self._changed = threading.Condition()

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        with self._changed:
            wakes = self.now + seconds
            self._sleeping.append(wakes)
            self._awake -= 1
            self._move_on()
            assert self._changed.wait_for(lambda: self.now >= wakes, PATIENCE_SECONDS)
            self._sleeping.remove(wakes)
            self._awake += 1

    def leave(self):
        """A worker is done; nobody waits for it any more."""
        with self._changed:
            self._awake -= 1
            self._move_on()

    def _move_on(self):
        # Who has been woken and does not run yet is awake as well.
        if self._awake == 0 and self._sleeping and min(self._sleeping) > self.now:
            self.now = min(self._sleeping)
            self._changed.notify_all()
