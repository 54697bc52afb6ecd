"""Wires the app together at start-up, without a query."""

import os

from django.apps import AppConfig


class NotifierConfig(AppConfig):
    name = "notifier"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, liveness, signals  # noqa: F401 - importing `checks` registers them

        signals.register_builtin_signals()
        liveness.follow_rules(in_background="AWS_LAMBDA_FUNCTION_NAME" not in os.environ)
