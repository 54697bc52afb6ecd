"""A project that has chosen the webhook."""

from django.urls import include, path

from project.urls import urlpatterns as project_urlpatterns

urlpatterns = [path("feedback/", include("notifier.feedback.urls")), *project_urlpatterns]
