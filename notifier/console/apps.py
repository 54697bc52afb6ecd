"""Makes the channel known to admin and rules."""

from django.apps import AppConfig

from ..channels.registry import register_channel


class ConsoleConfig(AppConfig):
    name = "notifier.console"
    label = "notifier_console"

    def ready(self):
        register_channel("console")
