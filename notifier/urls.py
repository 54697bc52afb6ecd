"""The pages that people who are notified see. Include them anywhere: ``path("notifications/", include("notifier.urls"))``."""

from django.urls import path

from .preferences import pages, unsubscribing

app_name = "notifier"
urlpatterns = [
    path("preferences/", pages.own_preferences, name="own_preferences"),
    path("preferences/<str:token>/", pages.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
]
