"""Keeps a poller for each event source mapping that there is, as deploys make and delete them."""

from contextlib import contextmanager
from threading import Event, RLock, Thread

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from notifier.local.cloud import REGION
from tests.support.patience import wait_until

from .pollers import LOOK_SECONDS, Poller, deployed_mappings


class Polling:
    """Nothing is read before :meth:`start`, or :meth:`poll` and :meth:`drain`, which read in the meantime."""

    def __init__(self, *, functions, url, wait_for_events):
        self._functions, self._url, self._wait_for_events = functions, url, wait_for_events
        self._pollers, self._lock = {}, RLock()
        self._stopping, self._draining, self._thread = Event(), Event(), None

    @property
    def served(self):
        """The ids of the mappings that have a poller."""
        with self._lock:
            return set(self._pollers)

    def start(self):
        """Serve all mappings in the background, also those that are made later. Harmless twice."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = Thread(target=self._keep_up, name="mappings", daemon=True)
            self._thread.start()

    def stop(self):
        """Read no more, and let the batches under way end."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = None
        for poller in self._pollers.values():
            poller.stop()
        self._pollers = {}

    def poll(self):
        """One batch of each mapping that is enabled, one after the other. Returns the number of messages."""
        pollers = [self._poller(each) for each in deployed_mappings().values()]
        return sum(poller.poll() for poller in pollers)

    def drain(self):
        """Until no queue with an enabled mapping holds a message. What fails comes again at once.

        Raises AssertionError when nothing moves any more.
        """
        self._draining.set()
        try:
            with self._serving():
                wait_until(
                    self._is_quiet,
                    "the queues are empty",
                    progress=lambda: (self._progress(), held_messages()),
                )
        finally:
            self._draining.clear()
        self._wait_for_events()

    def _poller(self, mapping):
        return Poller(mapping, functions=self._functions, url=self._url(), in_a_hurry=self._draining.is_set)

    @contextmanager
    def _serving(self):
        began = self._thread is None
        self.start()
        try:
            yield
        finally:
            if began:
                self.stop()

    def _keep_up(self):
        while not self._stopping.is_set():
            wanted = deployed_mappings()
            with self._lock:
                for uuid in wanted.keys() - self._pollers.keys():
                    self._pollers[uuid] = self._poller(wanted[uuid])
                    self._pollers[uuid].start()
            for uuid in self._pollers.keys() - wanted.keys():
                self._pollers[uuid].stop()
                with self._lock:
                    del self._pollers[uuid]
            self._stopping.wait(LOOK_SECONDS)

    def _is_quiet(self):
        # A batch that ends while the queues are being looked at may have put something where nothing was
        # seen.
        before, quiet = self._progress(), not held_messages()
        return quiet and before == self._progress() and before[1] == 0

    def _progress(self):
        with self._lock:
            pollers = list(self._pollers.values())
        return sum(poller.received for poller in pollers), sum(poller.under_way for poller in pollers)


def held_messages():
    """How many messages each queue with an enabled mapping holds, by name: visible, taken, and delayed;
    without the empty.
    """
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
    names = {
        each.event_source_arn.rpartition(":")[2] for each in deployed_mappings().values() if each.enabled
    }
    return {name: held for name in sorted(names & queues.keys()) if (held := _held(queues[name]))}


def _held(queue):
    return (
        queue.approximate_number_of_messages
        + queue.approximate_number_of_messages_not_visible
        + queue.approximate_number_of_messages_delayed
    )
