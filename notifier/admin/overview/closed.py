"""The channels and rooms that a provider has closed: shown on the page of the pauses, opened there."""

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.urls import reverse
from django.utils.translation import gettext_lazy as _, ngettext

from ...channels import registry
from ...deliveries import opening
from ...gates import rates
from ...models import Delivery

# What opens sooner is no news: providers say “not so fast” all day.
NEWS_SECONDS = 60


def described():
    """The Rates that are closed, each with ``words`` that name it and the ``url`` of who was refused there.

    One query, and one where there are any.
    """
    found = list(rates.find_closed(for_longer_than=NEWS_SECONDS))
    there = set(
        Delivery.objects.filter(pk__in=[each.closed_by for each in found]).values_list("pk", flat=True)
        if found
        else ()
    )
    for each in found:
        label = registry.label(each.channel)
        each.words = _("%s, one room or part") % label if each.is_part else label
        is_there = each.closed_by in there
        each.url = reverse("admin:notifier_delivery_change", args=[each.closed_by]) if is_there else ""
    return found


def open_at_once(request, pk):
    """Open one and tell the person of it."""
    opened = opening.reopen(pk)
    if opened is None:
        messages.warning(request, _("It is open already."))
        return
    rate, number = opened
    LogEntry.objects.log_actions(request.user.pk, [rate], CHANGE, str(_("Opened.")))
    text = ngettext(
        "Opened. %d message that waited for it is tried within a minute.",
        "Opened. %d messages that waited for it are tried within a minute.",
        number,
    )
    messages.success(request, text % number)
