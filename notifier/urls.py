"""The pages that people who are notified see.

Include them anywhere: ``path("notifications/", include("notifier.urls"))``.
"""

from django.urls import path

from .inbox import api, openapi, pages, stream
from .page_headers import CACHE, DATA, INBOX, LINKED, PAGE, PERSONAL, PUBLIC, guarded
from .people import device_views
from .preferences import pages as preference_pages, unsubscribing

data, personal, linked = guarded(DATA), guarded(PAGE, PERSONAL), guarded(PAGE, LINKED)
inbox, public = guarded(INBOX, PERSONAL), guarded(DATA, {CACHE: PUBLIC})

app_name = "notifier"
urlpatterns = [
    path("", inbox(pages.InboxPage.as_view()), name="inbox"),
    path("inbox/", data(api.list_items), name="inbox-list"),
    path("inbox/unread/", data(api.count_unread), name="inbox-unread"),
    path("inbox/read/", data(api.read_all), name="inbox-read-all"),
    path("inbox/openapi.json", public(openapi.document), name="inbox-openapi"),
    path("inbox/stream/", data(stream.stream), name="inbox-stream"),
    path("inbox/<str:key>/read/", data(api.read_item), name="inbox-read"),
    path("inbox/<str:key>/archive/", data(api.archive_item), name="inbox-archive"),
    path("devices/", data(device_views.register), name="register_device"),
    path("devices/<int:pk>/remove/", data(device_views.remove), name="remove_device"),
    path("preferences/", personal(preference_pages.own_preferences), name="own_preferences"),
    path("preferences/<str:token>/", linked(preference_pages.preferences), name="preferences"),
    path("unsubscribe/<str:token>/", linked(unsubscribing.unsubscribe), name="unsubscribe"),
]
