"""The worked example: models, a signal of its own, and the rules that go with them."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "project.demo"
    label = "demo"
    verbose_name = "Demo shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from notifier import register_signal

        from .models import Movie
        from .signals import notify_audiences

        register_signal("notify_audiences", notify_audiences, args={"movie": Movie}, object="movie")
