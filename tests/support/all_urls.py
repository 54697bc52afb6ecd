"""All addresses that the reference project can have, and some that fail."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.urls import include, path

from project.urls import urlpatterns as of_the_project

# Of this module alone.
OURS = "test-"
ERRORS = {"403": PermissionDenied, "400": SuspiciousOperation, "404": Http404, "500": ValueError}


def fail(request, status):
    raise ERRORS[status]


feedback = path("feedback/", include("notifier.feedback.urls"))
urlpatterns = [
    path("fails/<str:status>/", fail, name="test-fails"),
    # There where a deployment hears by it: see `project.urls`.
    *([] if any(str(each.pattern) == "feedback/" for each in of_the_project) else [feedback]),
    *of_the_project,
]


def walk(patterns, route="", names=()):
    """Yield (route, name with its namespaces, view) of each address."""
    for each in patterns:
        here = route + str(each.pattern)
        if hasattr(each, "url_patterns"):
            namespace = [each.namespace] if each.namespace else []
            yield from walk(each.url_patterns, here, [*names, *namespace])
        else:
            yield here, ":".join([*names, each.name or here]), each.callback
