"""Wires the app together at start-up, without a query."""

import os

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NotifierConfig(AppConfig):
    name = "notifier"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, liveness, signals, template_files  # noqa: F401 - importing `checks` registers them

        signals.register_builtin_signals()
        post_migrate.connect(template_files.follow_deployment, sender=self, dispatch_uid="notifier.files")
        liveness.follow_rules(in_background="AWS_LAMBDA_FUNCTION_NAME" not in os.environ)
