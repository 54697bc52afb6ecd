"""How many statements one delivery costs, from its ring to *sent*: what nobody uses costs nothing."""

import datetime as dt

import pytest
from django.utils import timezone

from lambdas import email
from notifier.channels.recipient import Recipient, normalise
from notifier.deliveries import composing
from notifier.models import Budget, ContactPoint, Delivery, OptOut, Preferences, Suppression
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.flights import Provider, deliver
from tests.support.flowing import LEASE_SECONDS, another
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

CONTENT = {"email": {"subject": "{{ title }}", "text": "Hello {{ user.first_name }}, {{ title }}"}}


class Case:
    """One delivery to one user, of an event of its own."""

    def __init__(self):
        self.user, self.stranger = make_user(), make_user()
        self.event = make_event(contents=CONTENT, data={"title": "A sale"}, status="done", due_at=None)
        self.recipient = str(Recipient.of_user(self.user.pk))
        self.delivery = make_delivery(
            event=self.event, recipient=self.recipient, address=self.user.email, time_zone=""
        )


def nothing(case):
    """No row of any gate is there."""


def others_rows(case):
    """Everything is in use, by somebody else."""
    other = str(Recipient.of_user(case.stranger.pk))
    OptOut.objects.create(recipient=other, channel="", source="page")
    OptOut.objects.create(recipient=case.recipient, channel="sms", source="page")
    Suppression.objects.create(channel="email", address=normalise(case.stranger.email))
    Suppression.objects.create(channel="sms", address=normalise(case.user.email))
    Preferences.objects.create(user=case.stranger, quiet_from=dt.time(0), quiet_until=dt.time(23, 59))
    Budget.objects.create(channel="sms", monthly_usd=1)


def a_suppression(case):
    Suppression.objects.create(channel="email", address=normalise(case.user.email))


def an_opt_out(case):
    OptOut.objects.create(recipient=case.recipient, channel="email", source="page")


def quiet_hours(case):
    """Whatever the time."""
    Preferences.objects.create(user=case.user, quiet_from=dt.time(0), quiet_until=dt.time(23, 59, 59, 999999))


def quiet_hours_of_another_time(case):
    now = timezone.localtime()
    begin, end = (now + dt.timedelta(hours=2)).time(), (now + dt.timedelta(hours=3)).time()
    Preferences.objects.create(user=case.user, quiet_from=begin, quiet_until=end)


def a_budget(case):
    Budget.objects.create(channel="email", monthly_usd=100)


def a_move(case):
    ContactPoint.objects.create(
        user=case.user, channel="email", address="elsewhere@example.com", verified=True
    )


def a_move_to_a_suppressed_address(case):
    """Of which nobody was asked when the claim looked."""
    a_move(case)
    Suppression.objects.create(channel="email", address="elsewhere@example.com")


def a_digest(case):
    event = another(case.event, "Another sale", status="done")
    make_delivery(event=event, recipient=case.recipient, address=case.user.email, digest=True)
    Delivery.objects.update(digest=True)


# What is there → statements, and what becomes of the delivery. The first time: the claim, one look, the
# event, its template, the person, the result.
COSTS = [
    (nothing, 6, "sent"),
    (others_rows, 6, "sent"),
    (
        a_suppression,
        2 + 1 + 4,
        "skipped",
    ),  # the gate's own question; the result is a transaction, with an attempt
    (an_opt_out, 2 + 1 + 4, "skipped"),
    (quiet_hours, 2 + 1 + 4, "waiting"),
    (quiet_hours_of_another_time, 6 + 1, "sent"),
    (a_budget, 6 + 9, "sent"),
    (a_move, 6 + 2, "sent"),
    (a_move_to_a_suppressed_address, 2 + 1 + 1 + 4, "skipped"),
    (a_digest, 6 + 6, "sent"),
]


# What a gate has said suppresses nothing.
SUPPRESSIONS = {others_rows: 2, a_suppression: 1, a_move_to_a_suppressed_address: 1}


@pytest.mark.parametrize(
    ("make", "expected", "status"), COSTS, ids=lambda found: getattr(found, "__name__", "")
)
def test_one_delivery_costs(make, expected, status):
    case = Case()
    make(case)
    composing.forget()
    with statements() as found:
        deliver([case.delivery.pk], Provider())
    case.delivery.refresh_from_db()
    assert case.delivery.status == status
    assert Suppression.objects.count() == SUPPRESSIONS.get(make, 0)
    assert len(found) == expected, "\n".join(found)


def test_a_warm_function_reads_no_template_twice():
    case = Case()
    composing.forget()
    deliver([case.delivery.pk], Provider())
    next_event = another(case.event, "next", status="done")
    same_rule = make_delivery(event=next_event, recipient=case.recipient, address=case.user.email)
    with statements() as found:
        deliver([same_rule.pk], Provider())
    assert len(found) == 5, "\n".join(found)
    same_event = make_delivery(
        event=next_event, recipient=str(Recipient.of_user(case.stranger.pk)), address=case.stranger.email
    )
    with statements() as found:
        deliver([same_event.pk], Provider())
    assert len(found) == 4, "\n".join(found)


def test_the_rate_of_ses_is_asked_for_once_by_what_comes_in_a_few_seconds(monkeypatch):
    monkeypatch.setattr(email, "RATE_SECONDS", LEASE_SECONDS)
    costs = []
    for _ in range(2):
        case = Case()
        composing.forget()
        with statements() as found:
            deliver([case.delivery.pk], Provider(), rate=email.read_rate)
        costs.append(len(found))
    assert costs == [7, 6]


def test_what_goes_to_a_plain_address_costs():
    delivery = make_delivery()
    composing.forget()
    with statements() as found:
        deliver([delivery.pk], Provider())
    assert len(found) == 5, "\n".join(found)


def test_many_cost_no_more_than_one_but_for_their_results():
    case, number = Case(), 30
    ids = [case.delivery.pk]
    for _ in range(number - 1):
        user = make_user()
        found = make_delivery(event=case.event, recipient=str(Recipient.of_user(user.pk)), address=user.email)
        ids.append(found.pk)
    composing.forget()
    with statements() as found:
        deliver(ids, Provider(), batch_size=10)
    assert len(found) == 5 + number // 10, "\n".join(found)
