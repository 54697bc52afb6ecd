"""The whole system on this machine: the local cloud, and the functions that its queues call."""

import os
from contextlib import contextmanager
from importlib import import_module
from threading import Event, Thread

from django.conf import settings
from django.db import connections

from .cloud import LocalCloud
from .invocation import Context
from .pump import Pump

# A deployment sweeps every minute; here somebody is waiting.
SWEEP_SECONDS = 10


def handlers_of(routes):
    """The functions behind ``routes``: route → ``handler(event, context)``."""
    return {route: import_module(f"lambdas.{route}").handler for route in routes}


@contextmanager
def local_system():
    """Yield ``(cloud, pump)`` with this process, and those it starts, publishing to the local topic.

    The pump stands still.
    """
    with LocalCloud() as cloud:
        before, set_before = (
            settings.NOTIFIER["TOPIC_ARN"],
            settings.ANYMAIL["AMAZON_SES_CONFIGURATION_SET_NAME"],
        )
        settings.NOTIFIER["TOPIC_ARN"] = os.environ["NOTIFIER_TOPIC_ARN"] = cloud.topic_arn
        settings.ANYMAIL["AMAZON_SES_CONFIGURATION_SET_NAME"] = cloud.configuration_set
        try:
            yield cloud, Pump(cloud.queues, handlers_of(cloud.queues))
        finally:
            settings.NOTIFIER["TOPIC_ARN"] = before
            settings.ANYMAIL["AMAZON_SES_CONFIGURATION_SET_NAME"] = set_before
            del os.environ["NOTIFIER_TOPIC_ARN"]


@contextmanager
def serving(pump):
    """Inside it, the queues are served and swept in the background."""
    stopping = Event()
    sweeper = Thread(target=_sweep_until, args=(stopping,), name="sweep")
    pump.start()
    sweeper.start()
    try:
        yield
    finally:
        stopping.set()
        sweeper.join()
        pump.stop()


def _sweep_until(stopping):
    handler = import_module("lambdas.sweep").handler
    try:
        while not stopping.wait(SWEEP_SECONDS):
            handler({}, Context(function_name="sweep", aws_request_id="local", timeout_seconds=60))
    finally:
        connections.close_all()
