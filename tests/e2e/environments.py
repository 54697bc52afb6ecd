"""An execution environment: one process with one package, under AWS's own runtime client."""

import json
import os
import subprocess
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from tempfile import mkdtemp
from threading import Thread

from tests.support.patience import PATIENCE_SECONDS

from .runtime_api import Invocation, Outcome, RuntimeApi
from .runtimes import interpreter_of
from .variables import variables_of

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_SECONDS = 10
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_ANSWERED_BYTES = 6_291_556


class Environment:
    """Runs ``definition`` from ``task_root``; ``edges`` are the environment variables that lead to the local
    servers.

    ``imported_files`` is what its process had imported when it last waited for an event. Its time-outs
    are ``slowness`` times Lambda's.
    """

    def __init__(self, definition, *, task_root, runtime, edges, root, slowness):
        self.definition, self._task_root, self._runtime, self._edges = definition, task_root, runtime, edges
        self._init_seconds, self._seconds = INIT_SECONDS * slowness, definition.timeout_seconds * slowness
        self._folder = Path(mkdtemp(dir=root, prefix=definition.name[:40] + "-"))
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        self.log_stream = f"{day}/[{definition.version}]{uuid.uuid4().hex}"
        self._process, self._read, self._stopping = None, 0, False
        self._api = RuntimeApi(freeze=lambda: self._signal(SIGSTOP), thaw=lambda: self._signal(SIGCONT))

    def start(self):
        definition = self.definition
        self._api.start()
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                # Without `site` there are no site-packages; -m puts the task's folder first, as Lambda does.
                [
                    interpreter_of(definition.runtime),
                    "-S",
                    "-s",
                    "-m",
                    "lambda_bootstrap",
                    definition.handler,
                    str(self._folder / "imported"),
                ],
                cwd=self._task_root,
                env=variables_of(
                    definition,
                    self._task_root,
                    self._runtime,
                    self._api.address,
                    self.log_stream,
                    self._edges,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own, so that what it starts ends with it; in our session, so that the kernel
                # ends it, frozen or not, when this process is killed.
                process_group=0,
            )
        self._watcher = Thread(target=self._watch, name=f"watch {definition.name}", daemon=True)
        self._watcher.start()
        return self

    def stop(self):
        """End the process and wait for it. Harmless twice."""
        self._stopping = True
        if self._process is not None:
            self._signal(SIGKILL)
            self._watcher.join()
        self._api.stop()

    @property
    def usable(self):
        return self._process_alive() and not self._stopping and self._api.init_error is None

    @property
    def pid(self):
        return self._process.pid

    @property
    def imported_files(self):
        # The list is written on the way to the next event, which may be a moment after the answer.
        assert self._api.waiting.wait(PATIENCE_SECONDS), "the process does not ask for its next event"
        return set((self._folder / "imported").read_text().splitlines())

    def invoke(self, payload):
        """Hand over one event and wait for its end, at most the function's timeout. Returns an Outcome."""
        invocation = Invocation(payload=payload, timeout_seconds=self._seconds, arn=self.definition.arn)
        began = time.monotonic()
        if self._initialise(invocation):
            self._api.hand_over(invocation)
            if not self._process_alive():
                self._api.abort(self._crash(invocation))
            if not invocation.done.wait(self._seconds):
                self._time_out(invocation, self._seconds)
        seconds = time.monotonic() - began
        answer, error = _limited(invocation)
        return Outcome(
            request_id=invocation.request_id,
            payload=answer,
            error=error,
            log=self._take_log(invocation, seconds),
            seconds=seconds,
        )

    def _initialise(self, invocation):
        # On AWS an initialisation that takes longer than its ten seconds is begun again, on the function's
        # time.
        patience = self._init_seconds + self._seconds
        if not self._api.ready.wait(patience):
            self._time_out(invocation, patience)
        elif self._api.init_error is not None:
            invocation.finish(self._api.init_error, "Unhandled")
        elif not self._process_alive():
            invocation.finish(self._crash(invocation), "Unhandled")
        return not invocation.done.is_set()

    def _time_out(self, invocation, seconds):
        text = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
        invocation.finish(_error("Sandbox.Timedout", text), "Unhandled")
        self._stopping = True
        self._signal(SIGKILL)

    def _crash(self, invocation=None):
        code = self._process.returncode
        how = f"signal: {-code}" if code is not None and code < 0 else f"exit status {code}"
        prefix = f"RequestId: {invocation.request_id} " if invocation else ""
        return _error("Runtime.ExitError", f"{prefix}Error: Runtime exited with error: {how}")

    def _watch(self):
        self._process.wait()
        self._api.abort(self._crash())

    def _process_alive(self):
        return self._process.poll() is None

    def _signal(self, number):
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _take_log(self, invocation, seconds):
        """What was written since the last event, with the lines that Lambda puts around it."""
        with open(self._folder / "log", "rb") as log:
            log.seek(self._read)
            written = log.read()
        self._read += len(written)
        text = written.decode(errors="replace")
        lines = [
            f"START RequestId: {invocation.request_id} Version: {self.definition.version}",
            *text.split("\n"),
        ]
        if invocation.error:
            lines.append(_words(invocation.answer))
        lines += [f"END RequestId: {invocation.request_id}"]
        lines += [f"REPORT RequestId: {invocation.request_id} Duration: {seconds * 1000:.2f} ms"]
        # Within one entry the runtime client separates lines by a carriage return.
        return "\n".join(line.replace("\r", "\n") for line in lines if line)


def _limited(invocation):
    if len(invocation.answer) <= MOST_ANSWERED_BYTES:
        return invocation.answer, invocation.error
    text = f"Response payload size exceeded maximum allowed payload size ({MOST_ANSWERED_BYTES} bytes)."
    return _error("Function.ResponseSizeTooLarge", text), "Unhandled"


def _error(kind, text):
    return json.dumps({"errorType": kind, "errorMessage": text}).encode()


def _words(answer):
    try:
        return json.loads(answer).get("errorMessage", "")
    except ValueError:
        return answer.decode(errors="replace")
