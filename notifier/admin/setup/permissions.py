"""The permissions to set up a notification on one page."""

from django.urls import reverse


def setup_url(request):
    """The address where this person sets up a notification, or nothing."""
    return reverse("admin:notifier_setup") if may_set_up(request) else ""


def may_set_up(request):
    """A trigger and its subscription are always new; template and audience may be old ones, so somebody must
    see or add them.
    """
    return all(
        (
            may(request, "add_trigger"),
            may(request, "add_subscription"),
            may(request, "add_template") or may(request, "view_template"),
            may(request, "add_audience") or may(request, "view_audience"),
        )
    )


def may(request, codename):
    return request.user.has_perm(f"notifier.{codename}")
