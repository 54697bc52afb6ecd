"""Wires the app together at start-up, without a query."""

import os

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NotifierConfig(AppConfig):
    name = "notifier"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks  # noqa: F401 - importing `checks` registers them
        from .events import liveness
        from .explaining import gone
        from .operations import template_files
        from .rulefiles import declared
        from .rules import signals

        signals.register_builtin_signals()
        post_migrate.connect(
            template_files.follow_deployment, sender=self, dispatch_uid="notifier.operations.template_files"
        )
        post_migrate.connect(
            declared.follow_deployment, sender=self, dispatch_uid="notifier.rulefiles.declared"
        )
        post_migrate.connect(gone.follow_deployment, sender=self, dispatch_uid="notifier.explaining.gone")
        liveness.follow_rules(in_background="AWS_LAMBDA_FUNCTION_NAME" not in os.environ)
