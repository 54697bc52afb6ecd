"""Views that save, each in the transaction that ATOMIC_REQUESTS gives it."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

from project.demo.models import Post


def save(request):
    Post.objects.create(title="From a request")
    return HttpResponse()


def save_and_fail(request):
    save(request)
    raise ZeroDivisionError


urlpatterns = [
    path("admin/", admin.site.urls),
    path("save/", save),
    path("save-and-fail/", save_and_fail),
]
