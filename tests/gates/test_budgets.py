"""What a channel may cost a month: nothing is sent beyond it, nothing is lost, and somebody is told."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from notifier import hooks
from notifier.admin.overview import problems
from notifier.explaining import recorded
from notifier.gates import budgets, pauses
from notifier.models import Budget, Delivery, HourlyCount, Pause, Spending
from notifier.operations import counts
from tests.admin.browser import text_of
from tests.support.builders import make_delivery, make_user
from tests.support.functions import bodies_for, invoke, sweep
from tests.support.patience import PATIENCE_SECONDS, in_threads

pytestmark = pytest.mark.django_db(transaction=True)

MICROS = 1_000_000
# What an SMS to Britain costs, as `lambdas.sms` counts it.
SMS = 40_000


def spend(dollars, *, channel="sms", ago=dt.timedelta(0)):
    """Deliveries of another time have cost so much."""
    hour = (timezone.now() - ago).replace(minute=0, second=0, microsecond=0)
    HourlyCount.objects.create(
        hour=hour, channel=channel, status="sent", number=1, cost_micros=int(dollars * MICROS)
    )


def make_budget(dollars, channel="sms"):
    return Budget.objects.create(channel=channel, monthly_usd=Decimal(str(dollars)))


def statuses():
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


@pytest.fixture
def told():
    """What the hooks were told: ``(signal, channel)``."""
    found = []

    def hear(signal, channel, **_arguments):
        found.append(("reached" if signal is hooks.budget_reached else "warning", channel))

    for signal in (hooks.budget_warning, hooks.budget_reached):
        signal.connect(hear)
    yield found
    for signal in (hooks.budget_warning, hooks.budget_reached):
        signal.disconnect(hear)


def test_what_the_budget_does_not_pay_for_is_held_and_goes_out_when_it_is_raised(cloud, gate, pump):
    budget = make_budget("0.10")
    ids = [make_delivery(channel="sms").pk for _ in range(4)]
    assert invoke("sms", *bodies_for("sms", ids)) == []
    assert (statuses(), gate.sends()) == (["sent", "sent", "held", "held"], 2)
    held = Delivery.objects.filter(status="held")
    assert set(held.values_list("attempts", "due_at", "claim")) == {(0, None, None)}
    assert Pause.objects.get().scope == "budget:sms"
    # Two cents are left, and an SMS costs four: the sweep lets nothing go, however often it looks.
    assert (sweep(), sweep(), statuses()) == (0, 0, ["sent", "sent", "held", "held"])
    later = make_delivery(channel="sms")
    invoke("sms", *bodies_for("sms", [later.pk]))
    assert (statuses()[-1], Spending.objects.count()) == ("held", 0)
    budget.monthly_usd = Decimal("1.00")
    budget.save()
    assert sweep() == 3
    pump.drain()
    assert (statuses(), Pause.objects.count()) == (["sent"] * 5, 0)
    assert sum(Delivery.objects.values_list("cost_micros", flat=True)) == 5 * SMS


def test_a_budget_holds_its_own_channel_only(cloud):
    make_budget(0)
    mail, sms = make_delivery(), make_delivery(channel="sms")
    invoke("sms", *bodies_for("sms", [sms.pk]))
    invoke("email", *bodies_for("email", [mail.pk]))
    assert statuses() == ["sent", "held"]


MONTHS = [
    # the site's time zone, what time it is (UTC), when the spending was (UTC), whether it counts
    ("UTC", "2026-11-30T23:59", "2026-11-01T00:00", True),
    ("UTC", "2026-12-01T00:00", "2026-11-30T23:00", False),  # the month has turned
    ("America/New_York", "2026-12-01T03:00", "2026-11-30T23:00", True),  # there it is November still
    ("America/New_York", "2026-12-01T05:00", "2026-12-01T04:00", False),
    ("Asia/Tokyo", "2026-11-30T15:00", "2026-11-30T14:00", False),  # there it is December already
]


@pytest.mark.parametrize(("zone", "now", "spent_at", "counts_now"), MONTHS)
def test_the_month_turns_in_the_sites_time_zone_and_what_was_held_goes_on(
    settings, monkeypatch, zone, now, spent_at, counts_now
):
    settings.TIME_ZONE = zone
    now, spent_at = (dt.datetime.fromisoformat(each).replace(tzinfo=dt.UTC) for each in (now, spent_at))
    monkeypatch.setattr(timezone, "now", lambda: now)
    make_budget(50)
    HourlyCount.objects.create(hour=spent_at, channel="sms", status="sent", number=1, cost_micros=50 * MICROS)
    pauses.pause("budget:sms")
    budgets.keep()
    assert Pause.objects.exists() == counts_now


def test_what_is_not_counted_yet_counts(cloud):
    make_budget(1)
    counts.keep()
    make_delivery(channel="sms", status="sent", finished_at=timezone.now(), due_at=None, cost_micros=990_000)
    sms = make_delivery(channel="sms")
    invoke("sms", *bodies_for("sms", [sms.pk]))
    assert Delivery.objects.get(pk=sms.pk).status == "held"


def test_functions_that_ask_at_once_never_spend_the_same_dollar():
    make_budget("0.50")
    start, numbers = threading.Barrier(4), []

    def work():
        start.wait(PATIENCE_SECONDS)
        numbers.append(budgets.admit("sms", [SMS] * 8, seconds=PATIENCE_SECONDS)[0])

    in_threads(*[work] * 4)
    # Twelve SMS are 48 cents; the next would be one too many.
    assert (sum(numbers), len(numbers)) == (12, 4)
    assert sum(Spending.objects.values_list("micros", flat=True)) == 12 * SMS


def test_what_a_dead_function_was_about_to_spend_counts_until_its_time_is_over(cloud):
    make_budget("0.10")
    Spending.objects.create(channel="sms", micros=90_000, until=timezone.now() + dt.timedelta(minutes=1))
    sms = make_delivery(channel="sms")
    invoke("sms", *bodies_for("sms", [sms.pk]))
    assert statuses() == ["held"]
    Spending.objects.update(until=timezone.now() - dt.timedelta(seconds=1))
    assert (sweep(), statuses(), Spending.objects.count()) == (1, ["queued"], 0)


def test_somebody_is_told_once_a_month_at_80_percent_and_when_all_is_spent(told, caplog):
    make_budget(50)
    spend(39)
    budgets.keep()
    assert told == []
    spend(1, channel="email")
    HourlyCount.objects.filter(channel="sms").update(cost_micros=40 * MICROS)
    budgets.keep()
    budgets.keep()
    assert told == [("warning", "sms")]
    assert caplog.text.count("sms: $40.00 of the month's $50.00 are spent.") == 1
    HourlyCount.objects.filter(channel="sms").update(cost_micros=50 * MICROS)
    budgets.keep()
    budgets.keep()
    assert told == [("warning", "sms"), ("reached", "sms")]
    # Raised, and spent again: that is news.
    budget = Budget.objects.get()
    budget.monthly_usd = Decimal(60)
    budget.save()
    budgets.keep()
    assert (told[2:], Pause.objects.count()) == ([("warning", "sms")], 0)


def test_a_budget_that_is_taken_away_holds_nothing_any_more():
    make_budget(0)
    budgets.keep()
    assert Pause.objects.count() == 1
    Budget.objects.all().delete()
    budgets.keep()
    assert Pause.objects.count() == 0


def test_why_says_that_the_budget_is_used_up():
    pause, _ = pauses.pause("budget:sms", reason="The budget of $50.00 for sms in November 2026 is used up.")
    assert "The budget of $50.00 for sms in November 2026 is used up." in recorded.describe_pause(pause)
    delivery = make_delivery(channel="sms", status="held", due_at=None, recipient=f"user:{make_user().pk}")
    case = recorded.Case(person=None, event=delivery.event, trigger=None, deliveries={}, channel="sms")
    assert recorded.paused(case).outcome == "has not got it yet"


# Pages.


def test_the_overview_says_what_of_a_budget_is_spent_and_what_needs_somebody(admin_client):
    for channel, dollars in {"sms": 50, "email": 41, "twitter": 1}.items():
        make_budget(50, channel)
        spend(dollars, channel=channel)
    make_delivery()
    budgets.keep()
    page = admin_client.get("/admin/notifier/overview/")
    found = [(item.tone, item.text) for item in page.context["attention"]]
    assert (
        "bad",
        "This month's budget of $50.00 for sms is used up: the rest is held until it is raised.",
    ) in found
    assert (problems.DOUBT, "$41.00 of this month's $50.00 for email are spent.") in found
    assert not any("twitter" in text or "paused" in text for _tone, text in found)
    assert "of $50.00" in text_of(page)


def test_a_budget_is_made_in_the_admin_written_to_its_log_and_not_resumed_around(admin_client):
    answer = admin_client.post(
        reverse("admin:notifier_budget_add"), {"channel": "sms", "monthly_usd": "0.00"}, follow=True
    )
    assert "$0.00" in text_of(answer)
    assert LogEntry.objects.filter(object_repr="sms: $0.00").exists()
    assert "Enter a number" in text_of(
        admin_client.post(reverse("admin:notifier_budget_add"), {"channel": "email", "monthly_usd": "many"})
    )
    budgets.keep()
    page = text_of(admin_client.get(reverse("admin:notifier_pause_changelist")))
    assert "All sms, as this month" in page
    assert "Resume" not in page
    pause = Pause.objects.get()
    assert "Raise it" in text_of(
        admin_client.post(reverse("admin:notifier_pause_resume", args=[pause.pk]), follow=True)
    )
    assert Pause.objects.exists()
