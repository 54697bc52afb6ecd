"""django-fsm-2: a state changes."""

import pytest
from django.db import transaction

from notifier.testing import capture_notifications
from tests.apps.shop.models import Ticket

APP = "django-fsm-2"


def change(ticket, *, by):
    with transaction.atomic():
        getattr(ticket, by)()
        ticket.save()


def test_a_trigger_is_of_the_state_that_is_reached(recipe, make_user):
    sue = make_user("sue", group="Support")
    ticket = Ticket.objects.create(title="No soap")

    with capture_notifications() as sent:
        change(ticket, by="assign")
        change(ticket, by="close")

    assert [(m.subject, m.text, m.is_to(sue)) for m in sent] == [
        ("No soap: closed", "It was assigned.", True)
    ]


def test_a_change_that_is_not_saved_is_not_told(recipe, make_user):
    make_user("sue", group="Support")
    ticket = Ticket.objects.create(title="No soap", state="assigned")

    with capture_notifications() as sent, pytest.raises(RuntimeError), transaction.atomic():
        ticket.close()
        raise RuntimeError("not saved")

    assert list(sent) == []
