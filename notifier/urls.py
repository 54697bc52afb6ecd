"""The pages that people who are notified see. Include them anywhere: ``path("notifications/", include("notifier.urls"))``."""

app_name = "notifier"
urlpatterns = []
