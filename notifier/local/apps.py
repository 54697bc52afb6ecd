"""The cloud on one machine. Not part of a deployment."""

from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "notifier.local"
    label = "notifier_local"
