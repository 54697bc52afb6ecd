"""Makes ``manage.py stack`` and ``manage.py doctor`` known."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    name = "notifier.deploy"
    label = "notifier_deploy"
