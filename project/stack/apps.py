"""Makes ``manage.py stack`` known; on Lambda nobody runs it."""

from django.apps import AppConfig


class StackConfig(AppConfig):
    name = "project.stack"
