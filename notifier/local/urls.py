"""The addresses of the outbox page."""

from django.urls import path

from . import outbox_pages

urlpatterns = [
    path("", outbox_pages.outbox, name="outbox"),
    path("messages.json", outbox_pages.outbox_json, name="outbox-json"),
    path("mails/<int:order>.html", outbox_pages.mail, name="outbox-mail"),
]
