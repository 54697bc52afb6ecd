"""The pages that people who are notified see.

Include them anywhere: ``path("notifications/", include("notifier.urls"))``.
"""

from django.urls import path

from .inbox import api, openapi, pages, stream
from .people import device_views
from .preferences import pages as preference_pages, unsubscribing

app_name = "notifier"
urlpatterns = [
    path("", pages.InboxPage.as_view(), name="inbox"),
    path("inbox/", api.list_items, name="inbox-list"),
    path("inbox/unread/", api.count_unread, name="inbox-unread"),
    path("inbox/read/", api.read_all, name="inbox-read-all"),
    path("inbox/openapi.json", openapi.document, name="inbox-openapi"),
    path("inbox/stream/", stream.stream, name="inbox-stream"),
    path("inbox/<str:key>/read/", api.read_item, name="inbox-read"),
    path("inbox/<str:key>/archive/", api.archive_item, name="inbox-archive"),
    path("devices/", device_views.register, name="register_device"),
    path("devices/<int:pk>/remove/", device_views.remove, name="remove_device"),
    path("preferences/", preference_pages.own_preferences, name="own_preferences"),
    path("preferences/<str:token>/", preference_pages.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
]
