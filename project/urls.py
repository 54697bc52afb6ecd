"""The admin; on a developer's machine also the outbox page."""

from django.conf import settings
from django.contrib import admin
from django.db.transaction import non_atomic_requests
from django.urls import include, path
from django.views.generic import RedirectView

from notifier.admin.start import first_page
from project import sign_in

# Where the settings leave it to whoever needs the pages.
admin.autodiscover()
urlpatterns = [
    path("admin/", admin.site.admin_view(first_page)),
    path("admin/login/", sign_in.page),
    path("admin/", admin.site.urls),
    path("notifications/", include("notifier.urls")),
    path("", non_atomic_requests(RedirectView.as_view(pattern_name="admin:index")), name="home"),
]
if settings.FEEDBACK_TOPIC_ARN or settings.SMS_DRIVER == "twilio":
    # For those who have no function behind a queue to hear of bounces, and for Twilio's statuses: see
    # docs/feedback.md.
    urlpatterns.append(path("feedback/", include("notifier.feedback.urls")))
if settings.LOCAL:
    urlpatterns.insert(0, path("outbox/", include("notifier.local.urls")))
