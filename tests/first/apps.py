"""A signal of one's own, and a receiver that sends it when a connection opens, where a test wants that."""

import os

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.dispatch import Signal

from notifier import register_signal

opened = Signal()


class FirstConfig(AppConfig):
    name = "tests.first"
    label = "first"

    def ready(self):
        register_signal("opened", opened, args=["who"])
        if "SEND_WHEN_CONNECTED" in os.environ:
            connection_created.connect(_send, weak=False)
        if "SEND_WHEN_STARTING" in os.environ:
            opened.send(sender=None, who="nobody hears it")


def _send(**_signal):
    opened.send(sender=None, target="the connection")
