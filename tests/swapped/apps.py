"""The app of the swapped user."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "tests.swapped"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
