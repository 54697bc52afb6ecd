"""What the tests of events' and deliveries' pages share: addresses, and rows."""

from django.utils import timezone

from notifier.models import Delivery
from tests.support.builders import make_delivery

EVENTS, DELIVERIES = "/admin/notifier/event/", "/admin/notifier/delivery/"


def page_of(row):
    return f"/admin/notifier/{row._meta.model_name}/{row.pk}/change/"


def retry_of(delivery):
    return f"/admin/notifier/delivery/{delivery.pk}/retry/"


def make_failed(**values):
    values = {
        "status": Delivery.Status.FAILED,
        "reason": "refused",
        "due_at": None,
        "finished_at": timezone.now(),
        "attempts": 1,
    } | values
    return make_delivery(**values)


def make_both():
    """An event and a delivery of it."""
    delivery = make_failed()
    return [delivery.event, delivery]
