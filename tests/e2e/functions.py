"""The functions that run: which environment takes an event, and when a new one is started."""

import time
from collections import Counter, defaultdict
from threading import Lock

from .definitions import is_deployed, plain_name, read_definition
from .environments import Environment

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_EVENT_BYTES = 6_291_456


class Throttled(Exception):
    """The function's reserved concurrency is used up:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """


class Functions:
    """``logs`` is a LogWriter, ``packages`` are Packages, ``clients`` RuntimeClients; ``edges`` returns the
    variables of the local servers.
    """

    def __init__(self, *, packages, clients, logs, edges, root, slowness):
        self._packages, self._clients, self._logs, self._edges, self._root = (
            packages,
            clients,
            logs,
            edges,
            root,
        )
        self._slowness = slowness
        self._all, self._idle, self._at_work, self._lock = [], defaultdict(list), Counter(), Lock()

    def invoke(self, name, payload, qualifier=None):
        """Run one event, ``payload`` as bytes.

        Returns an Outcome; raises Throttled, or moto's error for an unknown name.

        One event at a time in an environment; an idle one of the deployed version is used again, else one is
        started.
        """
        definition = read_definition(name, qualifier)
        environment = self._take(definition)
        try:
            outcome = environment.invoke(payload)
            self._logs.write(environment.definition, environment.log_stream, outcome.log)
        finally:
            self._give_back(environment)
        return outcome

    def invoke_cold(self, name, payload):
        """``(outcome, seconds)`` of an event in a new environment, which ends with it; from the start of its
        process.
        """
        environment = self._prepare(read_definition(name))
        began = time.monotonic()
        try:
            outcome = environment.start().invoke(payload)
            return outcome, time.monotonic() - began
        finally:
            self._end([environment])

    def environments(self, name):
        """The function's environments of this moment, working or waiting."""
        with self._lock:
            return [each for each in self._all if each.definition.name == name]

    def forget(self, name):
        """The function is deleted: its waiting environments end now, those at work when their event ends."""
        with self._lock:
            ended = self._idle.pop(plain_name(name)[0], [])
        self._end(ended)

    def stop(self):
        """End every process, also one that works on an event."""
        with self._lock:
            ended = list(self._all)
            self._idle.clear()
        self._end(ended)

    def _take(self, definition):
        name = definition.name
        with self._lock:
            waiting = self._idle[name]
            self._idle[name] = [each for each in waiting if each.usable and each.definition == definition]
            outdated = [each for each in waiting if each not in self._idle[name]]
            reserved = definition.reserved_concurrency
            throttled = reserved is not None and self._at_work[name] >= reserved
            environment = self._idle[name].pop() if self._idle[name] and not throttled else None
            self._at_work[name] += not throttled
        self._end(outdated)
        if throttled:
            raise Throttled(f"{name} may run {reserved} at once")
        return environment or self._start(definition)

    def _start(self, definition):
        try:
            return self._prepare(definition).start()
        except BaseException:
            with self._lock:
                self._at_work[definition.name] -= 1
            raise

    def _prepare(self, definition):
        folder, definition = self._packages.unpack(definition)
        environment = Environment(
            definition,
            task_root=folder,
            runtime=self._clients.folder(definition.runtime),
            edges=self._edges(),
            root=self._root,
            slowness=self._slowness,
        )
        with self._lock:
            self._all.append(environment)
        return environment

    def _give_back(self, environment):
        definition = environment.definition
        kept = environment.usable and is_deployed(definition)
        with self._lock:
            self._at_work[definition.name] -= 1
            if kept:
                self._idle[definition.name].append(environment)
        if not kept:
            self._end([environment])

    def _end(self, environments):
        for environment in environments:
            environment.stop()
        with self._lock:
            self._all = [each for each in self._all if each not in environments]
