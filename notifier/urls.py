"""The pages that people who are notified see. Include them anywhere: ``path("notifications/", include("notifier.urls"))``."""

from django.urls import path

from .inbox import api, stream

app_name = "notifier"
urlpatterns = [
    # The merge takes those of branch `inbox`, and keeps the stream's.
    path("", api.page, name="inbox"),
    path("inbox/", api.items, name="inbox-items"),
    path("inbox/unread/", api.unread, name="inbox-unread"),
    path("inbox/read/", api.read_all, name="inbox-read-all"),
    path("inbox/<int:pk>/read/", api.read, name="inbox-read"),
    path("inbox/<int:pk>/archive/", api.archive, name="inbox-archive"),
    path("inbox/stream/", stream.stream, name="inbox-stream"),
]
