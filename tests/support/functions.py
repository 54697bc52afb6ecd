"""Calls the functions as their queues do: in this process, or in one that can be killed.

And lets time pass, in the database.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.utils import timezone

from notifier.local.invocation import Context, event_of
from notifier.models import Delivery, Event
from notifier.queue.ring import rings_for
from tests.support.patience import wait_until

# Lambda's longest: no function's time is up because a machine is slow.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
FUNCTION_SECONDS = 900


def bodies_for(route, ids):
    """The texts of the messages that ring for ``ids``."""
    return [ring.body() for ring in rings_for(route, ids)]


def event_for(route, bodies):
    """What the function behind ``route`` is called with for messages of these texts; their ids are "0", "1",
    …
    """
    messages = [
        {"MessageId": str(position), "ReceiptHandle": "handle", "Body": body, "MD5OfBody": ""}
        for position, body in enumerate(bodies)
    ]
    return event_of(messages, f"arn:aws:sqs:us-east-1:123456789012:notifier-{route}")


def make_context(*, seconds=FUNCTION_SECONDS):
    return Context(function_name="function", aws_request_id="1", timeout_seconds=seconds)


def invoke(route, *bodies, seconds=FUNCTION_SECONDS):
    """Call the function behind ``route`` in this process; returns the positions of the messages that must
    come again.
    """
    return invoke_handler(import_module(f"lambdas.{route}").handler, route, *bodies, seconds=seconds)


def invoke_handler(handler, route, *bodies, seconds=FUNCTION_SECONDS):
    """As ``invoke``, with any handler in the place of the function's own."""
    answer = handler(event_for(route, bodies), make_context(seconds=seconds))
    return sorted(int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"])


def sweep():
    """Run the sweep's function; returns how many it rang for."""
    return import_module("lambdas.sweep").handler({}, make_context())["rung"]


def let_time_pass():
    """Let every lease, pause and doorbell's grace end: what has a due time is due now."""
    past = timezone.now() - dt.timedelta(seconds=1)
    for model in (Event, Delivery):
        model.objects.filter(due_at__isnull=False).update(due_at=past)


@contextmanager
def worker(route, *bodies, die_before=None, seconds=FUNCTION_SECONDS, traced=False):
    """A process that runs the function once; see ``tests.support.worker``.

    Yields the Popen, whose ``result()`` waits and reads.
    """
    order = {
        "function": route,
        "event": event_for(route, bodies),
        "timeout_seconds": seconds,
        "die_before": die_before,
        "traced": traced,
    }
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": database_url(),
        "NOTIFIER_TOPIC_ARN": settings.NOTIFIER["TOPIC_ARN"],
    }
    with Worker(
        [sys.executable, "-m", "tests.support.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=settings.BASE_DIR,
    ) as process:
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
        process.stdin = None
        try:
            yield process
        finally:
            process.kill()


class Worker(subprocess.Popen):
    """A function's process."""

    def result(self, *, progress=None):
        """What it printed; see ``wait_until`` for ``progress``. Raises when it did not end well."""
        wait_until(lambda: self.poll() is not None, "the function ends", progress=progress)
        output = self.stdout.read()
        assert self.returncode == 0
        return json.loads(output)


def database_url():
    """The test's own database, for another process."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@{quote(found['HOST'], safe='')}/{found['NAME']}"
