"""The pages that people who are notified see. Include them anywhere: ``path("notifications/", include("notifier.urls"))``."""

from django.urls import path

from . import device_views

app_name = "notifier"
urlpatterns = [
    path("devices/", device_views.register, name="register_device"),
    path("devices/<int:pk>/remove/", device_views.remove, name="remove_device"),
]
