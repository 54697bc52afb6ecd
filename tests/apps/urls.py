"""The pages that the apps' own signals come from."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("wagtail.urls")),
]
