"""Opens at once what a provider has closed, and lets go what waits for it. Asked for by people."""

from django.utils import timezone

from ..gates import rates
from ..models import Delivery, Rate
from .slots import REASON, THROTTLED

PAGE_SIZE = 1000


def reopen(pk: int) -> tuple[Rate, int] | None:
    """Open the Rate ``pk`` and make due what waits for it; returns it as it was, and how many those are.

    None where nothing is closed any more.
    """
    found = rates.reopen(pk)
    return (found, _make_due(_waiting_for(found))) if found else None


def _waiting_for(rate):
    waiting = Delivery.objects.filter(
        channel=rate.channel, status=Delivery.Status.WAITING, reason__in=[REASON, THROTTLED]
    )
    if not rate.is_part:
        return waiting
    # The name of a part tells nothing of it; who was refused there has its address.
    address = Delivery.objects.filter(pk=rate.closed_by).values_list("address", flat=True).first()
    return waiting.filter(address=address) if address else waiting.none()


def _make_due(waiting):
    number, last, now = 0, 0, timezone.now()
    later = waiting.filter(due_at__gt=now).order_by("pk")
    while ids := list(later.filter(pk__gt=last).values_list("pk", flat=True)[:PAGE_SIZE]):
        number, last = number + waiting.filter(pk__in=ids).update(due_at=now), ids[-1]
    return number
