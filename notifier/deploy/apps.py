"""Makes ``manage.py stack`` and ``manage.py doctor`` known, and follows Lambda's snapshots."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    name = "notifier.deploy"
    label = "notifier_deploy"

    def ready(self):
        from . import snapshots

        snapshots.follow()
