"""Models that only the tests have."""

from django.apps import AppConfig


class TestAppConfig(AppConfig):
    name = "tests.app"
    label = "shop"
    default_auto_field = "django.db.models.BigAutoField"
