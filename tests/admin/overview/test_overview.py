"""The overview says how it stands, leads to what its numbers are about, and says so where it does not
know.
"""

import datetime as dt
import re
from html import unescape

import pytest
from django.utils import timezone

from notifier.admin.overview import chart, page, problems
from notifier.models import OF_NO_RULE, Delivery, Event, Gauge, Pause
from notifier.operations import counts, gauges
from tests.admin.browser import text_of
from tests.support.builders import make_delivery, make_event, make_trigger

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/notifier/overview/"
Status = Delivery.Status
HOUR = dt.timedelta(hours=1)


def finished(status=Status.SENT, *, ago=dt.timedelta(0), **values):
    return make_delivery(status=status, finished_at=timezone.now() - ago, due_at=None, **values)


def words_of(response):
    """The page's text without its tags, on one line."""
    page = text_of(response)
    page = page[page.index('id="notifier-overview"') :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def attention_of(client, query=""):
    """What the page says needs somebody: ``(tone, text, url)``."""
    return [(item.tone, item.text, item.url) for item in client.get(OVERVIEW + query).context["attention"]]


def test_the_numbers_are_per_channel_and_lead_to_their_lists(admin_client):
    for _ in range(2):
        finished(cost_micros=645_000, channel="sms")
    finished(Status.FAILED, reason="refused")
    finished(Status.SKIPPED)
    finished(Status.CANCELLED)
    make_delivery(status=Status.WAITING, created_at=timezone.now() - 3 * HOUR)
    counts.keep()
    page = admin_client.get(OVERVIEW)
    rows = {row.name: row for row in page.context["channels"]}
    assert rows["sms"].done == {"sent": 2, "skipped": 0, "failed": 0}
    assert rows["email"].done == {"sent": 0, "skipped": 2, "failed": 1}
    assert (rows["email"].waiting, rows["email"].oldest) == ("1", "3\xa0hours")
    assert (rows["sms"].cost, str(page.context["total_cost"])) == ("$1.29", "$1.29")
    assert [(kind, number) for kind, _label, number, _url in page.context["tiles"]] == [
        ("sent", "2"), ("failed", "1"), ("skipped", "2"), ("waiting", "1"),
    ]  # fmt: skip
    for _kind, _label, number, url in page.context["tiles"]:
        found = admin_client.get(url).context["cl"].result_count
        assert found == int(number) or "skipped" in url, url


@pytest.mark.parametrize(
    ("query", "hours", "is_shown"),
    [
        ("", 2, True),
        ("", 30, False),
        ("?range=7d", 30, True),
        ("?range=7d", 24 * 9, False),
        ("?range=30d", 24 * 9, True),
        ("?range=tomorrow", 2, True),  # as without
    ],
)
def test_a_range_shows_what_finished_in_it(admin_client, query, hours, is_shown):
    finished(ago=hours * HOUR)
    counts.keep()
    page = admin_client.get(OVERVIEW + query)
    assert sum(bar.numbers[0] for bar in page.context["chart"].bars) == is_shown


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("query", ["?range=24h", "?range=7d"])
def test_every_hour_and_day_has_its_bar_in_the_zone_of_whoever_looks(admin_client, settings, zone, query):
    settings.TIME_ZONE = zone
    for hours in (0, 1, 5, 20):
        finished(ago=hours * HOUR)
    counts.keep()
    chart = admin_client.get(OVERVIEW + query).context["chart"]
    assert sum(bar.numbers[0] for bar in chart.bars) == 4
    assert len(chart.bars) == (24 if "24h" in query else 7)


def test_the_chart_can_be_read_as_a_table_and_without_a_script(admin_client):
    finished()
    counts.keep()
    page = text_of(admin_client.get(OVERVIEW))
    assert 'aria-label="1 sent, 0 skipped, 0 failed"' in page
    assert page.count('<th scope="row">') >= 24
    body = page[page.index('id="notifier-overview"') : page.index("</main>") if "</main>" in page else None]
    assert not re.search(r"<canvas|\son\w+=", body)


@pytest.mark.parametrize(
    ("number", "top"),
    [
        (0, 2),
        (1, 2),
        (3, 4),
        (9, 10),
        (10, 10),
        (11, 12),
        (13, 16),
        (20, 20),
        (21, 40),
        (99, 100),
        (100, 100),
        (101, 120),
    ]
    + [(4312, 6000), (10_900, 12_000), (1_000_000, 1_000_000)],
)
def test_the_scale_ends_at_a_round_number_whose_half_is_whole(number, top):
    now = timezone.now()
    assert chart.draw(chart.RANGES["7d"], [now], [(now, "email", "sent", number)]).top == top


def test_one_failure_among_thousands_is_seen_and_no_bar_leaves_the_chart():
    now = timezone.now()
    rows = [(now, "email", "sent", 1_000_000), (now, "email", "failed", 1), (now, "sms", "skipped", 1)]
    (bar,) = chart.draw(chart.RANGES["7d"], [now], rows).bars
    assert {kind for kind, _y, height in bar.parts if height >= chart.LEAST} == {
        "sent",
        "skipped",
        "failed",
    }
    assert min(y for _kind, y, _height in bar.parts) >= 0


# What needs somebody


def test_nothing_is_said_to_need_somebody_when_nothing_does(admin_client):
    finished()
    counts.keep()
    assert attention_of(admin_client) == []
    assert "All goes its way" in words_of(admin_client.get(OVERVIEW))


def test_failures_are_grouped_by_reason_and_lead_to_exactly_them(admin_client):
    for _ in range(2):
        finished(Status.FAILED, reason="refused")
    finished(Status.FAILED, reason="refused", channel="sms")
    finished(Status.FAILED, reason="refused", ago=30 * HOUR)
    finished(Status.UNKNOWN, reason="crashed", channel="sms")
    counts.keep()
    found = attention_of(admin_client)
    assert [(tone, text) for tone, text, _url in found] == [
        ("bad", "2 by email failed: refused"),
        ("bad", "1 by sms failed: refused"),
        ("doubt", "1 by sms may or may not have been sent: crashed"),
    ]
    assert [admin_client.get(url).context["cl"].result_count for *_, url in found] == [3, 1, 1]
    assert "3 by email" in attention_of(admin_client, "?range=7d")[0][1]


READINGS = [
    # gauge, value, what is said of it
    (gauges.BOUNCE_RATE, 0.049, None),
    (gauges.BOUNCE_RATE, 0.05, ("doubt", "5 % of mails bounce")),
    (gauges.BOUNCE_RATE, 0.1, ("bad", "10 % of mails bounce")),
    (gauges.COMPLAINT_RATE, 0.0009, None),
    (gauges.COMPLAINT_RATE, 0.001, ("doubt", "0.1 % of mails draw a complaint")),
    (gauges.COMPLAINT_RATE, 0.005, ("bad", "0.5 % of mails draw a complaint")),
    (gauges.QUOTA_USED, 79, None),
    (gauges.QUOTA_USED, 80, ("doubt", "80 % of the mails that SES allows")),
    (gauges.SENDING_ENABLED, 1, None),
    (gauges.SENDING_ENABLED, 0, ("bad", "SES has stopped sending")),
    ("dlq.fanout", 0, None),
    ("dlq.fanout", 1, ("bad", "1 message of “fanout” was given up")),
    ("dlq.email", 3, ("bad", "3 messages of “email” were given up")),
]


@pytest.mark.parametrize(("name", "value", "said"), READINGS)
def test_a_reading_that_is_out_of_its_limits_needs_somebody(admin_client, name, value, said):
    gauges.record({gauges.QUOTA: 100, name: value})
    found = attention_of(admin_client)
    assert len(found) == (said is not None)
    if said:
        assert (found[0][0], said[1] in found[0][1]) == (said[0], True), found


def test_counts_that_nobody_brings_up_to_date_are_said_to_be_old(admin_client):
    finished()
    counts.keep()
    Gauge.objects.filter(name=counts.COUNTED).update(measured_at=timezone.now() - problems.COUNTS_ARE_OLD * 2)
    (item,) = attention_of(admin_client)
    assert item[0] == "bad"
    assert "10\xa0minutes old" in item[1]


def test_what_is_paused_and_held_is_named(admin_client):
    trigger = make_trigger(name="Flash sale")
    for scope in ("everything", "channel:sms", f"trigger:{trigger.pk}"):
        Pause.objects.create(scope=scope, paused_by="ada", reason="Until noon.")
    make_delivery(channel="sms", status=Status.HELD, due_at=None)
    texts = [text for _tone, text, _url in attention_of(admin_client)]
    assert texts == [
        "Channel “sms” has been paused for under a minute, by ada. Until noon.",
        "Everything has been paused for under a minute, by ada. Until noon.",
        "Trigger “Flash sale” has been paused for under a minute, by ada. Until noon.",
        "1 delivery is held.",
    ]


def test_what_is_not_known_is_not_shown_as_nought(admin_client):
    finished()
    page = admin_client.get(OVERVIEW)
    assert {row.dead_letters for row in page.context["channels"]} == {None}
    assert {str(meter.text) for meter in page.context["meters"]} == {"not known"}
    assert "Not counted yet" in words_of(page)


def test_a_reading_says_how_old_it_is(admin_client):
    finished()
    gauges.record({gauges.BOUNCE_RATE: 0.012, gauges.QUOTA: 50_000, gauges.QUOTA_USED: 12_500})
    Gauge.objects.update(measured_at=timezone.now() - 3 * HOUR)
    bounces, _complaints, quota = admin_client.get(OVERVIEW).context["meters"]
    assert (bounces.text, bounces.tone, bounces.age) == ("1.2 %", "good", "3\xa0hours ago")
    assert (quota.text, str(quota.note)) == ("25 %", "12,500 of 50,000 mails in 24 hours")


# The page


def test_an_empty_system_is_led_to_setting_up(admin_client):
    page = admin_client.get(OVERVIEW)
    assert "Nothing has been sent yet" in words_of(page)
    assert admin_client.get(page.context["setup_url"]).status_code == 200


def test_only_who_may_see_deliveries_sees_it(client_with, client):
    finished()
    assert client.get(OVERVIEW).status_code == 302
    assert client_with("view_event").get(OVERVIEW).status_code == 403
    assert client_with("view_delivery").get(OVERVIEW).status_code == 200


def test_it_shows_no_person_and_no_address(client_with):
    finished(Status.FAILED, reason="refused", address="ada@example.org", detail="ada@example.org is unknown")
    make_delivery(address="bo@example.org")
    counts.keep()
    assert "example.org" not in text_of(client_with("view_delivery").get(OVERVIEW))


def test_it_takes_as_many_statements_for_many_as_for_few(queries_of):
    event = make_event()
    finished(event=event)
    make_delivery(event=event)
    counts.keep()
    few = queries_of(OVERVIEW)
    for status in (Status.SENT, Status.FAILED, Status.UNKNOWN, Status.HELD, Status.WAITING):
        for _ in range(5):
            make_delivery(event=event, status=status)
    for _ in range(5):
        finished()
    counts.keep()
    assert queries_of(OVERVIEW) == few <= 19


# By rule


def test_the_rules_that_sent_most_are_listed_and_lead_to_their_pages(admin_client, client_with):
    gone, busy = make_event(), make_event()
    finished(event=gone)
    for status in (Status.SENT, Status.SENT, Status.UNKNOWN, Status.CANCELLED):
        finished(status, event=busy)
    finished(event=busy, ago=30 * HOUR)
    gone.trigger.delete()
    # What an editor sends to themselves belongs to no rule.
    test = make_event()
    finished(event=test, subscription_id=OF_NO_RULE)
    Event.objects.filter(pk=test.pk).update(trigger=OF_NO_RULE)
    counts.keep()
    url = f"/admin/notifier/trigger/{busy.trigger_id}/change/"
    assert admin_client.get(OVERVIEW).context["rules"] == [
        (busy.trigger.name, url, {"sent": "2", "skipped": "1", "failed": "1"}),
        (f"Trigger {gone.trigger_id}, deleted since", "", {"sent": "1", "skipped": "0", "failed": "0"}),
    ]
    assert admin_client.get(f"{OVERVIEW}?range=7d").context["rules"][0][2]["sent"] == "3"
    assert url in text_of(admin_client.get(OVERVIEW))
    assert url not in text_of(client_with("view_delivery").get(OVERVIEW))


def test_of_many_rules_only_the_busiest_are_listed(admin_client, monkeypatch):
    monkeypatch.setattr(page, "MOST_RULES", 2)
    for _ in range(3):
        finished()
    counts.keep()
    assert len(admin_client.get(OVERVIEW).context["rules"]) == 2


# Lists that its links lead to


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        (status, status in (Status.QUEUED, Status.WAITING, Status.CLAIMED, Status.SENDING))
        for status in Status
    ],
)
def test_deliveries_that_are_not_over_are_one_choice_of_the_status_filter(admin_client, status, is_open):
    make_delivery(status=status, due_at=timezone.now() if is_open else None)
    found = admin_client.get("/admin/notifier/delivery/?status__exact=open").context["cl"].result_count
    assert found == is_open
    assert (
        admin_client.get(f"/admin/notifier/delivery/?status__exact={status}").context["cl"].result_count == 1
    )


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("created=2026-03-02", [2]),
        ("created=2026-03-04", []),  # between two
        ("created=2026-03-05", [5]),  # the newest
        ("created=2027-01-01", []),
        ("created=2020-01-01", []),
    ],
)
def test_deliveries_are_found_by_day(admin_client, query, days):
    made = {
        day: make_delivery(created_at=dt.datetime(2026, 3, day, 12, tzinfo=dt.UTC)) for day in (1, 2, 3, 5)
    }
    found = admin_client.get(f"/admin/notifier/delivery/?{query}").context["cl"].result_list
    assert [row.pk for row in found] == [made[day].pk for day in days]


def test_a_day_begins_at_midnight_of_whoever_looks(admin_client, settings):
    settings.TIME_ZONE = "America/New_York"
    late = make_delivery(created_at=dt.datetime(2026, 3, 3, 4, 30, tzinfo=dt.UTC))
    found = admin_client.get("/admin/notifier/delivery/?created=2026-03-02").context["cl"].result_list
    assert [row.pk for row in found] == [late.pk]


@pytest.mark.parametrize("text", ["yesterday", "2026-02-31", "2026-03-01T00:00"])
def test_a_day_that_is_none_is_refused(admin_client, text):
    assert admin_client.get("/admin/notifier/delivery/", {"created": text}).status_code == 302
