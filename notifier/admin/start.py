"""The admin's first page: the overview, or before there is something to see, the set-up page."""

from django.contrib import admin
from django.shortcuts import redirect

from ..models import Delivery, Trigger
from .setup.permissions import setup_url


def first_page(request):
    """Leads to the page that sets up a notification while there is none, then to the overview; who may see
    neither gets Django's list.

    A project puts it before the admin's own addresses: ``path("admin/", admin.site.admin_view(first_page))``.
    """
    if (url := setup_url(request)) and not Trigger.objects.exists() and not Delivery.objects.exists():
        return redirect(url)
    return (
        redirect("admin:notifier_overview")
        if request.user.has_perm("notifier.view_delivery")
        else admin.site.index(request)
    )
