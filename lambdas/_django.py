"""Starts Django once a container."""

import os

import django
from django.apps import apps


def set_up():
    """Load the project's settings and apps, unless the process has them already (tests, the local cloud)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    if not apps.ready:
        django.setup()
