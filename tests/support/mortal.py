"""Functions that a delivery can kill: ``python -m tests.support.mortal`` runs each in a process of its own.

An order a line on its standard input: ``{"ids": […], "batch_size": 1}``. For each it forks a process that
delivers these as a channel's function does, and writes the process's return code. What is sent is written to
the file that its argument names, a line a message. A delivery whose event's title is ``poison`` and one of
PLACES ends the process there, by SIGKILL.
"""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from django.conf import settings

from tests.support.patience import PATIENCE_SECONDS

# While its event is read for a person, while it is priced, in the provider's call, while it is asked for.
PLACES = ("rendering", "pricing", "call", "asking")
CONTENT = {"subject": "{{ title }}", "text": "{{ title }}{{ dose }}"}


def die_of(text, place):
    if f"poison {place}" in text:
        os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """The other side of it, for tests."""

    def __init__(self, process, path):
        self._process, self._path = process, path

    def deliver(self, ids, *, batch_size=1, at_most_once=False):
        """Run a function for these deliveries; returns its return code, -9 where it was killed."""
        order = {"ids": ids, "batch_size": batch_size, "at_most_once": at_most_once}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def sent(self):
        """The texts that were sent, in their order."""
        return self._path.read_text().splitlines() if self._path.exists() else []

    def forget(self):
        self._path.unlink(missing_ok=True)


@contextmanager
def mortal_functions(path):
    from tests.support.functions import database_url

    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings", "DATABASE_URL": database_url()}
    command = [sys.executable, "-m", "tests.support.mortal", str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, **pipes) as process:
        try:
            yield Mortal(process, path)
        finally:
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)


def main(path):
    import django

    django.setup()
    from notifier.rules.providers import register_provider

    settings.NOTIFIER = settings.NOTIFIER | {"CHANNELS_PACKAGE": "tests.support.deadly_channels"}
    register_provider("dose", dose, provides=["dose"])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                deliver(json.loads(line), path)
                os._exit(0)
            finally:
                os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def dose(context, user):
    die_of(context["title"], "rendering")
    return {"dose": ""}


def deliver(order, path):
    from notifier.deliveries import Policy
    from notifier.deliveries.clock import Clock
    from notifier.deliveries.worker import Channel

    def send(messages, _session):
        for message in messages:
            die_of(message.text, "call")
        with open(path, "a") as file:
            file.writelines(f"{message.text}\n" for message in messages)
        return [str(message.delivery) for message in messages]

    policy = Policy(at_most_once=order["at_most_once"], horizon=dt.timedelta(hours=24))
    with Clock.lasting(PATIENCE_SECONDS) as clock:
        Channel(name="email", send_batch=send, policy=policy, batch_size=order["batch_size"]).deliver(
            order["ids"], clock
        )


if __name__ == "__main__":
    main(sys.argv[1])
