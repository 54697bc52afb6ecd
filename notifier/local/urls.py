"""The address of the outbox page."""

from django.urls import path

from . import outbox

urlpatterns = [
    path("", outbox.outbox, name="outbox"),
    path("messages.json", outbox.outbox_json, name="outbox-json"),
]
